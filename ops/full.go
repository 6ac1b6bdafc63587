package ops

import (
	"fmt"

	"github.com/octet-ml/octet/tensor"
)

// Full gives a value whose elements are all the same, as torch.full does.
//
// Inputs: none; or a known vector of extents where Shape is nil; or with Like a
// value whose shape is taken, as torch.zeros_like and torch.full_like do.
type Full struct {
	Shape []int
	Value float64
	DType tensor.DType
	Like  bool
}

func (Full) Name() string { return "full" }

// String shows the value in dumps.
func (op Full) String() string { return fmt.Sprintf("full(%v, %v)", op.Value, op.DType) }

func (op Full) Infer(in []Type) ([]Type, error) {
	if op.DType.Size() == 0 {
		return nil, Errorf(op, in, "there is no element type %v", op.DType)
	}
	shape := tensor.Shape(op.Shape)
	switch {
	case op.Like:
		if err := arity(op, in, 1, 1); err != nil {
			return nil, err
		}
		shape = in[0].Shape
	case op.Shape != nil || len(in) == 0:
		if err := arity(op, in, 0, 0); err != nil {
			return nil, err
		}
	default:
		if err := arity(op, in, 1, 1); err != nil {
			return nil, err
		}
		extents, ok := knownInts(in[0])
		if !ok || len(in[0].Shape) != 1 {
			return nil, Errorf(op, in, "the extents must be integers known before it runs")
		}
		shape = extents
	}
	if _, err := shape.Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return foldShapes(op, in, Type{DType: op.DType, Shape: shape.Clone()})
}

func (op Full) Prepare(p *Prepare) (*Kernel, error) {
	store := storer[float64](op.DType)
	size := op.DType.Size()
	return &Kernel{
		Run: func(c *Call) error {
			raw := c.Out[0].Bytes()
			if len(raw) == 0 {
				return nil
			}
			one := scratchOf[float64](c.Scratch, 0, 1)
			one[0] = op.Value
			store(base(c.Out[0]), 0, one)
			for n := size; n < len(raw); n *= 2 {
				copy(raw[n:], raw[:n])
			}
			return nil
		},
		Scratch:  8,
		Choice:   "fill",
		Parallel: 1,
	}, nil
}

// Grad is none: of a value that it is to be like only the shape counts.
func (Full) Grad(_ GradBuilder, in, _, _ []Ref, _ []bool) []Ref { return make([]Ref, len(in)) }
