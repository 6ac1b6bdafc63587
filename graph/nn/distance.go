package nn

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Bilinear is torch.nn.Bilinear: y = x1^T A x2 + b of x1 [..., In1] and x2 [..., In2], with a matrix A for each of Out features.
type Bilinear struct {
	In1, In2, Out int
	NoBias        bool
}

func (Bilinear) Class() string { return "torch.nn.modules.linear.Bilinear" }

func (m Bilinear) Forward(c *Context, x ...*graph.Value) *graph.Value {
	if len(x) != 2 {
		return c.Fail("it takes two values, not %d", len(x))
	}
	weight := c.Parameter("weight", KaimingNormal, m.Out, m.In1, m.In2)
	rows := c.Apply(ops.Reshape{Shape: []int{m.Out * m.In2, m.In1}}, c.Apply(ops.Permute{Order: []int{0, 2, 1}}, weight))
	y := c.Apply(ops.Linear{}, x[0], rows) // [..., Out*In2]
	y = Unflatten{Dim: -1, Sizes: []int{m.Out, m.In2}}.Forward(c, y)
	y = c.Apply(ops.Binary{Fn: ops.Mul}, y, Unflatten{Dim: -1, Sizes: []int{1, m.In2}}.Forward(c, x[1]))
	y = c.Apply(ops.Reduce{Fn: ops.Sum, Axes: []int{-1}}, y)
	if m.NoBias {
		return y
	}
	return c.Apply(ops.Binary{Fn: ops.Add}, y, c.Parameter("bias", Zeros, m.Out))
}

// CosineSimilarity is torch.nn.CosineSimilarity of two values along the dimension Dim; an Eps of 0 means 1e-8.
type CosineSimilarity struct {
	Dim int
	Eps float64
}

func (CosineSimilarity) Class() string { return "torch.nn.modules.distance.CosineSimilarity" }

func (m CosineSimilarity) Forward(c *Context, x ...*graph.Value) *graph.Value {
	if len(x) != 2 {
		return c.Fail("it takes two values, not %d", len(x))
	}
	unit := func(v *graph.Value) *graph.Value {
		norm := c.Apply(ops.Reduce{Fn: ops.Norm, P: 2, Axes: []int{m.Dim}, KeepDims: true}, v)
		return c.Apply(ops.Binary{Fn: ops.Div}, v, c.Apply(ops.Unary{Fn: ops.ClampMin, Alpha: numberOr(m.Eps, 1e-8)}, norm))
	}
	return c.Apply(ops.Reduce{Fn: ops.Sum, Axes: []int{m.Dim}}, c.Apply(ops.Binary{Fn: ops.Mul}, unit(x[0]), unit(x[1])))
}

// PairwiseDistance is torch.nn.PairwiseDistance: the norm of order P of x1 - x2 + Eps along the last dimension. A P of 0 means 2, an Eps of 0 1e-6.
type PairwiseDistance struct {
	P, Eps  float64
	KeepDim bool
}

func (PairwiseDistance) Class() string { return "torch.nn.modules.distance.PairwiseDistance" }

func (m PairwiseDistance) Forward(c *Context, x ...*graph.Value) *graph.Value {
	if len(x) != 2 {
		return c.Fail("it takes two values, not %d", len(x))
	}
	d := withNumber(c, ops.Add, c.Apply(ops.Binary{Fn: ops.Sub}, x[0], x[1]), numberOr(m.Eps, 1e-6))
	return c.Apply(ops.Reduce{Fn: ops.Norm, P: ops.NormOrder(numberOr(m.P, 2)), Axes: []int{-1}, KeepDims: m.KeepDim}, d)
}

// withNumber is a function of a value and a number.
func withNumber(c *Context, fn ops.BinaryFn, x *graph.Value, number float64) *graph.Value {
	return c.Apply(ops.Binary{Fn: fn, BNumber: true}, x, c.Const(tensor.Scalar(number)))
}

// integer is a constant int64 without dimensions.
func integer(c *Context, n int) *graph.Value { return c.Const(tensor.Scalar(int64(n))) }
