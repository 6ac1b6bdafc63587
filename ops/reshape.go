package ops

import (
	"fmt"

	"github.com/octet-ml/octet/tensor"
)

// Reshape gives a value another shape with as many elements, as torch.reshape
// does. An extent of 0 copies the input's extent of the same dimension, and one
// may be -1, which is inferred, so that a shape can leave the batch open.
type Reshape struct {
	Shape []int
}

func (Reshape) Name() string { return "reshape" }

func (op Reshape) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	want := make([]int, len(op.Shape))
	for i, d := range op.Shape {
		if d == 0 {
			if i >= len(in[0].Shape) {
				return nil, Errorf(op, in, "extent %d of %v copies a dimension that the input lacks", i, op.Shape)
			}
			d = in[0].Shape[i]
		}
		want[i] = d
	}
	shape, err := tensor.InferShape(in[0].Numel(), want)
	if err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return []Type{viewType(in[0], shape)}, nil
}

func (op Reshape) Prepare(p *Prepare) (*Kernel, error) { return copyKernel(), nil }

func (Reshape) IsView(in, out []Type) bool { return true }

// Flatten joins the dimensions Start to End into one, as torch.flatten does.
type Flatten struct {
	Start, End int
}

func (Flatten) Name() string { return "flatten" }

func (op Flatten) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	s := in[0].Shape
	start, err1 := s.Axis(op.Start)
	end, err2 := s.Axis(op.End)
	if err1 != nil || err2 != nil || start > end {
		return nil, Errorf(op, in, "it has no dimensions %d to %d", op.Start, op.End)
	}
	if len(s) == 0 {
		return []Type{viewType(in[0], tensor.Shape{1})}, nil
	}
	shape := s[:start].Clone()
	n := 1
	for _, d := range s[start : end+1] {
		n *= d
	}
	shape = append(append(shape, n), s[end+1:]...)
	return []Type{viewType(in[0], shape)}, nil
}

func (op Flatten) Prepare(p *Prepare) (*Kernel, error) { return copyKernel(), nil }

func (Flatten) IsView(in, out []Type) bool { return true }

// viewType returns the type of the same elements under another shape.
func viewType(in Type, shape tensor.Shape) Type {
	out := Type{DType: in.DType, Shape: shape, Q: in.Q}
	if in.Known != nil {
		if t, err := in.Known.Contiguous().Reshape(shape...); err == nil {
			out.Known = t
		}
	}
	return out
}

// copyKernel copies the bytes of the first input.
func copyKernel() *Kernel {
	return &Kernel{
		Run: func(c *Call) error {
			copy(c.Out[0].Bytes(), c.In[0].Bytes())
			return nil
		},
		Choice:   "copy",
		Parallel: 1,
	}
}

// String shows the attributes in dumps.
func (op Reshape) String() string { return fmt.Sprintf("reshape(shape=%v)", op.Shape) }
