package aten

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

const (
	integerRange = " quant_min:i quant_max:i dtype:i"
	tensorRange  = " quant_min:T quant_max:T dtype:i"
)

// decompositions quantize and dequantize in programs that PyTorch's PT2E flow
// quantized (torch.ao.quantization.fx._decomposed), between operators on floats.
var decompositions = []operator{
	{"quantized_decomposed::quantize_per_tensor", "input:T scale:f zero_point:i" + integerRange, quantizeDecomposed},
	{"quantized_decomposed::quantize_per_tensor", "input:T scale:T zero_point:T" + integerRange, quantizeDecomposed},
	{"quantized_decomposed::dequantize_per_tensor", "input:T scale:f zero_point:i" + integerRange + " | out_dtype:i?=None", dequantizeDecomposed},
	{"quantized_decomposed::dequantize_per_tensor", "input:T scale:T zero_point:T" + integerRange + " | out_dtype:i?=None", dequantizeDecomposed},
	{"quantized_decomposed::quantize_per_tensor", "input:T scale:T zero_point:T" + tensorRange, boundsOf(quantizeDecomposed)},
	{"quantized_decomposed::dequantize_per_tensor", "input:T scale:T zero_point:T" + tensorRange + " | out_dtype:i?=None", boundsOf(dequantizeDecomposed)},
	{"quantized_decomposed::quantize_per_channel", "input:T scales:T zero_points:T axis:i" + integerRange, quantizeChannels},
	{"quantized_decomposed::dequantize_per_channel", "input:T scales:T zero_points:T? axis:i" + integerRange + " | out_dtype:i?=None", dequantizeChannels},
	{"quantized_decomposed::fake_quant_per_channel", "input:T scales:T zero_points:T axis:i quant_min:i quant_max:i", fakeQuantizeChannels},
	{"quantized_decomposed::choose_qparams", "input:T quant_min:i quant_max:i eps:f dtype:i", chooseParams(false)},
	{"quantized_decomposed::choose_qparams_symmetric", "input:T quant_min:i quant_max:i eps:f dtype:i", chooseParams(true)},
	{"quantized_decomposed::convert_element_type", "input:T dtype:i", func(c *call) Value { return c.cast(c.tensor(0), torchDTypes[c.int(1)]) }},
}

// decomposed is what is known of quantized values besides their parameters.
type decomposed struct {
	weights map[*tensor.Tensor]*tensor.Tensor // int8 weights by their real values
	chosen  map[*graph.Value]choice           // what scales were chosen for, while the model runs
	dynamic map[*graph.Value]choice           // what was quantized so, by the integers and their real values
	tables  map[*graph.Value]table            // tables of integers by their real values
	taken   map[*graph.Node]string            // what nodes that take rows of integers stand for
}

// choice is a value for which scales are chosen while the model runs, and how.
type choice struct {
	from *graph.Value
	by   int8.InputRange
}

// table is a table [V, ...] of integers with a scale, and a zero point or none, for each row.
type table struct{ ints, scales, zeros *build.Tensor }

func newDecomposed() *decomposed {
	return &decomposed{
		weights: make(map[*tensor.Tensor]*tensor.Tensor), chosen: make(map[*graph.Value]choice), dynamic: make(map[*graph.Value]choice),
		tables: make(map[*graph.Value]table), taken: make(map[*graph.Node]string),
	}
}

// storedParams returns the parameters of 8-bit integers from lo to hi as kernels store them,
// in uint8: int8 ones are shifted by 128 with their zero points. It is nil where there are none.
func storedParams(d tensor.DType, scale float64, zero, lo, hi int) *tensor.QParams {
	switch d {
	case tensor.Int8:
		zero, lo, hi = zero+128, lo+128, hi+128
	case tensor.Uint8:
	default:
		return nil
	}
	if min(zero, lo, hi) < 0 || max(zero, lo, hi) > 255 {
		return nil
	}
	q := tensor.PerTensor(tensor.Uint8, float32(scale), int32(zero))
	q.Min, q.Max = int32(lo), int32(hi)
	if q.Validate(nil) != nil {
		return nil
	}
	return q
}

// givenParams returns the parameters in arguments 1 to 5 as kernels store them, nil
// where they have none for them or only the run knows them.
func (c *call) givenParams() *tensor.QParams {
	for _, i := range []int{1, 2} {
		if t, ok := c.args[i].(*build.Tensor); ok {
			if known := c.known(t); known == nil || known.Numel() != 1 {
				return nil
			}
		}
	}
	if c.Err() != nil {
		return nil
	}
	scale, zero := c.scaleAndZero(1)
	return storedParams(torchDTypes[c.int(5)], scale, zero, c.int(3), c.int(4))
}

// floatArg returns argument i, a number or a tensor, as float32.
func (c *call) floatArg(i int) *build.Tensor {
	if t, ok := c.args[i].(*build.Tensor); ok {
		return c.cast(t, tensor.Float32)
	}
	return build.Parameter("", tensor.Scalar(float32(c.float(i))))
}

// integers computes round(x/scale) + zero, clamped, in float32.
func (c *call) integers(x, scale, zero *build.Tensor, lo, hi int, d tensor.DType) *build.Tensor {
	q := c.arith(ops.Mul, c.cast(x, tensor.Float32), c.apply(ops.Unary{Fn: ops.Reciprocal}, scale))
	q = c.arith(ops.Add, c.apply(ops.Unary{Fn: ops.Round}, q), zero)
	return c.cast(c.apply(ops.Unary{Fn: ops.Clamp, Alpha: float64(lo), Beta: float64(hi)}, q), d)
}

// boundsOf lowers an operator whose bounds of the integers are tensors: constants.
//
//go:noinline
func boundsOf(lower func(*call) Value) func(*call) Value {
	return func(c *call) Value {
		for i := 3; i <= 4; i++ {
			known := c.known(c.tensor(i))
			if known == nil || known.Numel() != 1 {
				return c.unsupported("with bounds that only the run knows")
			}
			wide, err := known.Contiguous().To(tensor.Int64)
			if err != nil {
				return c.failed(err)
			}
			c.args[i] = wide.Contiguous().Int64s()[0]
		}
		return lower(c)
	}
}

func quantizeDecomposed(c *call) Value {
	x := c.tensor(0)
	if q := c.givenParams(); q != nil && c.known(x) == nil {
		return c.apply(int8.Quantize{Q: q}, c.cast(x, tensor.Float32))
	}
	out := c.integers(x, c.floatArg(1), c.floatArg(2), c.int(3), c.int(4), torchDTypes[c.int(5)])
	d := c.decomposed()
	if scale, ok := c.args[1].(*build.Tensor); ok {
		shift := 0
		if torchDTypes[c.int(5)] == tensor.Int8 {
			shift = 128
		}
		if by := d.chosen[c.read(scale)]; by.from == c.read(x) && by.by.Lo == int32(c.int(3)+shift) && by.by.Hi == int32(c.int(4)+shift) {
			d.dynamic[c.read(out)] = by
		}
	}
	return out
}

// realOf computes (q - zero) * scale in float32.
func (c *call) realOf(q, scale, zero *build.Tensor) *build.Tensor {
	y := c.cast(q, tensor.Float32)
	if zero != nil {
		y = c.arith(ops.Sub, y, zero)
	}
	return c.arith(ops.Mul, y, scale)
}

func dequantizeDecomposed(c *call) Value {
	x, out := c.tensor(0), c.dtypeOr(6, tensor.Float32)
	q := c.givenParams()
	if have := x.Type().Q; have != nil {
		if have.Equal(q) {
			return c.cast(c.apply(int8.Dequantize{}, x), out)
		}
		x = c.plainIntegers(x, torchDTypes[c.int(5)])
	}
	if w := c.known(x); w != nil && q != nil && w.DType() == tensor.Int8 {
		own := tensor.PerTensor(tensor.Int8, q.Scale[0], q.ZeroPoint[0]-128)
		return c.cast(c.realWeight(w, own), out)
	}
	y := c.realOf(x, c.floatArg(1), c.floatArg(2))
	d := c.decomposed()
	if by := d.dynamic[c.read(x)]; by.from != nil && d.chosen[c.read(c.floatOrigin(1))] == by {
		d.dynamic[c.read(y)] = by
	}
	return c.cast(y, out)
}

// floatOrigin returns argument i, a tensor, as it was given; a constant where it is a number.
func (c *call) floatOrigin(i int) *build.Tensor {
	if t, ok := c.args[i].(*build.Tensor); ok {
		return t
	}
	return c.anything()
}

// realWeight returns the real values of an int8 weight, and remembers the integers.
func (c *call) realWeight(w *tensor.Tensor, q *tensor.QParams) *build.Tensor {
	if err := q.Validate(w.Shape()); err != nil {
		c.failed(err)
		return c.anything()
	}
	w = w.Contiguous().WithQParams(q)
	f, err := w.Dequantize()
	if err != nil {
		c.failed(err)
		return c.anything()
	}
	c.decomposed().weights[f] = w
	return build.Parameter("", f)
}

// perChannel returns a vector of parameters as float32, to be broadcast along an axis.
func (c *call) perChannel(t *build.Tensor, axis, rank int) *build.Tensor {
	to := make([]*build.Number, rank)
	for i := range to {
		to[i] = build.Extent(1)
	}
	if axis < rank {
		to[axis] = c.length(t)
	}
	return c.reshape(c.cast(t, tensor.Float32), to)
}

func quantizeChannels(c *call) Value {
	x := c.tensor(0)
	axis := c.axis(3, x.Rank())
	return c.integers(x, c.perChannel(c.tensor(1), axis, x.Rank()), c.perChannel(c.tensor(2), axis, x.Rank()), c.int(4), c.int(5), torchDTypes[c.int(6)])
}

func dequantizeChannels(c *call) Value {
	x, scales := c.tensor(0), c.tensor(1)
	axis, out := c.axis(3, x.Rank()), c.dtypeOr(7, tensor.Float32)
	var zeros *build.Tensor
	if !c.isNone(2) {
		zeros = c.tensor(2)
	}
	var y *build.Tensor
	if q, w := c.channelParams(scales, zeros, axis), c.known(x); q != nil && w != nil && w.DType() == tensor.Int8 {
		y = c.realWeight(w, q)
	} else {
		each := zeros
		if zeros != nil {
			each = c.perChannel(zeros, axis, x.Rank())
		}
		y = c.realOf(x, c.perChannel(scales, axis, x.Rank()), each)
	}
	if axis == 0 && x.Rank() == 2 && c.Err() == nil {
		c.decomposed().tables[c.read(y)] = table{x, scales, zeros}
	}
	return c.cast(y, out)
}

// channelParams returns parameters of int8 weights, nil where only the run knows them.
func (c *call) channelParams(scales, zeros *build.Tensor, axis int) *tensor.QParams {
	known := c.known(scales)
	if known == nil {
		return nil
	}
	s, err := known.Contiguous().To(tensor.Float32)
	if err != nil {
		return nil
	}
	q := &tensor.QParams{DType: tensor.Int8, Scheme: tensor.PerChannelAffine, Axis: axis, Min: -128, Max: 127, Scale: slices.Clone(s.Contiguous().Float32s())}
	q.ZeroPoint = make([]int32, len(q.Scale))
	if zeros == nil {
		return q
	}
	if known = c.known(zeros); known == nil {
		return nil
	}
	z, err := known.Contiguous().To(tensor.Int32)
	if err != nil || z.Numel() != len(q.Scale) {
		return nil
	}
	q.ZeroPoint = slices.Clone(z.Contiguous().Int32s())
	return q
}

// chooseParams fits scale and zero point to the extremes of all values, as
// torch.ao.quantization.utils.determine_qparams does.
//
//go:noinline
func chooseParams(symmetric bool) func(*call) Value {
	return func(c *call) Value {
		x, lo, hi := c.tensor(0), c.float(1), c.float(2)
		f := c.reshape(c.cast(x, tensor.Float32), []*build.Number{build.Extent(-1)})
		least := c.apply(ops.Unary{Fn: ops.Clamp, Alpha: math.Inf(-1), Beta: 0}, c.apply(ops.Reduce{Fn: ops.AMin, Axes: []int{0}, KeepDims: true}, f))
		most := c.apply(ops.Unary{Fn: ops.ReLU}, c.apply(ops.Reduce{Fn: ops.AMax, Axes: []int{0}, KeepDims: true}, f))
		steps, span := hi-lo, c.arith(ops.Sub, most, least)
		if symmetric {
			steps, span = steps/2, c.arith(ops.Max, most, c.apply(ops.Unary{Fn: ops.Neg}, least))
		}
		scale := c.apply(ops.Unary{Fn: ops.Clamp, Alpha: c.float(3), Beta: math.Inf(1)}, c.arithNumber(ops.Div, span, steps))
		var zero *build.Tensor
		switch {
		case !symmetric:
			zero = c.apply(ops.Unary{Fn: ops.Round}, c.arith(ops.Div, least, scale))
			zero = c.arithNumber(ops.Add, c.apply(ops.Unary{Fn: ops.Neg}, zero), lo)
			zero = c.apply(ops.Unary{Fn: ops.Clamp, Alpha: lo, Beta: hi}, zero)
		case torchDTypes[c.int(4)] == tensor.Uint8:
			zero = c.arithNumber(ops.Add, c.arith(ops.Sub, scale, scale), 128.0)
		default:
			zero = c.arith(ops.Sub, scale, scale)
		}
		wide := c.cast(scale, tensor.Float64)
		if by, ok := c.inputRange(); ok && !symmetric { // for which there is no int8 kernel
			c.decomposed().chosen[c.read(wide)] = choice{c.read(x), by}
		}
		return &Tuple{Items: []Value{wide, c.cast(zero, tensor.Int64)}}
	}
}

// inputRange returns how choose_qparams chooses, of kinds that kernels know.
func (c *call) inputRange() (by int8.InputRange, ok bool) {
	lo, hi := c.int(1), c.int(2)
	if torchDTypes[c.int(4)] == tensor.Int8 {
		lo, hi = lo+128, hi+128
	}
	by = int8.InputRange{Rule: int8.WholeInputEps, Lo: int32(lo), Hi: int32(hi), Eps: c.float(3)}
	return by, lo >= 0 && hi <= math.MaxUint8 && lo < hi && by.Eps >= 0x1p-126
}

// plainIntegers returns the integers of a quantized value as a tensor of type d.
func (c *call) plainIntegers(x *build.Tensor, d tensor.DType) *build.Tensor {
	q := x.Type().Q
	zero := float64(q.ZeroPoint[0])
	if d == tensor.Int8 {
		zero -= 128
	}
	n := c.arithNumber(ops.Div, c.apply(int8.Dequantize{}, x), float64(q.Scale[0]))
	n = c.apply(ops.Unary{Fn: ops.Round}, n)
	return c.cast(c.arithNumber(ops.Add, n, zero), d)
}

// PlainIntegers returns the integers of a value that decomposed operators quantized, as
// a tensor of the type that they have in the file.
func (m *Evaluator) PlainIntegers(x *build.Tensor, d tensor.DType) (*build.Tensor, error) {
	c := m.newCall("quantized_decomposed::quantize_per_tensor", nil)
	y := c.plainIntegers(x, d)
	return y, c.Err()
}
