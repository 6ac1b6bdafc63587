package ops

import "github.com/octet-ml/octet/tensor"

// ReshapeTo is Reshape to a shape that is computed from others.
//
// Inputs: x, and a vector of extents that is known before anything runs; one
// may be -1 and is inferred.
type ReshapeTo struct{}

func (ReshapeTo) Name() string { return "reshape_to" }

func (op ReshapeTo) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	want, err := shapeInput(op, in, nil)
	if err != nil {
		return nil, err
	}
	shape, err := tensor.InferShape(in[0].Numel(), want)
	if err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return []Type{viewType(in[0], shape)}, nil
}

func (op ReshapeTo) Prepare(p *Prepare) (*Kernel, error) { return copyKernel(), nil }

// IsView is always true.
func (ReshapeTo) IsView(in, out []Type) bool { return true }

// SliceTo is Slice with bounds that are computed from shapes.
//
// Inputs: x, and the start and the end, scalars known before anything runs.
type SliceTo struct {
	Axis, Step int
}

func (SliceTo) Name() string { return "slice_to" }

func (op SliceTo) Infer(in []Type) ([]Type, error) {
	s, err := op.slice(in)
	if err != nil {
		return nil, err
	}
	out, err := s.Infer(in[:1])
	if err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return out, nil
}

// slice returns the operator with its inputs as attributes.
func (op SliceTo) slice(in []Type) (Slice, error) {
	if err := arity(op, in, 3, 3); err != nil {
		return Slice{}, err
	}
	start, ok1 := knownInts(in[1])
	end, ok2 := knownInts(in[2])
	if !ok1 || !ok2 || len(start) != 1 || len(end) != 1 {
		return Slice{}, Errorf(op, in, "the bounds must be integers known before it runs")
	}
	return Slice{Axis: op.Axis, Start: start[0], End: end[0], Step: op.Step}, nil
}

// IsView holds when everything is taken.
func (op SliceTo) IsView(in, out []Type) bool { return in[0].Shape.Equal(out[0].Shape) }

func (op SliceTo) Prepare(p *Prepare) (*Kernel, error) {
	s, err := op.slice(p.In)
	if err != nil {
		return nil, err
	}
	inner := *p
	inner.In = p.In[:1]
	return s.Prepare(&inner)
}
