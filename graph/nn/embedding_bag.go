package nn

import (
	"math"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// BagMode says what EmbeddingBag makes of the rows of a bag.
type BagMode uint8

// The modes of torch.nn.EmbeddingBag.
const (
	BagMean BagMode = iota
	BagSum
	BagMax
)

// EmbeddingBag is torch.nn.EmbeddingBag: rows of a table of Num by Dim, joined by bags to [N, Dim]. It takes int64 indices [N, L], a bag in each row, and where they
// are given weights of the same shape, for BagSum. Or it takes indices [T] and the offsets [N] at which bags begin, the first of them 0, and then weights [T]. A bag
// without indices gives zeros.
type EmbeddingBag struct {
	Num, Dim int
	Mode     BagMode
}

func (EmbeddingBag) Class() string { return "torch.nn.modules.sparse.EmbeddingBag" }

func (m EmbeddingBag) Forward(c *Context, x ...*graph.Value) *graph.Value {
	indices := x[0]
	rows := c.Apply(ops.Embedding{}, c.Parameter("weight", SmallNormal, m.Num, m.Dim), indices)
	var bags, weights *graph.Value
	rest := x[1:]
	if len(indices.Type.Shape) == 1 && len(rest) > 0 {
		bags, rest = m.bags(c, indices, rest[0]), rest[1:]
	}
	if len(rest) > 0 {
		weights, rest = rest[0], rest[1:]
	}
	if len(rest) > 0 || len(indices.Type.Shape) != 2 && bags == nil || weights != nil && m.Mode != BagSum {
		return c.Fail("it takes indices of two dimensions, or of one and offsets, and to add up weights")
	}
	if weights != nil {
		rows = c.Apply(ops.Binary{Fn: ops.Mul}, rows, column(c, weights))
	}
	fn := []ops.ReduceFn{ops.Mean, ops.Sum, ops.AMax}[m.Mode]
	if bags == nil {
		return c.Apply(ops.Reduce{Fn: fn, Axes: []int{1}}, rows)
	}
	number := func(v float64) *graph.Value { return c.Const(tensor.Scalar(float32(v))) }
	if m.Mode == BagMax {
		y := c.Apply(ops.Reduce{Fn: fn, Axes: []int{1}}, c.Apply(ops.Where{}, column(c, bags), rows, number(math.Inf(-1))))
		some := c.Apply(ops.Reduce{Fn: ops.Any, Axes: []int{1}, KeepDims: true}, bags)
		return c.Apply(ops.Where{}, some, y, number(0))
	}
	in := c.Apply(ops.Where{}, bags, number(1), number(0))
	y := c.Apply(ops.MatMul{}, in, rows)
	if m.Mode == BagMean {
		count := c.Apply(ops.Reduce{Fn: ops.Sum, Axes: []int{1}, KeepDims: true}, in)
		y = c.Apply(ops.Binary{Fn: ops.Div}, y, c.Apply(ops.Unary{Fn: ops.ClampMin, Alpha: 1}, count))
	}
	return y
}

// bags returns [N, T], true where a bag has an index: those from its offset on, up to the next.
func (m EmbeddingBag) bags(c *Context, indices, offsets *graph.Value) *graph.Value {
	ordinal := func(v *graph.Value) *graph.Value { // 0, 1, ... for each element of a vector
		ones := c.Apply(ops.Full{Like: true, Value: 1, DType: tensor.Int64}, v)
		return c.Apply(ops.Binary{Fn: ops.Sub}, c.Apply(ops.PrefixScan{}, ones), integer(c, 1))
	}
	begun := c.Apply(ops.Binary{Fn: ops.Le}, column(c, offsets), ordinal(indices)) // [N, T]
	bag := c.Apply(ops.Binary{Fn: ops.Sub}, c.Apply(ops.Reduce{Fn: ops.Sum, Axes: []int{0}}, begun), integer(c, 1))
	return c.Apply(ops.Binary{Fn: ops.Eq}, column(c, ordinal(offsets)), bag)
}

// column adds a last dimension of extent 1.
func column(c *Context, v *graph.Value) *graph.Value {
	return c.Apply(ops.Reshape{Shape: append(make([]int, len(v.Type.Shape)), 1)}, v)
}
