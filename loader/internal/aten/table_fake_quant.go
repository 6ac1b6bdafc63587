package aten

import (
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

const fusedFakeParams = "self:T observer_on:T fake_quant_on:T running_min:T running_max:T scale:T zero_point:T averaging_const:f quant_min:i quant_max:i ch_axis:i per_row_fake_quant:b=False symmetric_quant:b=False"

// preparedForQAT are the operators of modules that torch.ao.quantization.prepare_qat made, saved before they were converted.
var preparedForQAT = []operator{
	{"aten::fused_moving_avg_obs_fake_quant", fusedFakeParams, fusedFakeQuantize},
	{"aten::_fused_moving_avg_obs_fq_helper", fusedFakeParams, func(c *call) Value {
		return &Tuple{Items: []Value{fusedFakeQuantize(c), &Missing{What: c.name + ": the mask"}}}
	}},
}

// fusedFakeQuantize averages the range of x, where it observes, and rounds x to what the quantization of that range keeps, where it quantizes:
// torch.ao.quantization.FusedMovingAvgObsFakeQuantize.
func fusedFakeQuantize(c *call) Value {
	x, least, greatest := c.tensor(0), c.tensor(3), c.tensor(4)
	perRow, axis := c.bool(11), c.axis(10, x.Rank())
	if least.Rank() > 1 || !greatest.Type().Shape.Equal(least.Type().Shape) || perRow && (axis >= x.Rank() || least.Type().Numel() != x.Type().Shape[axis]) || !perRow && least.Type().Numel() != 1 {
		return c.fail("a range %v, %v for %v: a module whose observer has not seen data has none", least.Type(), greatest.Type(), x.Type())
	}
	if c.flag(1) {
		axes := make([]int, 0, x.Rank())
		for i := range x.Rank() {
			if !perRow || i != axis {
				axes = append(axes, i)
			}
		}
		for fn, running := range map[ops.ReduceFn]*build.Tensor{ops.AMin: least, ops.AMax: greatest} {
			now := c.shaped(c.apply(ops.Reduce{Fn: fn, Axes: axes}, x), c.Dims(running))
			moved := c.arith(ops.Add, running, c.arithNumber(ops.Mul, c.arith(ops.Sub, now, running), c.float(7)))
			c.store(running, c.apply(ops.Where{}, c.unary(ops.Unary{Fn: ops.IsInf}, running), now, moved))
		}
	}
	if !c.flag(2) {
		return clone(c)
	}
	scale, zero := c.chooseQParams(c.apply(ops.Detach{}, least), c.apply(ops.Detach{}, greatest), c.float(8), c.float(9), c.bool(12))
	if perRow {
		return c.fakeChannels(x, axis, scale, zero, c.float(8), c.float(9))
	}
	one := make([]*build.Number, x.Rank())
	for i := range one {
		one[i] = build.Extent(1)
	}
	return c.fakeWith(x, c.reshape(scale, one), c.reshape(zero, one), c.float(8), c.float(9))
}

// flag returns a switch, the element of argument i.
func (c *call) flag(i int) bool {
	known := c.known(c.tensor(i))
	if known == nil || known.Numel() != 1 {
		c.unsupported("with a switch that only the run knows")
		return false
	}
	v, _ := build.PlainElement(known)
	f, _ := build.ToFloat(v)
	return f != 0
}

// minScale is SMALL_SCALE_THRESHOLD of PyTorch.
const minScale = 6.1e-5

// chooseQParams returns scale and zero point, float32, for ranges of real values, as ChooseQuantizationParams of PyTorch does in float64. A range
// around 0 is made symmetric where that is asked for.
func (c *call) chooseQParams(least, greatest *build.Tensor, lo, hi float64, symmetric bool) (scale, zero *build.Tensor) {
	double := func(t *build.Tensor) *build.Tensor { return c.cast(t, tensor.Float64) }
	single := func(t *build.Tensor) *build.Tensor { return c.cast(t, tensor.Float32) }
	value := func(v float64) *build.Tensor { return c.constOf([]float64{v}, tensor.Float64) }
	where := func(cond, a, b *build.Tensor) *build.Tensor { return c.apply(ops.Where{}, cond, a, b) }
	abs := func(t *build.Tensor) *build.Tensor { return c.unary(ops.Unary{Fn: ops.Abs}, t) }
	a, b := double(c.unary(ops.Unary{Fn: ops.ClampMax}, least)), double(c.unary(ops.Unary{Fn: ops.ClampMin}, greatest))
	var around *build.Tensor
	if symmetric {
		around = c.arith(ops.LogicalAnd, c.arithNumber(ops.Lt, a, 0.0), c.arithNumber(ops.Gt, b, 0.0))
		half := float64(int((hi - lo) / 2))
		step := c.arith(ops.Max, abs(c.arithNumber(ops.Div, a, -half-1)), abs(c.arithNumber(ops.Div, b, half)))
		a = where(around, double(single(c.arithNumber(ops.Mul, step, -half-1))), a)
		b = where(around, double(single(c.arithNumber(ops.Mul, step, half))), b)
	}
	s := c.arithNumber(ops.Div, c.arith(ops.Sub, b, a), hi-lo)
	small := c.unary(ops.Unary{Fn: ops.IsInf}, c.unary(ops.Unary{Fn: ops.Reciprocal}, single(s)))
	s = where(small, value(0.1), s)
	below, above := c.arith(ops.Div, a, s), c.arith(ops.Div, b, s)
	fromLeast := c.arith(ops.Sub, value(lo), below)
	fromGreatest := c.arith(ops.Sub, value(hi), above)
	nearer := c.arith(ops.Lt, c.arith(ops.Sub, value(max(lo, -lo)), abs(below)), c.arith(ops.Sub, value(max(hi, -hi)), abs(above)))
	z := where(nearer, fromLeast, fromGreatest)
	if around != nil {
		z = where(around, value((lo+hi)/2), z)
	}
	z = c.unary(ops.Unary{Fn: ops.Round}, c.unary(ops.Unary{Fn: ops.Clamp, Alpha: lo, Beta: hi}, z))
	return single(c.unary(ops.Unary{Fn: ops.ClampMin, Alpha: minScale}, s)), single(z)
}
