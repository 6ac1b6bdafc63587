package build

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// sample returns what a value is where all inputs of its region count 2, 3, 4, ... along the last dimension, as the corners of a box do; nil
// where that is no small computation. Examples that come of one sample fit each other, as the sizes of what is joined to one image do.
func (b *Builder) sample(v *graph.Value) *tensor.Tensor {
	s := sampler{done: make(map[*graph.Value]*tensor.Tensor), left: maxSample}
	return s.value(v)
}

// maxSample bounds the elements that a sample computes.
const maxSample = 1 << 14

type sampler struct {
	done map[*graph.Value]*tensor.Tensor
	left int
}

func (s *sampler) value(v *graph.Value) *tensor.Tensor {
	if v.Const != nil {
		return v.Const
	}
	if v.Type.Known != nil {
		return v.Type.Known
	}
	if t, ok := s.done[v]; ok {
		return t
	}
	if s.left -= v.Type.Numel() + 1; s.left < 0 {
		return nil
	}
	if v.Node == nil {
		s.done[v] = counting(v.Type)
		return s.done[v]
	}
	in := make([]*tensor.Tensor, len(v.Node.Inputs))
	for i, x := range v.Node.Inputs {
		if in[i] = s.value(x); in[i] == nil {
			return nil
		}
	}
	out, err := ops.Eval(v.Node.Op, plainGo, nil, in...)
	if err != nil {
		return nil
	}
	for i, t := range out {
		s.done[v.Node.Outputs[i]] = t
	}
	return s.done[v]
}

// counting returns a tensor that counts from 2 along its last dimension, as far as its elements go; nil of a quantized one.
func counting(t ops.Type) *tensor.Tensor {
	if t.Q != nil {
		return nil
	}
	count := make([]int64, t.Numel())
	for i := range count {
		count[i] = exampleNumber
		if n := len(t.Shape); n > 0 {
			count[i] += int64(i % t.Shape[n-1])
		}
	}
	x, err := tensor.FromSlice(count, t.Shape...)
	if err != nil {
		return nil
	}
	if x, err = x.To(t.DType); err != nil {
		return nil
	}
	return x
}
