package ops

import "unsafe"

// RowTaps turns rows of output pixels into pointers to the taps of each pixel,
// for depthwise convolutions. Where the geometry allows, the taps go column by
// column, so that neighbouring pixels share pointers.
type RowTaps struct {
	ind    *Indirection
	shared bool

	Step     int   // pointers from a pixel's first tap to that of the next
	Pointers int   // pointers of one row
	Order    []int // Order[s] is the kernel position of tap s
	Rows     int   // rows of the whole batch
	Pixels   int   // output pixels of a row
}

// NewRowTaps prepares the pointers for pixels of the given size in bytes.
func NewRowTaps(w *Window, pixelBytes int) *RowTaps {
	r := &RowTaps{ind: NewIndirection(w, pixelBytes), Rows: w.Batch * w.Out[0] * w.Out[1], Pixels: w.Out[2]}
	kh, kw := w.Kernel[1], w.Kernel[2]
	r.shared = w.Kernel[0] == 1 && w.Dilation[2] == 1 && w.Stride[2] <= kw
	if !r.shared {
		r.Step = w.Taps()
		r.Pointers = r.Pixels * r.Step
		for s := range w.Taps() {
			r.Order = append(r.Order, s)
		}
		return r
	}
	r.Step = kh * w.Stride[2]
	r.Pointers = (r.Pixels-1)*r.Step + kh*kw
	for x := range kw {
		for y := range kh {
			r.Order = append(r.Order, y*kw+x)
		}
	}
	return r
}

// Fill writes the pointers of an output row; taps outside the image point at pad.
func (r *RowTaps) Fill(dst []unsafe.Pointer, row int, input, pad unsafe.Pointer) {
	w := &r.ind.w
	if !r.shared {
		r.ind.Fill(dst, 1, r.Step, r.Pixels, input, pad, row*r.Pixels, r.Pixels)
		return
	}
	y := row % w.Out[1]
	z := row / w.Out[1] % w.Out[0]
	n := row / (w.Out[1] * w.Out[0])
	kh := w.Kernel[1]
	y0, x0 := y*w.Stride[1]-w.Pad[1], -w.Pad[2]
	z = z*w.Stride[0] - w.Pad[0]
	columns := r.Pointers / kh
	for ky := range kh {
		iy := y0 + ky*w.Dilation[1]
		inside := uint(iy) < uint(w.In[1]) && uint(z) < uint(w.In[0])
		at := r.ind.stride * (((n*w.In[0]+z)*w.In[1]+iy)*w.In[2] + x0)
		i := ky
		for x := x0; x < x0+columns; x++ {
			if inside && uint(x) < uint(w.In[2]) {
				dst[i] = unsafe.Add(input, at)
			} else {
				dst[i] = pad
			}
			at += r.ind.stride
			i += kh
		}
	}
}
