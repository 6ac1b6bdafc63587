package aten

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// The functions of torch.fft, and what torch.export makes of them.
var transforms = []operator{
	{"aten::fft_fft", fftOne, transformed(forward, oneDimension)},
	{"aten::fft_ifft", fftOne, transformed(backward, oneDimension)},
	{"aten::fft_rfft", fftOne, transformed(forwardReal, oneDimension)},
	{"aten::fft_irfft", fftOne, transformed(backwardReal, oneDimension)},
	{"aten::fft_hfft", fftOne, hermitian(oneDimension)},
	{"aten::fft_ihfft", fftOne, inverseHermitian(oneDimension)},
	{"aten::fft_hfft2", fftTwo, hermitian(twoDimensions)},
	{"aten::fft_ihfft2", fftTwo, inverseHermitian(twoDimensions)},
	{"aten::fft_hfftn", fftMany, hermitian(allDimensions)},
	{"aten::fft_ihfftn", fftMany, inverseHermitian(allDimensions)},
	{"aten::fft_fft2", fftTwo, transformed(forward, twoDimensions)},
	{"aten::fft_ifft2", fftTwo, transformed(backward, twoDimensions)},
	{"aten::fft_rfft2", fftTwo, transformed(forwardReal, twoDimensions)},
	{"aten::fft_irfft2", fftTwo, transformed(backwardReal, twoDimensions)},
	{"aten::fft_fftn", fftMany, transformed(forward, allDimensions)},
	{"aten::fft_ifftn", fftMany, transformed(backward, allDimensions)},
	{"aten::fft_rfftn", fftMany, transformed(forwardReal, allDimensions)},
	{"aten::fft_irfftn", fftMany, transformed(backwardReal, allDimensions)},
	{"aten::fft_fftshift", "self:T dim:I?=None", shifted(false)},
	{"aten::fft_ifftshift", "self:T dim:I?=None", shifted(true)},
	{"aten::fft_fftfreq", fftFrequencies, frequencies(false)},
	{"aten::fft_rfftfreq", fftFrequencies, frequencies(true)},
	{"aten::_fft_c2c", "self:T dim:I normalization:i forward:b", complexToComplex},
	{"aten::_fft_r2c", "self:T dim:I normalization:i onesided:b", realToComplex},
	{"aten::_fft_c2r", "self:T dim:I normalization:i last_dim_size:i", complexToReal},
}

const (
	fftOne  = "self:T n:i?=None dim:i=-1 norm:s?=None"
	fftTwo  = "self:T s:I?=None dim:I?=None norm:s?=None" // without dim the last two
	fftMany = "self:T s:I?=None dim:I?=None norm:s?=None"
)

const fftFrequencies = "n:i d:f=1" + newTensor

// maxRealFFT is the longest transform of ops.RFFT.
const maxRealFFT = 4096

// fftKind is a kind of transform.
type fftKind struct {
	inverse bool
	real    bool // real values on the side of time
}

var (
	forward      = fftKind{}
	backward     = fftKind{inverse: true}
	forwardReal  = fftKind{real: true}
	backwardReal = fftKind{inverse: true, real: true}
)

// fftAxis is a dimension that is transformed, and the number of values to take from it, -1 for all that it has.
type fftAxis struct{ axis, size int }

// transformed lowers a function of torch.fft.
//
//go:noinline
func transformed(kind fftKind, dimensions func(c *call) []fftAxis) func(*call) Value {
	return func(c *call) Value {
		axes, norm := dimensions(c), c.fftNorm(3, kind.inverse)
		if c.Err() != nil {
			return nil
		}
		return c.transform(c.tensor(0), kind, axes, norm)
	}
}

func oneDimension(c *call) []fftAxis {
	t := c.tensor(0)
	if t.Rank() < 1 {
		c.fail("a tensor without dimensions")
		return nil
	}
	return c.sized([]fftAxis{{c.axis(2, t.Rank()), c.values(1)}})
}

// values returns how many values an argument says to transform, -1 of None.
func (c *call) values(i int) int {
	n := c.intOr(i, -1)
	if !c.isNone(i) && n < 1 {
		c.fail("a transform of %d values", n)
	}
	return n
}

func twoDimensions(c *call) []fftAxis {
	if c.isNone(2) {
		c.args[2] = &List{Items: []Value{int64(-2), int64(-1)}}
	}
	return allDimensions(c)
}

func allDimensions(c *call) []fftAxis {
	rank := c.tensor(0).Rank()
	var sizes, dims []int
	if !c.isNone(1) {
		sizes = c.ints(1)
	}
	switch {
	case !c.isNone(2):
		dims = c.axes(2, rank)
	case len(sizes) > rank:
		c.fail("%d lengths where the tensor has %d dimensions", len(sizes), rank)
	case sizes != nil:
		dims = identityOrder(rank)[rank-len(sizes):]
	default:
		dims = identityOrder(rank)
	}
	if sizes != nil && len(sizes) != len(dims) {
		c.fail("%d lengths of %d dimensions", len(sizes), len(dims))
	}
	if c.Err() != nil {
		return nil
	}
	axes := make([]fftAxis, len(dims))
	for i, d := range dims {
		axes[i] = fftAxis{d, -1}
		if sizes != nil {
			axes[i].size = sizes[i]
		}
	}
	return c.sized(axes)
}

// sized checks dimensions and lengths.
func (c *call) sized(axes []fftAxis) []fftAxis {
	for i, a := range axes {
		switch {
		case a.size < -1 || a.size == 0:
			c.fail("a transform of %d values", a.size)
		case a.size > maxComputed:
			c.unsupported("of %d values: at most %d are transformed", a.size, maxComputed)
		case slices.ContainsFunc(axes[:i], func(b fftAxis) bool { return a.axis == b.axis }):
			c.fail("dimension %d twice", a.axis)
		}
	}
	return axes
}

// fftNorm returns the normalization that argument i names.
func (c *call) fftNorm(i int, inverse bool) ops.FFTNorm {
	name := "backward"
	if !c.isNone(i) {
		name = c.string(i)
	}
	switch {
	case name == "ortho":
		return ops.FFTOrtho
	case name != "backward" && name != "forward":
		c.fail("unknown normalization %q", name)
	case (name == "forward") != inverse:
		return ops.FFTByN
	}
	return ops.FFTPlain
}

// transform transforms along some dimensions. Of real values it gives the half that says it all, in the last of the
// dimensions, and takes it back.
func (c *call) transform(t *build.Tensor, kind fftKind, axes []fftAxis, norm ops.FFTNorm) *build.Tensor {
	if kind.real && len(axes) == 0 {
		c.fail("a transform of real values along no dimension")
	}
	if !t.DType().IsFloat() {
		t = c.cast(t, tensor.Float32)
	}
	if c.Err() != nil {
		return c.anything()
	}
	switch {
	case kind == forwardReal:
		last := axes[len(axes)-1]
		if t.Complex {
			c.fail("the numbers are complex")
		}
		t, axes = c.realAlong(t, last, norm), axes[:len(axes)-1]
	case !t.Complex:
		t = c.toComplex(t)
	}
	op := ops.FFT{Inverse: kind.inverse, Norm: norm}
	for _, a := range axes {
		if kind == backwardReal && a == axes[len(axes)-1] {
			return c.inverseRealAlong(t, a, norm)
		}
		t = c.lastAxis(c.resized(t, a), a.axis, func(t *build.Tensor) *build.Tensor { return asComplex(c.apply(op, pairs(t))) })
	}
	return t
}

// lastAxis applies a function of the last dimension to another one.
func (c *call) lastAxis(t *build.Tensor, axis int, f func(*build.Tensor) *build.Tensor) *build.Tensor {
	last := t.Rank() - 1
	if c.Err() != nil {
		return c.anything()
	}
	if axis == last {
		return f(t)
	}
	order := identityOrder(t.Rank())
	order[axis], order[last] = last, axis
	y := f(c.permuted(t, order))
	if c.Err() != nil {
		return c.anything()
	}
	return c.permuted(y, order)
}

// resized takes as many values of a dimension as a transform is asked for, with zeros behind them.
func (c *call) resized(t *build.Tensor, a fftAxis) *build.Tensor {
	if a.size < 0 || c.Err() != nil {
		return t
	}
	n := c.extent(t, a.axis)
	if n == a.size || c.Err() != nil {
		return t
	}
	p := pairs(t)
	after := make([]int, p.Rank())
	after[a.axis] = a.size - n
	y := c.apply(ops.Pad{Before: make([]int, len(after)), After: after}, p)
	y.Complex = t.Complex
	return y
}

// realAlong transforms real values along a dimension and returns the first half and one.
func (c *call) realAlong(t *build.Tensor, a fftAxis, norm ops.FFTNorm) *build.Tensor {
	return c.lastAxis(c.resized(t, a), a.axis, func(t *build.Tensor) *build.Tensor {
		return c.realFFT(t, c.extent(t, t.Rank()-1)/2+1, norm)
	})
}

// realFFT returns the first frequencies of the transform of the last dimension of real values.
func (c *call) realFFT(t *build.Tensor, frequencies int, norm ops.FFTNorm) *build.Tensor {
	n := c.extent(t, t.Rank()-1)
	if t.DType() != tensor.Float32 || n > maxRealFFT || frequencies != n/2+1 {
		y := c.apply(ops.FFT{Norm: norm}, pairs(c.toComplex(t)))
		if frequencies != n && c.Err() == nil {
			y = c.apply(ops.Slice{Axis: y.Rank() - 2, End: frequencies, Step: 1}, y)
		}
		return asComplex(y)
	}
	y := c.apply(ops.RFFT{}, t)
	switch norm {
	case ops.FFTOrtho:
		y = c.arithNumber(ops.Mul, y, 1/math.Sqrt(float64(n)))
	case ops.FFTByN:
		y = c.arithNumber(ops.Mul, y, 1/float64(n))
	}
	return asComplex(y)
}

func (c *call) inverseRealAlong(t *build.Tensor, a fftAxis, norm ops.FFTNorm) *build.Tensor {
	return c.lastAxis(t, a.axis, func(t *build.Tensor) *build.Tensor {
		n := a.size
		if n < 0 {
			n = 2 * (c.extent(t, t.Rank()-1) - 1)
		}
		return c.inverseReal(t, n, norm)
	})
}

// inverseReal returns the n real values whose transform starts with the complex numbers of the last dimension: [..., F]
// gives [..., n]. The other half is the conjugate of this one, so each frequency that has a counterpart counts twice
// in the real part. As in torch.fft.irfft the imaginary parts of the first, and of the middle frequency, do not count.
func (c *call) inverseReal(t *build.Tensor, n int, norm ops.FFTNorm) *build.Tensor {
	if n < 1 || n > maxComputed {
		c.fail("a transform to %d values", n)
		return c.anything()
	}
	t = c.resized(t, fftAxis{t.Rank() - 1, n/2 + 1})
	if c.Err() != nil {
		return c.anything()
	}
	weights := make([]float64, n/2+1)
	for f := range weights {
		weights[f] = 2
		if f == 0 || 2*f == n {
			weights[f] = 1
		}
	}
	half := c.arith(ops.Mul, pairs(t), c.constOf(weights, t.DType(), len(weights), 1))
	whole := c.resized(asComplex(half), fftAxis{t.Rank() - 1, n})
	return c.partOf(asComplex(c.apply(ops.FFT{Inverse: true, Norm: norm}, pairs(whole))), 0)
}

// hermitian transforms the half of a signal that is its own conjugate, mirrored, to real frequencies.
//
//go:noinline
func hermitian(dimensions func(c *call) []fftAxis) func(*call) Value {
	return func(c *call) Value {
		axes, norm := dimensions(c), c.fftNorm(3, false)
		t := c.tensor(0)
		if c.Err() != nil {
			return nil
		}
		if t.Complex {
			t = c.conj(t)
		}
		return c.transform(t, backwardReal, axes, norm)
	}
}

//go:noinline
func inverseHermitian(dimensions func(c *call) []fftAxis) func(*call) Value {
	return func(c *call) Value {
		axes, norm := dimensions(c), c.fftNorm(3, true)
		if c.Err() != nil {
			return nil
		}
		y := c.transform(c.tensor(0), forwardReal, axes, norm)
		if c.Err() != nil {
			return nil
		}
		return c.conj(y)
	}
}

// frequencies are those of the values of a transform of n samples that are d apart: 0, 1 and so on, and with half false the negative ones, over n d.
//
//go:noinline
func frequencies(half bool) func(*call) Value {
	return func(c *call) Value {
		n, d := c.int(0), c.float(1)
		switch {
		case n < 1 || d == 0:
			return c.fail("the frequencies of %d samples %v apart", n, d)
		case n > maxComputed:
			return c.unsupported("of %d values: at most %d are computed", n, maxComputed)
		}
		values := make([]float64, 0, n)
		for i := range (n + 1) / 2 {
			values = append(values, float64(i)/(float64(n)*d))
		}
		if half && n%2 == 0 {
			values = append(values, float64(n/2)/(float64(n)*d))
		}
		if !half {
			for i := -(n / 2); i < 0; i++ {
				values = append(values, float64(i)/(float64(n)*d))
			}
		}
		return c.constOf(values, c.dtypeOr(2, defaultFloat), len(values))
	}
}

// shifted moves the frequency 0 to the middle, or back.
//
//go:noinline
func shifted(back bool) func(*call) Value {
	return func(c *call) Value {
		t := c.tensor(0)
		axes := identityOrder(t.Rank())
		if !c.isNone(1) {
			axes = c.axes(1, t.Rank())
		}
		shifts := make([]int, len(axes))
		for i, a := range axes {
			shifts[i] = c.extent(t, a) / 2
			if back {
				shifts[i] = -shifts[i]
			}
		}
		if c.Err() != nil {
			return nil
		}
		y := c.apply(ops.Roll{Shifts: shifts, Axes: axes}, pairs(t))
		y.Complex = t.Complex
		return y
	}
}

// storedFFT returns the dimensions and the normalization of an exported transform.
func (c *call) storedFFT() ([]fftAxis, ops.FFTNorm) {
	t := c.tensor(0)
	n := c.int(2)
	if n < 0 || n > 2 {
		c.fail("normalization %d", n)
		return nil, 0
	}
	var axes []fftAxis
	for _, a := range c.axes(1, t.Rank()) {
		axes = append(axes, fftAxis{a, -1})
	}
	return c.sized(axes), ops.FFTNorm(n)
}

func complexToComplex(c *call) Value {
	axes, norm := c.storedFFT()
	kind := fftKind{inverse: !c.bool(3)}
	if c.Err() != nil {
		return nil
	}
	if !c.tensor(0).Complex {
		return c.fail("the numbers are real")
	}
	return c.transform(c.tensor(0), kind, axes, norm)
}

func realToComplex(c *call) Value {
	axes, norm := c.storedFFT()
	oneSided := c.bool(3)
	switch {
	case c.Err() != nil:
		return nil
	case c.tensor(0).Complex:
		return c.fail("the numbers are complex")
	}
	return c.transform(c.tensor(0), fftKind{real: oneSided}, axes, norm)
}

func complexToReal(c *call) Value {
	axes, norm := c.storedFFT()
	if len(axes) > 0 {
		axes[len(axes)-1].size = c.values(3)
	}
	if axes = c.sized(axes); c.Err() != nil {
		return nil
	}
	return c.transform(c.tensor(0), backwardReal, axes, norm)
}
