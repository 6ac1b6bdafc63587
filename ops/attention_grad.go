package ops

import (
	"math"

	"github.com/octet-ml/octet/tensor"
)

// Grad computes the weights of the values again, so that they are not kept, and goes
// back through the two products and the softmax.
func (op Attention) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	t := &tape{b: b}
	rank := len(b.Type(in[0]).Shape)
	swap := func(v Ref) Ref {
		if !op.HeadsLast {
			return v
		}
		order := identityOrder(rank)
		order[rank-3], order[rank-2] = rank-2, rank-3
		return t.apply(Permute{Order: order}, v)
	}
	q, k, v := swap(in[0]), swap(in[1]), swap(in[2])
	scale := op.Scale
	if scale == 0 {
		scale = 1 / math.Sqrt(float64(b.Type(q).Shape[rank-1]))
	}
	scores := t.binary(Mul, t.apply(MatMul{TransposeB: true}, q, k), number(b, float32(scale)))
	switch {
	case op.Causal:
		mask := causalMask(b.Type(scores).Shape[rank-2], b.Type(scores).Shape[rank-1])
		scores = t.apply(Where{}, b.Const(mask), scores, number(b, -inf))
	case op.HasMask && b.Type(in[3]).DType == tensor.Bool:
		scores = t.apply(Where{}, in[3], scores, number(b, -inf))
	case op.HasMask:
		scores = t.binary(Add, scores, in[3])
	}
	var masked Ref
	if op.ZeroMasked && op.HasMask {
		// Such rows are zeros, and have no gradient: softmax must not see them.
		masked = t.apply(Reduce{Fn: All, Axes: []int{-1}, KeepDims: true}, t.binary(Eq, scores, number(b, -inf)))
		scores = t.apply(Where{}, masked, number(b, 0), scores)
	}
	weights := t.apply(Softmax{Axis: -1}, scores)
	if masked != nil {
		weights = t.apply(Where{}, masked, number(b, 0), weights)
	}
	y := swap(t.apply(MatMul{}, weights, v))
	return t.gradients([]Ref{y}, dout, in, need)
}

// causalMask is true on and below the diagonal.
func causalMask(rows, cols int) *tensor.Tensor {
	seen := make([]bool, rows*cols)
	for r := range rows {
		fill(seen[r*cols:r*cols+min(r+1, cols)], true)
	}
	mask, err := tensor.FromSlice(seen, rows, cols)
	if err != nil {
		return tensor.Scalar(true)
	}
	return mask
}

// identityOrder is the order of dimensions that changes nothing.
func identityOrder(rank int) []int {
	order := make([]int, rank)
	for i := range order {
		order[i] = i
	}
	return order
}
