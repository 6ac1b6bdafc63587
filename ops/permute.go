package ops

import (
	"slices"

	"github.com/octet-ml/octet/tensor"
)

// Permute reorders dimensions, as torch.permute does. Order lists the input
// dimension of each output dimension.
type Permute struct {
	Order []int
}

func (Permute) Name() string { return "permute" }

func (op Permute) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	order, ok := resolveOrder(op.Order, len(in[0].Shape))
	if !ok {
		return nil, Errorf(op, in, "%v is not a permutation of its dimensions", op.Order)
	}
	shape := make(tensor.Shape, len(order))
	for i, o := range order {
		shape[i] = in[0].Shape[o]
	}
	out := Type{DType: in[0].DType, Shape: shape, Q: permuteQ(in[0].Q, order)}
	if in[0].Known != nil && in[0].Numel() <= foldLimit {
		if t, err := in[0].Known.Permute(order...); err == nil {
			out.Known = t.Clone().WithQParams(out.Q)
		}
	}
	return []Type{out}, nil
}

func permuteQ(q *tensor.QParams, order []int) *tensor.QParams {
	if q == nil || !q.Scheme.PerChannel() {
		return q
	}
	c := *q
	c.Axis = slices.Index(order, q.Axis)
	return &c
}

//go:noinline
func resolveOrder(order []int, rank int) ([]int, bool) {
	if len(order) != rank {
		return nil, false
	}
	out := make([]int, rank)
	seen := make([]bool, rank)
	for i, o := range order {
		if o < 0 {
			o += rank
		}
		if o < 0 || o >= rank || seen[o] {
			return nil, false
		}
		seen[o] = true
		out[i] = o
	}
	return out, true
}

// IsView holds when only dimensions of extent 1 move.
func (op Permute) IsView(in, out []Type) bool {
	order, _ := resolveOrder(op.Order, len(in[0].Shape))
	last := -1
	for _, o := range order {
		if in[0].Shape[o] == 1 {
			continue
		}
		if o < last {
			return false
		}
		last = o
	}
	return true
}

func (op Permute) Prepare(p *Prepare) (*Kernel, error) {
	order, _ := resolveOrder(op.Order, len(p.In[0].Shape))
	return permuteKernel(p, order), nil
}
