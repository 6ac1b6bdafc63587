package aten

import (
	"math"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// resample resizes images where ops.Interpolate has no kernel: float64, bytes, and with antialiasing. It mixes
// the pixels along one dimension after the other, the last one first.
func (c *call) resample(op ops.Interpolate, antialias bool, x *build.Tensor, size []*build.Number) *build.Tensor {
	n := x.Rank() - 2
	if bytes := x.DType() == tensor.Uint8; (bytes || antialias) && n != 2 || !bytes && !x.DType().IsFloat() {
		c.unsupported("%v of %v", op.Mode, x.Type())
	}
	for i, d := range size {
		if op.Size = append(op.Size, c.plainInt(d)); i >= n {
			break
		}
	}
	if !c.takesSingle(op, []*build.Tensor{x}) {
		return c.anything()
	}
	d := x.DType()
	mix := c.mix
	switch d {
	case tensor.Float64:
	case tensor.Uint8:
		x, mix = c.cast(x, tensor.Int32), c.mixFixed
	default:
		x = c.cast(x, tensor.Float32)
	}
	for i := n - 1; i >= 0; i-- {
		scale := 0.0
		if op.Scales != nil {
			scale = op.Scales[i]
		}
		in := c.extent(x, i+2)
		out := int(float64(in) * scale)
		if op.Size != nil {
			out = op.Size[i]
		}
		x = mix(x, i+2, newTaps(op, antialias, in, out, scale))
	}
	return c.cast(x, d)
}

// resizeSmooth resizes with antialiasing, which only the linear and the cubic mode have.
func (c *call) resizeSmooth(op ops.Interpolate, x *build.Tensor, size []*build.Number) *build.Tensor {
	if op.Mode < ops.Linearly || x.Type().Q != nil {
		c.unsupported("%v of %v with antialiasing", op.Mode, x.Type())
	}
	return c.resample(op, true, x, size)
}

// taps say from which input positions along one dimension each output position comes, and with which weights:
// at and weight hold tap k of output i at [k][i].
type taps struct {
	at     [][]int64
	weight [][]float64
}

// newTaps computes the taps as torch.nn.functional.interpolate does in float64; scale is 0 where it was not given.
func newTaps(op ops.Interpolate, antialias bool, in, out int, scale float64) *taps {
	step := float64(in) / float64(out)
	if scale > 0 {
		step = 1 / scale
	}
	if op.AlignCorners {
		step = 0
		if out > 1 {
			step = float64(in-1) / float64(out-1)
		}
	}
	t := &taps{}
	for i := range out {
		if antialias {
			t.filter(op.Mode, in, out, i, step)
			continue
		}
		x := step * float64(i)
		if !op.AlignCorners {
			x = step*(float64(i)+0.5) - 0.5
		}
		if op.Mode == ops.Linearly {
			x = max(x, 0)
			first := min(int(x), in-1)
			right := min(x-float64(first), 1)
			t.set(in, out, i, first, 1-right, right)
			continue
		}
		first := math.Floor(x)
		f := x - first
		t.set(in, out, i, int(first)-1, keys(1+f, -0.75), keys(f, -0.75), keys(1-f, -0.75), keys(2-f, -0.75))
	}
	return t
}

// filter sets the taps of output i to a filter that is as wide as the pixels of the output are in the input.
func (t *taps) filter(mode ops.InterpolateMode, in, out, i int, step float64) {
	width := map[ops.InterpolateMode]float64{ops.Linearly: 1, ops.Cubic: 2}[mode]
	stretch := max(step, 1)
	center := step * (float64(i) + 0.5)
	first := max(int(center-width*stretch+0.5), 0)
	end := min(int(center+width*stretch+0.5), in)
	weights := make([]float64, max(end-first, 0))
	var sum float64
	for k := range weights {
		at := (float64(k+first) - center + 0.5) / stretch
		if mode == ops.Linearly {
			weights[k] = max(1-math.Abs(at), 0)
		} else {
			weights[k] = keys(math.Abs(at), -0.5)
		}
		sum += weights[k]
	}
	for k := range weights {
		weights[k] /= sum
	}
	t.set(in, out, i, first, weights...)
}

// keys is the cubic filter of Keys (1981) at a distance x of at least 0.
func keys(x, a float64) float64 {
	switch {
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return ((a*x-5*a)*x+8*a)*x - 4*a
	}
	return 0
}

// set gives output i of as many as out the weights of the positions from first on. Those of positions outside
// add to the border's.
func (t *taps) set(in, out, i, first int, weights ...float64) {
	low, high := min(max(first, 0), in-1), min(max(first+len(weights)-1, 0), in-1)
	for len(t.at) <= high-low {
		t.at, t.weight = append(t.at, make([]int64, out)), append(t.weight, make([]float64, out))
	}
	for k := range t.at {
		t.at[k][i] = int64(min(low+k, high))
	}
	for k, w := range weights {
		t.weight[min(max(first+k, 0), in-1)-low][i] += w
	}
}

// mix sums the taps' pixels along a dimension, times their weights.
func (c *call) mix(x *build.Tensor, axis int, t *taps) *build.Tensor {
	return c.sumTaps(x, axis, t, t.weight)
}

// mixFixed does it as PyTorch mixes bytes: weights are integers of 16 bits, with as many binary places as the
// greatest allows, and sums are rounded to bytes.
func (c *call) mixFixed(x *build.Tensor, axis int, t *taps) *build.Tensor {
	var top float64
	for _, line := range t.weight {
		for _, w := range line {
			top = max(top, w)
		}
	}
	places := 0
	for places < 22 && int(0.5+math.Ldexp(top, places+1)) < 1<<15 {
		places++
	}
	weights := make([][]float64, len(t.weight))
	for k, line := range t.weight {
		weights[k] = make([]float64, len(line))
		for i, w := range line {
			weights[k][i] = math.Trunc(math.Ldexp(w, places) + math.Copysign(0.5, w))
		}
	}
	sum := c.arithNumber(ops.Add, c.sumTaps(x, axis, t, weights), int64(1)<<max(places-1, 0))
	return c.apply(ops.Unary{Fn: ops.Clamp, Beta: 255}, c.arithNumber(ops.FloorDiv, sum, int64(1)<<places))
}

func (c *call) sumTaps(x *build.Tensor, axis int, t *taps, weights [][]float64) *build.Tensor {
	if len(t.at)*len(t.at[0]) > maxComputed {
		c.fail("%d pixels of %d each", len(t.at[0]), len(t.at))
	}
	if c.Err() != nil {
		return c.anything()
	}
	var sum *build.Tensor
	for k, at := range t.at {
		weight := c.vectorAlong(c.constOf(weights[k], x.DType(), len(at)), x.Rank(), axis)
		term := c.arith(ops.Mul, c.apply(ops.IndexSelect{Axis: axis}, x, c.intsOf(at, len(at))), weight)
		if sum == nil {
			sum = term
		} else {
			sum = c.arith(ops.Add, sum, term)
		}
	}
	return sum
}
