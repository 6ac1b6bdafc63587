package ops

import (
	"unsafe"

	"github.com/octet-ml/octet/tensor"
)

// Window is the geometry of a convolution or pooling over one to three spatial
// dimensions, filled up in front to three (depth, height, width) with extents of 1.
type Window struct {
	Batch    int
	In, Out  [3]int // spatial extents
	Kernel   [3]int
	Stride   [3]int
	Dilation [3]int
	Pad      [3]int // before; what lies beyond the end is padding as well
}

// WindowParams are a window's attributes as operators carry them: one entry per
// spatial dimension.
type WindowParams struct {
	Kernel, Stride, Padding, Dilation []int
	CeilMode                          bool
}

// NewWindow checks the parameters against the spatial extents and computes the
// output's, as torch.nn.functional's conv and pool functions do:
// (in + 2*pad - dilation*(kernel-1) - 1) / stride + 1, rounded down or, with
// CeilMode, up as long as the last window starts inside the input or its left padding.
func NewWindow(batch int, spatial []int, p WindowParams) (*Window, string) {
	n := len(spatial)
	if n < 1 || n > 3 {
		return nil, "it works on one to three spatial dimensions"
	}
	if len(p.Kernel) != n || len(p.Stride) != n || len(p.Padding) != n || len(p.Dilation) != n {
		return nil, "kernel, stride, padding and dilation must have one entry per spatial dimension"
	}
	w := &Window{Batch: batch, In: [3]int{1, 1, 1}, Out: [3]int{1, 1, 1}, Kernel: [3]int{1, 1, 1}, Stride: [3]int{1, 1, 1}, Dilation: [3]int{1, 1, 1}}
	// Kernels keep something for each position, so their number is bounded.
	const maxTaps = 1 << 20
	taps := 1
	for i := range n {
		d := 3 - n + i
		in, k, s, pad, dil := spatial[i], p.Kernel[i], p.Stride[i], p.Padding[i], p.Dilation[i]
		const limit = 1 << 30
		if k < 1 || s < 1 || dil < 1 || pad < 0 || k > limit || s > limit || dil > limit/k || pad > limit || in > limit {
			return nil, "kernel, stride and dilation must be at least 1, padding at least 0, all below 2^30"
		}
		span := in + 2*pad - dil*(k-1) - 1
		out := span/s + 1
		switch {
		case p.CeilMode && span < 0 && span > -s:
			out = 1       // of a window that is cut off
			if dil == 1 { // its rest, far larger than the image in models for any size, takes no part
				k = in + 2*pad
			}
		case span < 0:
			return nil, "the kernel is larger than the padded input"
		case p.CeilMode && span%s != 0 && out*s < in+pad:
			out++
		}
		w.In[d], w.Out[d], w.Kernel[d], w.Stride[d], w.Dilation[d], w.Pad[d] = in, out, k, s, dil, pad
		if taps *= k; taps > maxTaps {
			return nil, "the kernel has more than 2^20 positions"
		}
	}
	return w, ""
}

// Taps returns the number of kernel positions.
func (w *Window) Taps() int { return w.Kernel[0] * w.Kernel[1] * w.Kernel[2] }

// Pixels returns the number of output pixels of the whole batch.
func (w *Window) Pixels() int { return w.Batch * w.Out[0] * w.Out[1] * w.Out[2] }

// IsPointwise reports whether output pixel i reads just input pixel i.
func (w *Window) IsPointwise() bool {
	return w.Taps() == 1 && w.Stride == [3]int{1, 1, 1} && w.Pad == [3]int{} && w.In == w.Out
}

// OutSpatial returns the last n output extents.
func (w *Window) OutSpatial(n int) []int { return w.Out[3-n:] }

// pixel is a position in the output.
type pixel struct {
	n, z, y, x int
}

func (w *Window) pixel(i int) pixel {
	var p pixel
	p.x = i % w.Out[2]
	i /= w.Out[2]
	p.y = i % w.Out[1]
	i /= w.Out[1]
	p.z = i % w.Out[0]
	p.n = i / w.Out[0]
	return p
}

func (w *Window) advance(p *pixel) {
	p.x++
	if p.x < w.Out[2] {
		return
	}
	p.x = 0
	p.y++
	if p.y < w.Out[1] {
		return
	}
	p.y = 0
	p.z++
	if p.z == w.Out[0] {
		p.z = 0
		p.n++
	}
}

// Source returns the input pixel, counted within its sample, under a tap of
// output pixel i, and -1 in the padding.
func (w *Window) Source(i, tap int) int {
	p := w.pixel(i)
	at := [3]int{p.z, p.y, p.x}
	index := 0
	offset := [3]int{tap / (w.Kernel[1] * w.Kernel[2]), tap / w.Kernel[2] % w.Kernel[1], tap % w.Kernel[2]}
	for d := range at {
		k := at[d]*w.Stride[d] - w.Pad[d] + offset[d]*w.Dilation[d]
		if k < 0 || k >= w.In[d] {
			return -1
		}
		index = index*w.In[d] + k
	}
	return index
}

// Indirection turns output pixels into pointers to the input pixels under the
// kernel's taps, for inputs with the channels last.
type Indirection struct {
	w      Window
	stride int   // bytes of one pixel
	delta  []int // byte offset of each tap from the first
}

// NewIndirection prepares the pointers for pixels of the given size in bytes.
//
//go:noinline
func NewIndirection(w *Window, pixelBytes int) *Indirection {
	ind := &Indirection{w: *w, stride: pixelBytes}
	for z := range w.Kernel[0] {
		for y := range w.Kernel[1] {
			for x := range w.Kernel[2] {
				ind.delta = append(ind.delta, pixelBytes*((z*w.Dilation[0]*w.In[1]+y*w.Dilation[1])*w.In[2]+x*w.Dilation[2]))
			}
		}
	}
	return ind
}

// Fill writes the pointers of count pixels from first on: tap s of pixel m goes
// to dst[s*tapStep+m*pixelStep]. Pixels from count up to rows repeat the last
// one. Taps outside the image point at pad.
func (ind *Indirection) Fill(dst []unsafe.Pointer, tapStep, pixelStep, rows int, input, pad unsafe.Pointer, first, count int) {
	w := &ind.w
	p := w.pixel(first)
	for m := range rows {
		if m >= count {
			for s := range ind.delta {
				dst[s*tapStep+m*pixelStep] = dst[s*tapStep+(m-1)*pixelStep]
			}
			continue
		}
		if m > 0 {
			w.advance(&p)
		}
		z, y, x := p.z*w.Stride[0]-w.Pad[0], p.y*w.Stride[1]-w.Pad[1], p.x*w.Stride[2]-w.Pad[2]
		at := ind.stride * (((p.n*w.In[0]+z)*w.In[1]+y)*w.In[2] + x)
		if z >= 0 && y >= 0 && x >= 0 &&
			z+(w.Kernel[0]-1)*w.Dilation[0] < w.In[0] && y+(w.Kernel[1]-1)*w.Dilation[1] < w.In[1] && x+(w.Kernel[2]-1)*w.Dilation[2] < w.In[2] {
			i := m * pixelStep
			for _, d := range ind.delta {
				dst[i] = unsafe.Add(input, at+d)
				i += tapStep
			}
			continue
		}
		s := 0
		for kz := range w.Kernel[0] {
			for ky := range w.Kernel[1] {
				for kx := range w.Kernel[2] {
					i := s*tapStep + m*pixelStep
					if uint(z+kz*w.Dilation[0]) < uint(w.In[0]) && uint(y+ky*w.Dilation[1]) < uint(w.In[1]) && uint(x+kx*w.Dilation[2]) < uint(w.In[2]) {
						dst[i] = unsafe.Add(input, at+ind.delta[s])
					} else {
						dst[i] = pad
					}
					s++
				}
			}
		}
	}
}

// Gather copies the taps of m pixels from first on into rows of rowBytes. Of each
// tap tapBytes are copied. Taps outside the image are copied from pad, which holds a row of the kernel.
func (ind *Indirection) Gather(rows unsafe.Pointer, m, tapBytes, rowBytes int, input, pad unsafe.Pointer, first int) {
	w := &ind.w
	p := w.pixel(first)
	kw := w.Kernel[2]
	joined := w.Dilation[2] == 1 && tapBytes == ind.stride
	for r := range m {
		if r > 0 {
			w.advance(&p)
		}
		dst := unsafe.Add(rows, r*rowBytes)
		z0, y0, x0 := p.z*w.Stride[0]-w.Pad[0], p.y*w.Stride[1]-w.Pad[1], p.x*w.Stride[2]-w.Pad[2]
		for kz := range w.Kernel[0] {
			z := z0 + kz*w.Dilation[0]
			for ky := range w.Kernel[1] {
				y := y0 + ky*w.Dilation[1]
				if uint(z) >= uint(w.In[0]) || uint(y) >= uint(w.In[1]) {
					copyBytes(dst, pad, kw*tapBytes)
					dst = unsafe.Add(dst, kw*tapBytes)
					continue
				}
				row := ((p.n*w.In[0]+z)*w.In[1] + y) * w.In[2]
				if joined {
					left := min(max(-x0, 0), kw)
					right := max(min(w.In[2]-x0, kw), left)
					copyBytes(dst, pad, left*tapBytes)
					if left < right { // else there is no such place in the image
						copyBytes(unsafe.Add(dst, left*tapBytes), unsafe.Add(input, ind.stride*(row+x0+left)), (right-left)*tapBytes)
					}
					copyBytes(unsafe.Add(dst, right*tapBytes), pad, (kw-right)*tapBytes)
					dst = unsafe.Add(dst, kw*tapBytes)
					continue
				}
				for kx := range kw {
					src := pad
					if x := x0 + kx*w.Dilation[2]; uint(x) < uint(w.In[2]) {
						src = unsafe.Add(input, ind.stride*(row+x))
					}
					copyBytes(dst, src, tapBytes)
					dst = unsafe.Add(dst, tapBytes)
				}
			}
		}
	}
}

func copyBytes(dst, src unsafe.Pointer, n int) {
	if n > 0 {
		copy(unsafe.Slice((*byte)(dst), n), unsafe.Slice((*byte)(src), n))
	}
}

// count returns the number of taps of pixel i that lie inside the input with a
// border of pad on each side. Dilation is not looked at: poolings that count have none.
func (w *Window) count(i int, pad [3]int) int {
	p := w.pixel(i)
	at := [3]int{p.z, p.y, p.x}
	n := 1
	for d := range at {
		start := at[d]*w.Stride[d] - w.Pad[d]
		n *= max(min(start+w.Kernel[d], w.In[d]+pad[d])-max(start, -pad[d]), 0)
	}
	return n
}

// SpatialOf splits the shape of an image value into batch, channels and
// spatial extents, for channels second or last.
//
//go:noinline
func SpatialOf(s tensor.Shape, channelsLast bool) (batch, channels int, spatial []int) {
	if channelsLast {
		return s[0], s[len(s)-1], s[1 : len(s)-1]
	}
	return s[0], s[1], s[2:]
}

// imageShape is the inverse of SpatialOf.
//
//go:noinline
func imageShape(batch, channels int, spatial []int, channelsLast bool) tensor.Shape {
	s := make(tensor.Shape, 0, len(spatial)+2)
	s = append(s, batch)
	if !channelsLast {
		s = append(s, channels)
	}
	s = append(s, spatial...)
	if channelsLast {
		s = append(s, channels)
	}
	return s
}
