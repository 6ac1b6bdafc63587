package ops

import "unsafe"

// FusedRows prepares a convolution of few channels: the taps of a kernel row
// lie side by side in a channels-last image, so that a matrix kernel can take
// them as one long position. For that the image is copied once with its
// left and right padding filled in.
type FusedRows struct {
	Window     Window // over the copy, with kernel rows as positions
	Rows       int    // image rows of the whole batch
	RowBytes   int    // of the copy
	Bytes      int    // of the copy, and what may be read behind it
	pixelBytes int
	left       int // bytes of padding
	in         int // bytes of an input row
}

// readBehind is how much a kernel may read behind the last pixel of a copy:
// the taps of a row are rounded up to a multiple of 4 bytes.
const readBehind = 64

// NewFusedRows returns nil where taps do not lie side by side.
func NewFusedRows(w *Window, pixelBytes int) *FusedRows {
	if w.Kernel[2] == 1 || w.Dilation[2] != 1 {
		return nil
	}
	width := max((w.Out[2]-1)*w.Stride[2]+w.Kernel[2], w.Pad[2]+w.In[2])
	f := &FusedRows{
		Window:     *w,
		Rows:       w.Batch * w.In[0] * w.In[1],
		RowBytes:   width * pixelBytes,
		pixelBytes: pixelBytes,
		left:       w.Pad[2] * pixelBytes,
		in:         w.In[2] * pixelBytes,
	}
	f.Bytes = f.Rows*f.RowBytes + readBehind
	f.Window.In[2] = width
	f.Window.Kernel[2] = 1
	f.Window.Pad[2] = 0
	return f
}

// Copy copies image row i with its padding; pad holds padding for a whole row of the copy.
func (f *FusedRows) Copy(dst, src, pad unsafe.Pointer, i int) {
	d := unsafe.Add(dst, i*f.RowBytes)
	copyBytes(d, pad, f.left)
	copyBytes(unsafe.Add(d, f.left), unsafe.Add(src, i*f.in), f.in)
	copyBytes(unsafe.Add(d, f.left+f.in), pad, f.RowBytes-f.left-f.in)
}
