package ops

import "unsafe"

// WinogradTiles are the tiles by which Winograd's algorithm computes a convolution: T outputs along each dimension in which the
// window has three taps. With dilation d every d-th pixel of a dimension belongs to one tile, so that a tile reads and writes
// pixels that are d apart.
type WinogradTiles struct {
	T         int // outputs of a tile along a dimension
	Count     int // tiles of all images
	in, out   [3]winogradLine
	inPixels  int // of an image
	outPixels int
}

// winogradLine are the places of the pixels of tiles along one dimension, each many for every tile, counted in pixels of the
// image; -1 is outside.
type winogradLine struct {
	each int
	at   []int
}

// WinogradDims returns along how many dimensions the window of a convolution has the three taps of Winograd's algorithm, and 0 where
// it is none for it.
func WinogradDims(w *Window) int {
	dims := 0
	for d, taps := range w.Kernel {
		if w.Stride[d] != 1 || taps != 1 && taps != 3 {
			return 0
		}
		if taps == 3 {
			dims++
		}
	}
	return dims
}

// NewWinogradTiles returns the tiles of T outputs of a window with WinogradDims.
func NewWinogradTiles(w *Window, t int) *WinogradTiles {
	tiles := &WinogradTiles{T: t, Count: w.Batch, inPixels: w.In[0] * w.In[1] * w.In[2], outPixels: w.Out[0] * w.Out[1] * w.Out[2]}
	inStride, outStride := 1, 1
	for d := 2; d >= 0; d-- {
		outputs, dilation := 1, 1
		if w.Kernel[d] == 3 {
			outputs, dilation = t, w.Dilation[d]
		}
		in, out := &tiles.in[d], &tiles.out[d]
		in.each, out.each = outputs+w.Kernel[d]-1, outputs
		for first := range min(dilation, w.Out[d]) {
			for o := first; o < w.Out[d]; o += dilation * outputs {
				in.append(o-w.Pad[d], dilation, w.In[d], inStride)
				out.append(o, dilation, w.Out[d], outStride)
			}
		}
		tiles.Count *= len(out.at) / outputs
		inStride *= w.In[d]
		outStride *= w.Out[d]
	}
	return tiles
}

// append adds the pixels of a tile, from one on and step apart, of a dimension of some extent.
func (l *winogradLine) append(from, step, extent, stride int) {
	for i := range l.each {
		at := -1
		if p := from + i*step; uint(p) < uint(extent) {
			at = p * stride
		}
		l.at = append(l.at, at)
	}
}

// Inputs sets pointers to the pixels that the tiles from first on read, by rows; those in the padding point to pad.
func (t *WinogradTiles) Inputs(to []unsafe.Pointer, first int, input, pad unsafe.Pointer, pixelBytes int) {
	point(to, &t.in, first, input, pad, t.inPixels, pixelBytes)
}

// Outputs sets pointers to the pixels that the tiles from first on write, by rows; what is none of the output's points to outside.
func (t *WinogradTiles) Outputs(to []unsafe.Pointer, first int, output, outside unsafe.Pointer, pixelBytes int) {
	point(to, &t.out, first, output, outside, t.outPixels, pixelBytes)
}

func point(to []unsafe.Pointer, lines *[3]winogradLine, tile int, base, outside unsafe.Pointer, imagePixels, pixelBytes int) {
	z, y, x := &lines[0], &lines[1], &lines[2]
	planes, rows, columns := len(z.at)/z.each, len(y.at)/y.each, len(x.at)/x.each
	for ; len(to) > 0; tile++ {
		image := unsafe.Add(base, tile/(columns*rows*planes)*imagePixels*pixelBytes)
		row := x.at[tile%columns*x.each:][:x.each]
		for _, atZ := range z.at[tile/(columns*rows)%planes*z.each:][:z.each] {
			for _, atY := range y.at[tile/columns%rows*y.each:][:y.each] {
				line := to[:len(row)]
				to = to[len(row):]
				for i, atX := range row {
					line[i] = outside
					if atZ >= 0 && atY >= 0 && atX >= 0 {
						line[i] = unsafe.Add(image, (atZ+atY+atX)*pixelBytes)
					}
				}
			}
		}
	}
}

// LiveTaps returns the share of the taps of all outputs that lie in the image.
func (w *Window) LiveTaps() float64 {
	share := 1.0
	for d := range 3 {
		live := 0
		for o := range w.Out[d] {
			for k := range w.Kernel[d] {
				if at := o*w.Stride[d] - w.Pad[d] + k*w.Dilation[d]; uint(at) < uint(w.In[d]) {
					live++
				}
			}
		}
		share *= float64(live) / float64(max(w.Out[d]*w.Kernel[d], 1))
	}
	return share
}
