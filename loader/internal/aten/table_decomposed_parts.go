package aten

import (
	"math"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// partDecompositions are those with parameters for each row (a token), for each group of
// a row's columns, and those of tables whose rows are dequantized as they are taken. The
// latter are operators of ExecuTorch.
var partDecompositions = []operator{
	{"quantized_decomposed::choose_qparams_per_token", "input:T dtype:i", chooseTokensSymmetric},
	{"quantized_decomposed::choose_qparams_per_token_asymmetric", "input:T dtype:i", chooseTokens},
	{"quantized_decomposed::_choose_qparams_per_token_asymmetric_impl", "input:T dtype:i", chooseTokens},
	{"quantized_decomposed::quantize_per_token", "input:T scales:T zero_points:T" + integerRange, quantizeTokens},
	{"quantized_decomposed::dequantize_per_token", "input:T scales:T zero_points:T" + integerRange + " output_dtype:i", dequantizeTokens},
	{"quantized_decomposed::quantize_per_channel_group", "input:T scales:T zero_points:T" + integerRange + " group_size:i", quantizeGroups},
	{"quantized_decomposed::dequantize_per_channel_group", "input:T scales:T zero_points:T?" + integerRange + " group_size:i=128 output_dtype:i=6", dequantizeGroups},
	{"quantized_decomposed::embedding_byte", tableParams, rowsOfTable(1)},
	{"quantized_decomposed::embedding_4bit", tableParams, rowsOfTable(2)},
}

const tableParams = "weight:T weight_scales:T weight_zero_points:T? weight_quant_min:i weight_quant_max:i indices:T | dtype:i?=None"

// rowExtremes returns the least and the largest of each row and 0.
func (c *call) rowExtremes(x *build.Tensor) (least, most *build.Tensor) {
	axes := []int{x.Rank() - 1}
	least = c.apply(ops.Unary{Fn: ops.Clamp, Alpha: math.Inf(-1), Beta: 0}, c.apply(ops.Reduce{Fn: ops.AMin, Axes: axes, KeepDims: true}, x))
	most = c.apply(ops.Unary{Fn: ops.ReLU}, c.apply(ops.Reduce{Fn: ops.AMax, Axes: axes, KeepDims: true}, x))
	return least, most
}

// tokens returns argument 0, [..., N], as float32, and whether it may be quantized by rows.
func (c *call) tokens() (*build.Tensor, bool) {
	x := c.cast(c.tensor(0), tensor.Float32)
	if x.Rank() == 0 {
		c.fail("a tensor without dimensions has no tokens")
	}
	if torchDTypes[c.int(1)] != tensor.Int8 {
		c.unsupported("to another type than int8")
	}
	return x, c.Err() == nil
}

// chooseTokens fits parameters to the range of each row, as
// _choose_qparams_per_token_asymmetric_impl of PyTorch does: the end of the range whose
// rounding is less gives the zero point.
func chooseTokens(c *call) Value {
	x, ok := c.tokens()
	if !ok {
		return nil
	}
	const lo, hi, epsilon = -128.0, 127.0, 0x1p-23
	least, most := c.rowExtremes(x)
	scale := c.apply(ops.Unary{Fn: ops.Clamp, Alpha: epsilon, Beta: math.Inf(1)}, c.arithNumber(ops.Div, c.arith(ops.Sub, most, least), hi-lo))
	least, most = c.arith(ops.Div, least, scale), c.arith(ops.Div, most, scale)
	side := c.arith(ops.Add, c.arithNumber(ops.Add, least, lo), c.arithNumber(ops.Add, most, hi))
	from := func(end *build.Tensor, bound float64) *build.Tensor {
		return c.arithNumber(ops.Add, c.apply(ops.Unary{Fn: ops.Neg}, end), bound)
	}
	zero := c.apply(ops.Where{}, c.arithNumber(ops.Gt, side, 0.0), from(least, lo), from(most, hi))
	zero = c.apply(ops.Unary{Fn: ops.Round}, c.apply(ops.Unary{Fn: ops.Clamp, Alpha: lo, Beta: hi}, zero))
	wide := c.cast(scale, tensor.Float64)
	c.decomposed().chosen[c.read(wide)] = choice{from: c.read(c.tensor(0))}
	return &Tuple{Items: []Value{wide, c.cast(zero, tensor.Int64)}}
}

// chooseTokensSymmetric fits scales to the largest absolute value of each row. They are
// float64 and int64 in the file, though the operator computes float32.
func chooseTokensSymmetric(c *call) Value {
	x, ok := c.tokens()
	if !ok {
		return nil
	}
	most := c.apply(ops.Reduce{Fn: ops.AMax, Axes: []int{x.Rank() - 1}, KeepDims: true}, c.apply(ops.Unary{Fn: ops.Abs}, x))
	scale := c.arithNumber(ops.Div, c.apply(ops.Unary{Fn: ops.Clamp, Alpha: 1e-5, Beta: math.Inf(1)}, most), 127.0)
	return &Tuple{Items: []Value{c.cast(scale, tensor.Float64), c.cast(c.arith(ops.Sub, scale, scale), tensor.Int64)}}
}

// partIntegers computes round(x/scale + zero), clamped, in float32: other than
// quantize_per_tensor, these operators add the zero point before they round.
func (c *call) partIntegers(x, scale, zero *build.Tensor, lo, hi int, d tensor.DType) *build.Tensor {
	scale, zero = c.cast(scale, tensor.Float32), c.cast(zero, tensor.Float32)
	q := c.arith(ops.Mul, c.cast(x, tensor.Float32), c.apply(ops.Unary{Fn: ops.Reciprocal}, scale))
	q = c.apply(ops.Unary{Fn: ops.Round}, c.arith(ops.Add, q, zero))
	return c.cast(c.apply(ops.Unary{Fn: ops.Clamp, Alpha: float64(lo), Beta: float64(hi)}, q), d)
}

func quantizeTokens(c *call) Value {
	x := c.tensor(0)
	out := c.partIntegers(x, c.tensor(1), c.tensor(2), c.int(3), c.int(4), torchDTypes[c.int(5)])
	d := c.decomposed()
	if by := d.chosen[c.read(c.tensor(1))]; by == (choice{from: c.read(x)}) {
		d.dynamic[c.read(out)] = by
	}
	return out
}

func dequantizeTokens(c *call) Value {
	x := c.tensor(0)
	y := c.realOf(x, c.cast(c.tensor(1), tensor.Float32), c.cast(c.tensor(2), tensor.Float32))
	d := c.decomposed()
	if by := d.dynamic[c.read(x)]; by.from != nil && d.chosen[c.read(c.tensor(1))] == by {
		d.dynamic[c.read(y)] = by
	}
	return c.cast(y, torchDTypes[c.int(6)])
}

// groupSize returns the columns in a group of x [N, K]: all where x has fewer and one scale a row.
func (c *call) groupSize(x, scales *build.Tensor, size int) int {
	if x.Rank() != 2 || scales.Rank() < 1 {
		c.fail("groups of a tensor of %d dimensions with scales of %d", x.Rank(), scales.Rank())
		return 1
	}
	k := c.extent(x, 1)
	if size > k && c.extent(scales, scales.Rank()-1) == 1 {
		size = k
	}
	if size < 1 || k%size != 0 {
		c.fail("groups of %d of %d columns", size, k)
		return 1
	}
	return size
}

// column returns a tensor's elements as a column.
func (c *call) column(t *build.Tensor) *build.Tensor {
	return c.reshape(t, []*build.Number{build.Extent(-1), build.Extent(1)})
}

func quantizeGroups(c *call) Value {
	x := c.tensor(0)
	size := c.groupSize(x, c.tensor(1), c.int(6))
	groups := c.reshape(x, []*build.Number{build.Extent(-1), build.Extent(size)})
	q := c.partIntegers(groups, c.column(c.tensor(1)), c.column(c.tensor(2)), c.int(3), c.int(4), torchDTypes[c.int(5)])
	return c.reshape(q, c.Dims(x))
}

// dequantizeGroups gives the real values of a weight [N, K]. Kernels have a scale a row: a
// weight of one group is like one of dequantize_per_channel, others are multiplied as floats.
func dequantizeGroups(c *call) Value {
	x, scales := c.tensor(0), c.tensor(1)
	size := c.groupSize(x, scales, c.int(6))
	var zeros *build.Tensor
	if !c.isNone(2) {
		zeros = c.column(c.tensor(2))
	}
	if c.Err() == nil && size == c.extent(x, 1) {
		flat := func(t *build.Tensor) *build.Tensor {
			if t == nil {
				return nil
			}
			return c.reshape(t, []*build.Number{build.Extent(-1)})
		}
		if q, w := c.channelParams(flat(scales), flat(zeros), 0), c.known(x); q != nil && w != nil && w.DType() == tensor.Int8 {
			return c.cast(c.realWeight(w, q), torchDTypes[c.int(7)])
		}
	}
	if zeros != nil {
		zeros = c.cast(zeros, tensor.Float32)
	}
	groups := c.reshape(x, []*build.Number{build.Extent(-1), build.Extent(size)})
	y := c.reshape(c.realOf(groups, c.cast(c.column(scales), tensor.Float32), zeros), c.Dims(x))
	return c.cast(y, torchDTypes[c.int(7)])
}

// rowsOfTable returns the operator that takes rows of a table [V, K/perByte] of integers,
// with scales [V] or [V, groups], and dequantizes only these. Two integers a byte have 4
// bits, the first of them the higher, and 8 as zero.
//
//go:noinline
func rowsOfTable(perByte int) func(*call) Value {
	return func(c *call) Value {
		ints, scales, at := c.tensor(0), c.tensor(1), c.tensor(5)
		if perByte == 2 {
			ints = c.unpackNibbles(ints)
		}
		if ints.Rank() != 2 || scales.Rank() < 1 || scales.Rank() > 2 {
			return c.fail("a table of %d dimensions with scales of %d", ints.Rank(), scales.Rank())
		}
		var zeros *build.Tensor
		if !c.isNone(2) {
			zeros = c.tensor(2)
		}
		name := "embedding_byte"
		if perByte == 2 {
			name = "embedding_4bit"
		}
		return c.cast(c.takeRows(table{ints, scales, zeros}, at, name), c.dtypeOr(6, scales.DType()))
	}
}

// takeRows returns the real values of rows of a table, of which only these are computed:
// the table stays one of integers.
func (c *call) takeRows(t table, at *build.Tensor, nodes string) *build.Tensor {
	columns, groups := c.extent(t.ints, 1), 1
	if t.scales.Rank() == 2 {
		groups = c.extent(t.scales, 1)
	}
	if groups < 1 || columns%groups != 0 {
		c.fail("%d columns in %d groups", columns, groups)
		return c.anything()
	}
	take := func(x *build.Tensor, inner ...int) *build.Tensor {
		rows := c.apply(ops.Embedding{}, x, at)
		if c.Err() == nil && x == t.ints {
			c.decomposed().taken[c.read(rows).Node] = nodes
		}
		to := append([]*build.Number(nil), c.Dims(at)...)
		for _, n := range inner {
			to = append(to, build.Extent(n))
		}
		return c.reshape(c.cast(rows, tensor.Float32), to)
	}
	var zeros *build.Tensor
	if t.zeros != nil {
		zeros = take(t.zeros, groups, 1)
	}
	rows := c.realOf(take(t.ints, groups, columns/groups), take(t.scales, groups, 1), zeros)
	return c.reshape(rows, append(append([]*build.Number(nil), c.Dims(at)...), build.Extent(columns)))
}

// unpackNibbles returns a table of bytes with two integers each as one of int8.
func (c *call) unpackNibbles(t *build.Tensor) *build.Tensor {
	packed := c.known(t)
	if packed == nil || packed.DType() != tensor.Uint8 || packed.Rank() != 2 {
		c.unsupported("with a table that is no constant of uint8")
		return c.anything()
	}
	out, err := tensor.New(tensor.Int8, packed.Dim(0), 2*packed.Dim(1))
	if err != nil {
		c.failed(err)
		return c.anything()
	}
	to := out.Int8s()
	for i, b := range packed.Contiguous().Uint8s() {
		to[2*i], to[2*i+1] = int8(b>>4)-8, int8(b&15)-8
	}
	return build.Parameter("", out)
}
