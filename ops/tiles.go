package ops

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Tiles says where the rows of a convolution are that a matrix kernel
// multiplies, one for each output pixel: the bytes under each tap, in tiles of
// as many rows as the kernel takes at a time. Rows that are one tap each and lie
// a constant distance apart need no more than that distance; others have an
// offset for each tap, counted from the start of their image.
type Tiles struct {
	Images     int // that are computed one after the other
	Rows       int // of an image
	ImageBytes int // from one image of the input to the next
	Stride     int // bytes between rows, 0 where they have offsets
	Step       int // rows that one call takes at most, a multiple of the tile's
	Buffer     int // bytes that a worker needs for offsets, 0 where they are in the table

	ind   *Indirection
	mr    int
	taps  int
	spans []Span  // of an image, with table; nil where every call reads all taps
	table []int32 // of a whole image, shared by all runs; nil where they would be too many
}

// maxTable is how many bytes of offsets are kept for a convolution; larger
// tables are made anew, a piece at a time, in each run.
const maxTable = 4 << 20

type tilesKey struct {
	window           Window
	mr, pixels, work int
}

// offsetTable are the offsets of an image, span by span.
type offsetTable struct {
	spans   []Span
	offsets []int32
}

// NewTiles prepares the rows of a convolution of images with pixels of
// pixelBytes for a kernel with tiles of mr rows. work is the number of multiply-accumulates of a row and tap
// where taps in the padding may be left out, else 0.
func NewTiles(op Op, p *Prepare, w *Window, mr, pixelBytes, work int) (*Tiles, error) {
	if pixelBytes >= asm.MaxStride {
		return nil, &UnsupportedError{Op: op.Name(), Reason: fmt.Sprintf("pixels of %d bytes are above the %d that kernels take", pixelBytes, asm.MaxStride)}
	}
	if w.IsPointwise() {
		return &Tiles{Images: 1, Rows: w.Pixels(), Stride: pixelBytes, Step: roundUp(max(w.Pixels(), 1), mr), mr: mr, taps: 1}, nil
	}
	one := *w
	one.Batch = 1
	t := &Tiles{Images: w.Batch, Rows: one.Pixels(), ImageBytes: w.In[0] * w.In[1] * w.In[2] * pixelBytes, mr: mr, taps: w.Taps()}
	if t.ImageBytes > 1<<31-1 {
		return nil, &UnsupportedError{Op: op.Name(), Reason: fmt.Sprintf("an image of %d bytes is above the 2 GiB that offsets reach", t.ImageBytes)}
	}
	t.ind = NewIndirection(&one, pixelBytes)
	taps := t.taps
	t.Step = roundUp(max(t.Rows, 1), mr)
	if t.Step > maxTable/4/taps {
		t.Step = max(maxTable/64/4/taps/mr*mr, mr)
		t.Buffer = alignBytes(4 * t.Step * taps)
		return t, nil
	}
	common := shared(p, tilesKey{one, mr, pixelBytes, work}, func() offsetTable {
		if work == 0 {
			table := make([]int32, t.Step*taps)
			t.ind.fillOffsets(table, mr, 0, t.Rows, 0, taps)
			return offsetTable{nil, table}
		}
		spans := one.spans(mr, work)
		var table []int32
		for _, s := range spans {
			table = append(table, make([]int32, roundUp(s.M1-s.M0, mr)*s.Taps)...)
			t.ind.fillOffsets(table[s.at:], mr, s.M0, s.M1-s.M0, s.First, s.Taps)
		}
		return offsetTable{spans, table}
	})
	t.spans, t.table = common.spans, common.offsets
	return t, nil
}

// Offsets returns those of a span's rows. They may lie in buffer, of Buffer bytes; nil stands for rows that are Stride apart.
func (t *Tiles) Offsets(buffer []byte, s *Span) *int32 {
	switch {
	case t.Stride > 0:
		return nil
	case t.table != nil:
		return &t.table[s.at]
	}
	offsets := unsafe.Slice((*int32)(unsafe.Pointer(&buffer[0])), t.Buffer/4)
	t.ind.fillOffsets(offsets, t.mr, s.M0, s.M1-s.M0, 0, t.taps)
	return &offsets[0]
}

// Start returns where the rows from m0 on of an image begin: what offsets, or
// distances, count from.
func (t *Tiles) Start(input unsafe.Pointer, image, m0 int) unsafe.Pointer {
	return unsafe.Add(input, image*t.ImageBytes+m0*t.Stride)
}

// fillOffsets writes the offsets of count pixels from first on, those of tap tap0+s, of taps many, of pixel m
// at ((m/mr)*taps+s)*mr + m%mr; pixels that fill up the last tile repeat the last one. Taps outside
// the image are -1.
func (ind *Indirection) fillOffsets(dst []int32, mr, first, count, tap0, taps int) {
	w := &ind.w
	p := w.pixel(first)
	for m := range roundUp(count, mr) {
		tile := dst[m/mr*taps*mr:][:taps*mr]
		if m >= count {
			for i := m % mr; i < len(tile); i += mr {
				tile[i] = tile[i-1]
			}
			continue
		}
		z, y, x := p.z*w.Stride[0]-w.Pad[0], p.y*w.Stride[1]-w.Pad[1], p.x*w.Stride[2]-w.Pad[2]
		start := ind.stride * ((z*w.In[1]+y)*w.In[2] + x)
		at, s := tile[m%mr:], -tap0
		for kz := range w.Kernel[0] {
			for ky := range w.Kernel[1] {
				row := uint(z+kz*w.Dilation[0]) < uint(w.In[0]) && uint(y+ky*w.Dilation[1]) < uint(w.In[1])
				for kx := range w.Kernel[2] {
					if uint(s) < uint(taps) {
						at[s*mr] = -1
						if row && uint(x+kx*w.Dilation[2]) < uint(w.In[2]) {
							at[s*mr] = int32(start + ind.delta[tap0+s])
						}
					}
					s++
				}
			}
		}
		w.advance(&p)
	}
}

// roundUp returns the smallest multiple of to that is n or more.
func roundUp(n, to int) int { return (n + to - 1) / to * to }

func alignBytes(n int) int { return roundUp(n, tensor.Alignment) }
