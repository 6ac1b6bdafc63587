package aten

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Complex numbers are pairs of float32 or float64 in a last dimension that programs do not
// see; what front ends of audio models do with them is here.
var fourier = []operator{
	{"aten::stft", "self:T n_fft:i hop_length:i?=None win_length:i?=None window:T?=None normalized:b=False onesided:b?=None return_complex:b?=None align_to_window:b?=None", unaligned(8, stft)},
	{"aten::stft", "self:T n_fft:i hop_length:i? win_length:i? window:T? center:b pad_mode:s normalized:b onesided:b? return_complex:b?=None align_to_window:b?=None", unaligned(10, stftCentered)},
	{"aten::fft_rfft", "self:T n:i?=None dim:i=-1 norm:s?=None", rfft},
	{"aten::fft_irfft", "self:T n:i?=None dim:i=-1 norm:s?=None", irfft},
	{"aten::istft", "self:T n_fft:i hop_length:i?=None win_length:i?=None window:T?=None center:b=True normalized:b=False onesided:b?=None length:i?=None return_complex:b=False", istft},
	{"aten::view_as_real", "self:T", viewAsReal},
	{"aten::view_as_complex", "self:T", viewAsComplex},
	{"aten::complex", "real:T imag:T", complexOf},
	{"aten::real", "self:T", part(0)},
	{"aten::imag", "self:T", part(1)},
	{"aten::conj", "self:T", conj},
	{"aten::angle", "self:T", angle},
	{"aten::is_complex", "self:T", func(c *call) Value { return c.tensor(0).Complex }},
}

// asComplex makes pairs complex numbers.
func asComplex(t *build.Tensor) *build.Tensor {
	t = build.Alias(t)
	t.Complex = true
	return t
}

// pairs returns complex numbers as pairs.
func pairs(t *build.Tensor) *build.Tensor {
	t = build.Alias(t)
	t.Complex = false
	return t
}

func stft(c *call) Value {
	return c.stft(c.tensor(0), c.bool(5), c.isNone(6) || c.bool(6), !c.isNone(7) && c.bool(7))
}

// unaligned refuses frames that begin with the window, which argument i asks for.
func unaligned(i int, lower func(*call) Value) func(*call) Value {
	return func(c *call) Value {
		if !c.isNone(i) && c.bool(i) {
			return c.unsupported("with align_to_window")
		}
		return lower(c)
	}
}

// stftCentered pads so that the first frame is centered on the first value.
func stftCentered(c *call) Value {
	x := c.tensor(0)
	if x.Rank() < 1 {
		return c.fail("a tensor without dimensions")
	}
	if c.bool(5) {
		half := c.int(1) / 2
		fn, ok := map[string]ops.PadFn{"reflect": ops.Reflect, "replicate": ops.Replicate, "circular": ops.Circular}[c.string(6)]
		before := make([]int, x.Rank())
		before[x.Rank()-1] = half
		switch {
		case ok:
			x = c.apply(ops.PadMode{Fn: fn, Before: before, After: before}, x)
		case c.string(6) == "constant":
			x = c.apply(ops.Pad{Before: before, After: before}, x)
		default:
			return c.fail("unknown padding %q", c.string(6))
		}
	}
	return c.stft(x, c.bool(7), c.isNone(8) || c.bool(8), !c.isNone(9) && c.bool(9))
}

// stft transforms frames, with the other parameters at their places.
func (c *call) stft(x *build.Tensor, normalized, oneSided, complex bool) Value {
	n := c.int(1)
	hop := c.intOr(2, n/4)
	length := c.intOr(3, n)
	if n < 1 || length < 1 || length > n || n > maxComputed {
		return c.fail("frames of %d and a window of %d", n, length)
	}
	window := c.tensor(4)
	if window == nil {
		window = c.emit(ops.Full{Shape: []int{length}, Value: 1, DType: x.DType()})[0]
	}
	if left := (n - length) / 2; length < n { // the window lies in the middle of the frame
		window = c.apply(ops.Pad{Before: []int{left}, After: []int{n - length - left}}, window)
	}
	var y *build.Tensor
	if op := (ops.STFT{Hop: hop, OneSided: oneSided, Normalized: normalized}); x.DType() == tensor.Float64 {
		y = c.stftDouble(op, x, window)
	} else {
		y = c.apply(op, x, window)
	}
	if complex {
		y = asComplex(y)
	}
	return y
}

func rfft(c *call) Value {
	x := c.tensor(0)
	axis := c.axis(2, x.Rank())
	if x.Rank() < 1 {
		return c.fail("a tensor without dimensions")
	}
	if x.DType() != tensor.Float64 {
		x = c.cast(x, tensor.Float32)
	}
	n := c.extent(x, axis)
	if want := c.intOr(1, n); want != n {
		if want < 1 {
			return c.fail("%d values", want)
		}
		after := make([]int, x.Rank())
		after[axis] = want - n
		x = c.apply(ops.Pad{Before: make([]int, x.Rank()), After: after}, x)
		n = want
	}
	if c.err != nil {
		return nil
	}
	order := identityOrder(x.Rank())
	last := len(order) - 1
	order[axis], order[last] = order[last], order[axis]
	if axis != last {
		x = c.apply(ops.Permute{Order: order}, x)
	}
	var y *build.Tensor
	if x.DType() == tensor.Float64 {
		y = c.transformDouble(x, n, n/2+1, 1)
	} else {
		y = c.apply(ops.RFFT{}, x)
	}
	scale := 1.0
	switch c.string(3) {
	case "ortho":
		scale = 1 / math.Sqrt(float64(n))
	case "forward":
		scale = 1 / float64(n)
	}
	if scale != 1 {
		y = c.arithNumber(ops.Mul, y, scale)
	}
	y = asComplex(y)
	if axis != last {
		return c.permuted(y, order)
	}
	return y
}

// transformDouble multiplies the last dimension, of n float64 values, by the matrix of the discrete Fourier transform
// of the given frequencies, times scale: [..., n] gives [..., frequencies, 2].
func (c *call) transformDouble(x *build.Tensor, n, frequencies int, scale float64) *build.Tensor {
	if n < 1 || n > maxInverse {
		c.unsupported("of %d float64 values", n)
		return c.anything()
	}
	matrix := make([]float64, n*2*frequencies)
	for i := range n {
		for f := range frequencies {
			sin, cos := math.Sincos(2 * math.Pi * float64(f*i%n) / float64(n))
			at := 2 * (i*frequencies + f)
			matrix[at], matrix[at+1] = scale*cos, -scale*sin
		}
	}
	y := c.matmul(x, c.constOf(matrix, tensor.Float64, n, 2*frequencies))
	dims := c.Dims(x)
	return c.reshape(y, append(slices.Clone(dims[:len(dims)-1]), build.Extent(frequencies), build.Extent(2)))
}

// stftDouble is the operator for float64 signals [..., T].
func (c *call) stftDouble(op ops.STFT, x, window *build.Tensor) *build.Tensor {
	if !c.takesSingle(op, []*build.Tensor{x, window}) {
		return c.anything()
	}
	n, scale := c.extent(window, 0), 1.0
	frequencies := n
	if op.OneSided {
		frequencies = n/2 + 1
	}
	if op.Normalized {
		scale = 1 / math.Sqrt(float64(n))
	}
	frames := c.apply(ops.Windows{Axis: x.Rank() - 1, Size: n, Step: op.Hop}, x)
	y := c.transformDouble(c.arith(ops.Mul, frames, window), n, frequencies, scale)
	order := identityOrder(y.Rank()) // [..., frames, F, 2] to [..., F, frames, 2]
	k := len(order) - 3
	order[k], order[k+1] = k+1, k
	return c.apply(ops.Permute{Order: order}, y)
}

func viewAsReal(c *call) Value {
	if !c.tensor(0).Complex {
		return c.fail("the numbers are real")
	}
	return pairs(c.tensor(0))
}

func viewAsComplex(c *call) Value {
	x := c.tensor(0)
	if x.Rank() < 1 || c.extent(x, x.Rank()-1) != 2 || !singleOrDouble(x) {
		return c.fail("a tensor of shape %v", x.Type().Shape)
	}
	return asComplex(x)
}

func complexOf(c *call) Value {
	return asComplex(c.apply(ops.Stack{Axis: -1}, c.tensor(0), c.tensor(1)))
}

// partOf returns the real or the imaginary parts.
func (c *call) partOf(t *build.Tensor, i int) *build.Tensor {
	p := pairs(t)
	return c.selected(p, p.Rank()-1, build.Extent(i))
}

func part(i int) func(*call) Value {
	return func(c *call) Value {
		t := c.tensor(0)
		if !t.Complex {
			if i == 0 {
				return build.Alias(t)
			}
			return c.fail("the numbers are real")
		}
		return c.partOf(t, i)
	}
}

func conj(c *call) Value {
	t := c.tensor(0)
	if !t.Complex {
		return build.Alias(t)
	}
	return asComplex(c.apply(ops.Stack{Axis: -1}, c.partOf(t, 0), c.apply(ops.Unary{Fn: ops.Neg}, c.partOf(t, 1))))
}

func angle(c *call) Value {
	t := c.tensor(0)
	if !t.Complex {
		return c.unsupported("of real numbers")
	}
	return c.apply(ops.Binary{Fn: ops.Atan2}, c.partOf(t, 1), c.partOf(t, 0))
}

// complexAbs is the absolute value.
func (c *call) complexAbs(t *build.Tensor) *build.Tensor {
	return c.apply(ops.Reduce{Fn: ops.Norm, P: 2, Axes: []int{-1}}, pairs(t))
}

// complexShaped is shaped of complex numbers.
func (c *call) complexShaped(t *build.Tensor, to []*build.Number) *build.Tensor {
	return asComplex(c.shaped(pairs(t), append(slices.Clone(to), build.Extent(2))))
}

// maxInverse bounds the frames of the inverse transform, whose matrix has as many
// columns as a frame has values, and rows.
const maxInverse = 2048

// inverse returns the n real values whose transform starts with the complex
// numbers of the last dimension, divided by n: [..., F] gives [..., n]. As in
// torch.fft.irfft the imaginary parts of the first, and of the middle frequency, do not count.
func (c *call) inverse(x *build.Tensor, n int) *build.Tensor {
	frequencies := c.extent(x, x.Rank()-1)
	if n < 1 || n > maxInverse || frequencies < 1 {
		c.unsupported("of %d frequencies to %d values", frequencies, n)
		return c.anything()
	}
	matrix := make([]float64, 2*frequencies*n)
	for f := range min(frequencies, n/2+1) {
		weight := 2 / float64(n)
		if f == 0 || 2*f == n {
			weight = 1 / float64(n)
		}
		for i := range n {
			sin, cos := math.Sincos(2 * math.Pi * float64(f*i%n) / float64(n))
			matrix[2*f*n+i] = weight * cos
			if f > 0 && 2*f != n {
				matrix[(2*f+1)*n+i] = -weight * sin
			}
		}
	}
	flat := slices.Clone(c.Dims(x))
	flat[len(flat)-1] = build.Extent(2 * frequencies)
	return c.matmul(c.reshape(pairs(x), flat), c.constOf(matrix, x.DType(), 2*frequencies, n))
}

func irfft(c *call) Value {
	x := c.tensor(0)
	if !x.Complex || x.Rank() < 1 {
		return c.unsupported("of real numbers")
	}
	axis := c.axis(2, x.Rank())
	n := c.intOr(1, 2*(c.extent(x, axis)-1))
	order := identityOrder(x.Rank())
	last := len(order) - 1
	order[axis], order[last] = order[last], order[axis]
	y := c.inverse(c.permuted(x, order), n)
	switch c.string(3) {
	case "ortho":
		y = c.arithNumber(ops.Mul, y, math.Sqrt(float64(n)))
	case "forward":
		y = c.arithNumber(ops.Mul, y, float64(n))
	}
	if c.err != nil {
		return nil
	}
	return c.permuted(y, order)
}

// istft adds the frames of an inverse transform where they overlap, and divides
// by what their windows add up to, as torch.istft does.
func istft(c *call) Value {
	x, n := c.tensor(0), c.int(1)
	hop, length := c.intOr(2, n/4), c.intOr(3, n)
	if !x.Complex || x.Rank() < 2 || x.Rank() > 3 || c.bool(9) || !c.isNone(7) && !c.bool(7) {
		return c.unsupported("of two-sided or real spectra, or to complex numbers")
	}
	if n < 1 || n > maxInverse || hop < 1 || length < 1 || length > n {
		return c.fail("frames of %d, %d apart, and a window of %d", n, hop, length)
	}
	window := c.tensor(4)
	if window == nil {
		window = c.emit(ops.Full{Shape: []int{length}, Value: 1, DType: x.DType()})[0]
	}
	if left := (n - length) / 2; length < n {
		window = c.apply(ops.Pad{Before: []int{left}, After: []int{n - length - left}}, window)
	}
	single := x.Rank() == 2
	order := []int{0, 2, 1}
	if single {
		order = []int{1, 0}
	}
	frames := c.arith(ops.Mul, c.inverse(c.permuted(x, order), n), window) // [B, T, n]
	if c.bool(6) {
		frames = c.arithNumber(ops.Mul, frames, math.Sqrt(float64(n)))
	}
	if c.err != nil {
		return nil
	}
	if single {
		frames = c.reshape(frames, append([]*build.Number{build.Extent(1)}, c.Dims(frames)...))
	}
	count := c.extent(frames, 1)
	if count < 1 || count > maxComputed {
		return c.fail("%d frames", count)
	}
	whole := n + hop*(count-1)
	add := func(frames *build.Tensor) *build.Tensor { // [B, T, n] to [B, whole]
		fold := ops.Fold{Size: []int{1, whole}, Kernel: []int{1, n}, Stride: []int{1, hop}, Padding: []int{0, 0}, Dilation: []int{1, 1}}
		return c.apply(ops.Flatten{Start: 1, End: -1}, c.apply(fold, c.apply(ops.Permute{Order: []int{0, 2, 1}}, frames)))
	}
	weight := c.expand(c.apply(ops.Unary{Fn: ops.Square}, window), []*build.Number{build.Extent(1), build.Extent(count), build.Extent(n)})
	start, end := 0, whole
	if c.bool(5) {
		start, end = n/2, whole-n/2
	}
	if !c.isNone(8) {
		end = start + c.int(8)
	}
	if start >= end || end > whole {
		return c.unsupported("of values %d to %d of %d", start, end, whole)
	}
	// What lies outside may have no weight, and so neither a value nor a gradient.
	inside := ops.Slice{Axis: 1, Start: start, End: end, Step: 1}
	y := c.arith(ops.Div, c.apply(inside, add(frames)), c.apply(inside, add(weight)))
	if single && c.err == nil {
		return c.reshape(y, c.Dims(y)[1:])
	}
	return y
}
