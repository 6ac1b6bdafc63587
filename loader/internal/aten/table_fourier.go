package aten

import (
	"math"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

var fourier = []operator{
	{"aten::stft", "self:T n_fft:i hop_length:i?=None win_length:i?=None window:T?=None normalized:b=False onesided:b?=None return_complex:b?=None align_to_window:b?=None", unaligned(8, stft)},
	{"aten::stft", "self:T n_fft:i hop_length:i? win_length:i? window:T? center:b pad_mode:s normalized:b onesided:b? return_complex:b?=None align_to_window:b?=None", unaligned(10, stftCentered)},
	{"aten::istft", "self:T n_fft:i hop_length:i?=None win_length:i?=None window:T?=None center:b=True normalized:b=False onesided:b?=None length:i?=None return_complex:b=False", istft},
}

func stft(c *call) Value {
	return c.stft(c.tensor(0), c.bool(5), c.isNone(6) || c.bool(6), !c.isNone(7) && c.bool(7))
}

// unaligned refuses frames that begin with the window, which argument i asks for.
//
//go:noinline
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
	frames := c.apply(ops.SlidingWindow{Axis: x.Rank() - 1, Size: n, Step: op.Hop}, x)
	y := pairs(c.realFFT(c.arith(ops.Mul, frames, window), frequencies, ops.FFTPlain))
	if scale != 1 {
		y = c.arithNumber(ops.Mul, y, scale)
	}
	order := identityOrder(y.Rank()) // [..., frames, F, 2] to [..., F, frames, 2]
	k := len(order) - 3
	order[k], order[k+1] = k+1, k
	return c.apply(ops.Permute{Order: order}, y)
}

// istft adds the frames of an inverse transform where they overlap, and divides
// by what their windows add up to, as torch.istft does.
func istft(c *call) Value {
	x, n := c.tensor(0), c.int(1)
	hop, length := c.intOr(2, n/4), c.intOr(3, n)
	if !x.Complex || x.Rank() < 2 || x.Rank() > 3 || c.bool(9) || !c.isNone(7) && !c.bool(7) {
		return c.unsupported("of two-sided or real spectra, or to complex numbers")
	}
	if n < 1 || n > maxComputed || hop < 1 || length < 1 || length > n {
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
	frames := c.arith(ops.Mul, c.inverseReal(c.permuted(x, order), n, ops.FFTByN), window) // [B, T, n]
	if c.bool(6) {
		frames = c.arithNumber(ops.Mul, frames, math.Sqrt(float64(n)))
	}
	if c.Err() != nil {
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
	if single && c.Err() == nil {
		return c.reshape(y, c.Dims(y)[1:])
	}
	return y
}
