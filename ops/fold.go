package ops

import (
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// foldLimit is the most elements of a value that is computed while types are
// inferred: enough for shapes and the arithmetic on them.
const foldLimit = 64

// fold returns the output types of op, with their values where all inputs are
// known and everything is small, so that what follows from shapes alone is
// known before anything runs. Values that the kernel rejects stay unknown: the
// run reports them.
func fold(op Op, in []Type, out ...Type) ([]Type, error) {
	tensors := make([]*tensor.Tensor, len(in))
	for i, t := range in {
		if t.Known == nil || t.Numel() > foldLimit {
			return out, nil
		}
		tensors[i] = t.Known.Contiguous()
	}
	results := make([]*tensor.Tensor, len(out))
	for i, t := range out {
		if t.Numel() > foldLimit {
			return out, nil
		}
		r, err := tensor.New(t.DType, t.Shape...)
		if err != nil {
			return out, nil
		}
		results[i] = r.WithQParams(t.Q)
	}
	if AllEmpty(out) {
		for i := range out {
			out[i].Known = results[i]
		}
		return out, nil
	}
	k, err := op.Prepare(&Prepare{In: in, Out: out, Tier: asm.Generic, Threads: 1})
	if err != nil || RunKernel(k, nil, tensors, results) != nil {
		return out, nil
	}
	for i := range out {
		out[i].Known = results[i]
	}
	return out, nil
}

// foldShapes is fold for operators whose output does not depend on the values
// of its inputs beyond what Infer looks at.
func foldShapes(op Op, in []Type, out Type) ([]Type, error) {
	if out.Numel() > foldLimit {
		return []Type{out}, nil
	}
	known := make([]Type, len(in))
	for i, t := range in {
		known[i] = t
		if t.Known == nil {
			zero, err := tensor.New(t.DType)
			if err != nil {
				return []Type{out}, nil
			}
			known[i] = Type{DType: t.DType, Shape: tensor.Shape{}, Known: zero}
		}
	}
	return fold(op, known, out)
}

// knownInts returns the elements of a known int64 or int32 value, or false.
func knownInts(t Type) ([]int, bool) {
	if t.Known == nil {
		return nil, false
	}
	switch t.DType {
	case tensor.Int64, tensor.Int32:
	default:
		return nil, false
	}
	out := make([]int, t.Numel())
	wide, err := t.Known.To(tensor.Int64)
	if err != nil {
		return nil, false
	}
	for i, v := range wide.Contiguous().Int64s() {
		out[i] = int(v)
	}
	return out, true
}
