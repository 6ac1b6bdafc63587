package nn

import (
	"math"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// sentencePooling is Pooling of sentence-transformers and, with normalize, Normalize behind it: states [N, S, H] and
// attention_mask [N, S] to [N, H] for each pooling.
type sentencePooling struct {
	how       []Pooling
	normalize bool
}

func (sentencePooling) Class() string { return "sentence_transformers.models.Pooling" }

func (m sentencePooling) Forward(c *Context, x ...*graph.Value) *graph.Value {
	mask := c.Apply(ops.Reshape{Shape: []int{0, 0, 1}}, c.Apply(ops.Cast{DType: tensor.Float32}, x[1]))
	var parts []*graph.Value
	for _, p := range m.how {
		parts = append(parts, pool(c, p, x[0], mask))
	}
	v := parts[0]
	if len(parts) > 1 {
		v = c.Apply(ops.Concat{Axis: 1}, parts...)
	}
	if m.normalize {
		length := c.Apply(ops.Reduce{Fn: ops.Norm, Axes: []int{1}, KeepDims: true, P: 2}, v)
		length = c.Apply(ops.Unary{Fn: ops.ClampMin, Alpha: 1e-12}, length)
		v = c.Apply(ops.Binary{Fn: ops.Div}, v, length)
	}
	return v
}

// pool makes one state of those of all tokens that mask [N, S, 1] keeps.
func pool(c *Context, p Pooling, states, mask *graph.Value) *graph.Value {
	if p == PoolCLS {
		return firstToken(c, states)
	}
	if p == PoolMax {
		drop := c.Apply(ops.Binary{Fn: ops.Sub, ANumber: true}, c.Const(tensor.Scalar(float32(1))), mask)
		low := c.Apply(ops.Binary{Fn: ops.Mul, BNumber: true}, drop, c.Const(tensor.Scalar(float32(-math.MaxFloat32))))
		kept := c.Apply(ops.Binary{Fn: ops.Add}, c.Apply(ops.Binary{Fn: ops.Mul}, states, mask), low)
		return c.Apply(ops.Reduce{Fn: ops.AMax, Axes: []int{1}}, kept)
	}
	sum := c.Apply(ops.Reduce{Fn: ops.Sum, Axes: []int{1}}, c.Apply(ops.Binary{Fn: ops.Mul}, states, mask))
	n := c.Apply(ops.Unary{Fn: ops.ClampMin, Alpha: 1e-9}, c.Apply(ops.Reduce{Fn: ops.Sum, Axes: []int{1}}, mask))
	if p == PoolMeanSqrt {
		n = c.Apply(ops.Unary{Fn: ops.Sqrt}, n)
	}
	return c.Apply(ops.Binary{Fn: ops.Div}, sum, n)
}

// relativeBias is compute_position_bias of MPNet: for texts of ids [N, S] what is added to scores, [heads, S, S], by
// how far the tokens are apart.
type relativeBias struct{ buckets, heads, positions int }

func (relativeBias) Class() string { return Embedding{}.Class() }

func (m relativeBias) Forward(c *Context, x ...*graph.Value) *graph.Value {
	count := make([]int64, m.positions)
	byDistance := make([]int64, 2*m.positions-1)
	for i := range count {
		count[i] = int64(i)
	}
	for i := range byDistance {
		byDistance[i] = m.bucket(i - m.positions + 1)
	}
	all, err := tensor.FromSlice(count, len(count))
	if err != nil {
		return c.Fail("%w", err)
	}
	table, err := tensor.FromSlice(byDistance, len(byDistance))
	if err != nil {
		return c.Fail("%w", err)
	}
	place := firstRows(c, c.Const(all), x[0])
	row := c.Apply(ops.Reshape{Shape: []int{1, -1}}, place)
	column := c.Apply(ops.Reshape{Shape: []int{-1, 1}}, place)
	distance := c.Apply(ops.Binary{Fn: ops.Sub}, row, column)
	distance = c.Apply(ops.Binary{Fn: ops.Add, BNumber: true}, distance, c.Const(tensor.Scalar(int64(m.positions-1))))
	bias := c.Apply(ops.Embedding{}, c.Parameter("weight", SmallNormal, m.buckets, m.heads), c.Const(table))
	return c.Apply(ops.Permute{Order: []int{2, 0, 1}}, c.Apply(ops.Embedding{}, bias, distance))
}

// farthest is the distance from which on all are in one bucket.
const farthest = 128

// bucket is relative_position_bucket of T5 and MPNet: exact for small distances, by the logarithm for others.
func (m relativeBias) bucket(distance int) int64 {
	half := m.buckets / 2
	base := 0
	if distance > 0 {
		base = half
	}
	n := max(distance, -distance)
	exact := half / 2
	if n < exact {
		return int64(base + n)
	}
	// In float32, as PyTorch computes it.
	far := float32(math.Log(float64(float32(n)/float32(exact)))) / float32(math.Log(float64(farthest)/float64(exact))) * float32(half-exact)
	return int64(base + min(exact+int(far), half-1))
}
