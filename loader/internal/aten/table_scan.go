package aten

import (
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// scans are running functions along a dimension that are no sums or products, and integrals and slopes of samples.
var scans = []operator{
	{"aten::cummax", "self:T dim:i", runningExtreme(ops.Ge)},
	{"aten::cummin", "self:T dim:i", runningExtreme(ops.Le)},
	{"aten::logcumsumexp", "self:T dim:i", runningLogSum},
	{"aten::mode", "self:T dim:i=-1 keepdim:b=False", mode},
	{"aten::trapz", "y:T | dx:f=1 dim:i=-1", trapezoid(false)},
	{"aten::trapz", "y:T x:T | dim:i=-1", trapezoid(false)},
	{"aten::trapezoid", "y:T x:T | dim:i=-1", trapezoid(false)},
	{"aten::cumulative_trapezoid", "y:T x:T | dim:i=-1", trapezoid(true)},
	{"aten::trapezoid", "y:T | dx:n=1 dim:i=-1", trapezoid(false)},
	{"aten::cumulative_trapezoid", "y:T | dx:n=1 dim:i=-1", trapezoid(true)},
	{"aten::gradient", "self:T | spacing:n?=None dim:i?=None edge_order:i=1", gradient},
	{"aten::gradient", "self:T | spacing:n=1 dim:I edge_order:i=1", gradient},
	{"aten::gradient", "self:T | spacing:F dim:I?=None edge_order:i=1", gradient},
}

// scan joins each element along a dimension with all before it: first with its neighbor, then with twice as many each
// time. join takes parts of the values of the left and of the right, and must be associative.
func (c *call) scan(values []*build.Tensor, axis int, join func(left, right []*build.Tensor) []*build.Tensor) []*build.Tensor {
	if values[0].Rank() == 0 {
		return values
	}
	n := c.extent(values[0], axis)
	for step := 1; step < n && c.Err() == nil; step *= 2 {
		cut := func(start, end int) []*build.Tensor {
			out := make([]*build.Tensor, len(values))
			for i, v := range values {
				out[i] = c.apply(ops.Slice{Axis: axis, Start: start, End: end, Step: 1}, v)
			}
			return out
		}
		first, joined := cut(0, step), join(cut(0, n-step), cut(step, n))
		for i := range values {
			values[i] = c.apply(ops.Concat{Axis: axis}, first[i], joined[i])
		}
	}
	return values
}

// runningExtreme is the extreme so far and its index: of equal ones the last, and a NaN from the first one on.
//
//go:noinline
func runningExtreme(fn ops.BinaryFn) func(*call) Value {
	return func(c *call) Value {
		x := c.tensor(0)
		axis := c.axis(1, x.Rank())
		at := c.likeOf(x, 0, tensor.Int64)
		if x.Rank() > 0 {
			at = c.arithNumber(ops.Sub, c.apply(ops.PrefixScan{Axis: axis}, c.likeOf(x, 1, tensor.Int64)), int64(1))
		}
		out := c.scan([]*build.Tensor{x, at}, axis, func(left, right []*build.Tensor) []*build.Tensor {
			later := c.arith(fn, right[0], left[0])
			if x.DType().IsFloat() {
				later = c.arith(ops.LogicalOr, later, c.fn(ops.IsNaN, right[0]))
			}
			return []*build.Tensor{c.apply(ops.Where{}, later, right[0], left[0]), c.apply(ops.Where{}, later, right[1], left[1])}
		})
		return &Tuple{Items: []Value{out[0], out[1]}}
	}
}

// mode returns the value that stands most often along a dimension, the least of several, and where it stands last. Among sorted values
// each counts those equal to it from its first one on, and the greatest count ends the longest run.
func mode(c *call) Value {
	x := c.tensor(0)
	axis := c.axis(1, x.Rank())
	if x.Rank() == 0 || c.Err() != nil {
		return &Tuple{Items: []Value{x, c.lift(int64(0))}}
	}
	if c.extent(x, axis) == 0 {
		return c.fail("there is no mode of no elements")
	}
	sorted := c.applyAll(ops.Sort{Axis: axis}, x)
	n := c.Dims(x)[axis]
	first := c.sliced(sorted[0], axis, build.Extent(0), build.Extent(1), 1)
	same := c.arith(ops.Eq, c.sliced(sorted[0], axis, build.Extent(1), n, 1), c.sliced(sorted[0], axis, build.Extent(0), build.AsNumber(c.mustArith(ops.Sub, n, build.Extent(1))), 1))
	begins := c.apply(ops.Concat{Axis: axis}, c.likeOf(first, 1, tensor.Bool), c.apply(ops.Unary{Fn: ops.LogicalNot}, same))
	at := c.apply(ops.PrefixScan{Axis: axis}, c.likeOf(sorted[0], 1, tensor.Int64))
	from := c.scan([]*build.Tensor{c.arith(ops.Mul, at, begins)}, axis, func(left, right []*build.Tensor) []*build.Tensor {
		return []*build.Tensor{c.arith(ops.Max, left[0], right[0])}
	})
	longest := c.apply(ops.ArgMax{Axis: axis, KeepDims: true}, c.arith(ops.Sub, at, from[0]))
	items := make([]Value, 2)
	for i, t := range sorted {
		y := c.apply(ops.Gather{Axis: axis}, t, longest)
		if !c.bool(2) {
			y = c.selected(y, axis, build.Extent(0))
		}
		items[i] = y
	}
	return &Tuple{Items: items}
}

// runningLogSum is the logarithm of the running sum of exponentials.
func runningLogSum(c *call) Value {
	x := c.tensor(0)
	if !x.DType().IsFloat() {
		return c.fail("of %v", x.Type())
	}
	return c.scan([]*build.Tensor{x}, c.axis(1, x.Rank()), func(left, right []*build.Tensor) []*build.Tensor {
		return []*build.Tensor{c.logAddExp(left[0], right[0])}
	})[0]
}

// trapezoid is the integral of samples dx apart, or at places x, by straight lines between them, or what it is up to each.
//
//go:noinline
func trapezoid(running bool) func(*call) Value {
	return func(c *call) Value {
		y := c.tensor(0)
		axis := c.axis(2, y.Rank())
		if y.Rank() == 0 || c.extent(y, axis) == 0 {
			return c.unsupported("of %v", y.Type())
		}
		n := c.extent(y, axis)
		left := c.apply(ops.Slice{Axis: axis, End: n - 1, Step: 1}, y)
		right := c.apply(ops.Slice{Axis: axis, Start: 1, End: n, Step: 1}, y)
		pairs, apart := c.arith(ops.Add, left, right), c.args[1]
		if x, ok := apart.(*build.Tensor); ok {
			if x.Rank() == 1 {
				x = c.vectorAlong(x, y.Rank(), axis)
			}
			if at := axis - y.Rank() + x.Rank(); at < 0 || c.extent(x, at) != n {
				return c.fail("samples %v at %v", y.Type(), x.Type())
			} else {
				pairs = c.arith(ops.Mul, pairs, c.arith(ops.Sub, c.sliced(x, at, build.Extent(1), build.Extent(n), 1), c.sliced(x, at, build.Extent(0), build.Extent(n-1), 1)))
			}
			apart = int64(1)
		}
		var sum *build.Tensor
		if running {
			sum = c.apply(ops.PrefixScan{Axis: axis}, pairs)
		} else {
			sum = c.apply(ops.Reduce{Fn: ops.Sum, Axes: []int{axis}}, pairs)
		}
		return c.arithNumber(ops.Div, c.binaryValues(ops.Mul, sum, apart), 2.0)
	}
}

// gradient is the slope of samples along each dimension, from the neighbors of each, at the ends from one neighbor.
func gradient(c *call) Value {
	x := c.tensor(0)
	axes := c.axes(2, x.Rank())
	if c.isNone(2) {
		for i := range x.Rank() {
			axes = append(axes, i)
		}
	}
	order := c.int(3)
	if order != 1 && order != 2 {
		return c.fail("edges of order %d", order)
	}
	if !x.DType().IsFloat() {
		x = c.cast(x, defaultFloat)
	}
	spacings := []float64{1}
	if !c.isNone(1) {
		spacings = c.floats(1)
	}
	if len(spacings) != 1 && len(spacings) != len(axes) {
		return c.fail("%d spacings of %d dimensions", len(spacings), len(axes))
	}
	l := &List{}
	for i, axis := range axes {
		spacing := spacings[min(i, len(spacings)-1)]
		n := c.extent(x, axis)
		if n < order+1 {
			return c.fail("%d samples in dimension %d", n, axis)
		}
		part := func(start, end int) *build.Tensor {
			return c.apply(ops.Slice{Axis: axis, Start: start, End: end, Step: 1}, x)
		}
		slope := func(right, left *build.Tensor, over float64) *build.Tensor {
			return c.arithNumber(ops.Div, c.arith(ops.Sub, right, left), over)
		}
		first, last := slope(part(1, 2), part(0, 1), spacing), slope(part(n-1, n), part(n-2, n-1), spacing)
		if order == 2 { // the slope of a parabola through three samples
			ahead := func(a, b, d int) *build.Tensor {
				by := 1.0
				if a > d {
					by = -1
				}
				y := c.arith(ops.Sub, c.arithNumber(ops.Mul, part(b, b+1), 4.0), part(d, d+1))
				return c.arithNumber(ops.Div, c.arith(ops.Sub, y, c.arithNumber(ops.Mul, part(a, a+1), 3.0)), by*2*spacing)
			}
			first, last = ahead(0, 1, 2), ahead(n-1, n-2, n-3)
		}
		parts := []*build.Tensor{first, slope(part(2, n), part(0, n-2), 2*spacing), last}
		if n == 2 {
			parts = []*build.Tensor{first, last}
		}
		l.Items = append(l.Items, c.apply(ops.Concat{Axis: axis}, parts...))
	}
	return l
}
