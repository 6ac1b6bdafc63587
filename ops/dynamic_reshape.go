package ops

import (
	"math"

	"github.com/octet-ml/octet/tensor"
)

// DynamicReshape gives its first input a shape whose extents are made of those of its
// inputs, so that what joins and splits dimensions serves values of any extents.
// Of the other inputs only the shapes count.
type DynamicReshape struct {
	Extents []Extent
}

// Extent is the product of the extents of some dimensions, times a factor and
// divided by a divisor; 0 counts as 1 for both.
type Extent struct {
	Of              []Dimension
	Factor, Divisor int
}

// Dimension is a dimension of an input.
type Dimension struct{ Input, Axis int }

func (DynamicReshape) Name() string { return "regroup" }

func (op DynamicReshape) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, math.MaxInt); err != nil {
		return nil, err
	}
	shape := make(tensor.Shape, len(op.Extents))
	for i, e := range op.Extents {
		if e.Factor < 0 || e.Divisor < 0 {
			return nil, Errorf(op, in, "factor %d and divisor %d of extent %d", e.Factor, e.Divisor, i)
		}
		parts := tensor.Shape{max(e.Factor, 1)}
		for _, d := range e.Of {
			if d.Input < 0 || d.Input >= len(in) || d.Axis < 0 || d.Axis >= len(in[d.Input].Shape) {
				return nil, Errorf(op, in, "there is no dimension %d of input %d", d.Axis, d.Input)
			}
			parts = append(parts, in[d.Input].Shape[d.Axis])
		}
		n, err := parts.Numel()
		if err != nil {
			return nil, Errorf(op, in, "%v", err)
		}
		if n%max(e.Divisor, 1) != 0 {
			return nil, Errorf(op, in, "extent %d would be %d by %d", i, n, e.Divisor)
		}
		shape[i] = n / max(e.Divisor, 1)
	}
	if n, err := shape.Numel(); err != nil || n != in[0].Numel() {
		return nil, Errorf(op, in, "%v does not have the elements of input 0", shape)
	}
	return []Type{viewType(in[0], shape)}, nil
}

func (op DynamicReshape) Prepare(p *Prepare) (*Kernel, error) { return copyKernel(), nil }

// IsView is always true.
func (DynamicReshape) IsView(in, out []Type) bool { return true }

// Grad gives the gradient the input's shape; the other inputs have none.
func (op DynamicReshape) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	out := make([]Ref, len(in))
	out[0] = reshaped(b, dout[0], b.Type(in[0]).Shape)
	return out
}
