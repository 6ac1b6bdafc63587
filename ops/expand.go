package ops

import (
	"fmt"
	"math"

	"github.com/octet-ml/octet/tensor"
)

// Expand repeats dimensions of extent 1, as torch.Tensor.expand does: -1 keeps
// an extent, and dimensions may be added in front.
//
// Inputs: x, and where Shape is nil a known vector of extents in its place.
type Expand struct {
	Shape []int
}

func (Expand) Name() string { return "expand" }

// String shows the shape in dumps.
func (op Expand) String() string { return fmt.Sprintf("expand(shape=%v)", op.Shape) }

func (op Expand) Infer(in []Type) ([]Type, error) {
	want, err := shapeInput(op, in, op.Shape)
	if err != nil {
		return nil, err
	}
	x := in[0]
	front := len(want) - len(x.Shape)
	if front < 0 {
		return nil, Errorf(op, in, "%v has fewer dimensions than the input", want)
	}
	out := Type{DType: x.DType, Shape: make(tensor.Shape, len(want)), Q: x.Q}
	for i, d := range want {
		switch k := i - front; {
		case d == -1 && k >= 0:
			d = x.Shape[k]
		case d < 0 || k >= 0 && x.Shape[k] != 1 && x.Shape[k] != d:
			return nil, Errorf(op, in, "it does not expand to %v", want)
		}
		out.Shape[i] = d
	}
	if x.Q != nil && x.Q.Scheme.PerChannel() {
		if front != 0 || x.Shape[x.Q.Axis] != out.Shape[x.Q.Axis] {
			return nil, Errorf(op, in, "cannot expand the quantization axis")
		}
	}
	if _, err := out.Shape.Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return fold(op, in, out)
}

// shapeInput returns the extents an operator takes as an attribute or, where
// that is nil, as a known second input.
func shapeInput(op Op, in []Type, attribute []int) ([]int, error) {
	if attribute != nil {
		return attribute, arity(op, in, 1, 1)
	}
	if err := arity(op, in, 1, 2); err != nil {
		return nil, err
	}
	if len(in) == 1 {
		return nil, nil
	}
	shape, ok := knownInts(in[1])
	if !ok || len(in[1].Shape) != 1 {
		return nil, Errorf(op, in, "the extents must be integers known before it runs")
	}
	return shape, nil
}

// IsView holds when nothing is repeated.
func (op Expand) IsView(in, out []Type) bool { return in[0].Numel() == out[0].Numel() }

func (op Expand) Prepare(p *Prepare) (*Kernel, error) {
	out := p.Out[0]
	_, strides := align(p.In[0].Shape, len(out.Shape), false)
	return stridedKernel(p.Tier, newStrided(out.Shape, strides, out.Shape.Strides()), out.DType.Size(), out.Numel(), 0, 0), nil
}

// Tile repeats a value along dimensions, as torch.Tensor.repeat does;
// dimensions may be added in front.
type Tile struct {
	Repeats []int
}

func (Tile) Name() string { return "tile" }

func (op Tile) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	x := in[0]
	front := len(op.Repeats) - len(x.Shape)
	if front < 0 {
		return nil, Errorf(op, in, "%v has fewer dimensions than the input", op.Repeats)
	}
	if x.Q != nil && x.Q.Scheme.PerChannel() {
		return nil, Errorf(op, in, "cannot repeat a value quantized per channel")
	}
	out := Type{DType: x.DType, Shape: make(tensor.Shape, len(op.Repeats)), Q: x.Q}
	for i, n := range op.Repeats {
		d := 1
		if k := i - front; k >= 0 {
			d = x.Shape[k]
		}
		if n < 0 || d > 0 && n > math.MaxInt/d {
			return nil, Errorf(op, in, "cannot repeat dimension %d %d times", i, n)
		}
		out.Shape[i] = n * d
	}
	if _, err := out.Shape.Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return fold(op, in, out)
}

// IsView holds when nothing is repeated.
func (op Tile) IsView(in, out []Type) bool { return in[0].Numel() == out[0].Numel() }

func (op Tile) Prepare(p *Prepare) (*Kernel, error) {
	out := p.Out[0]
	shape, strides := align(p.In[0].Shape, len(out.Shape), false)
	outStrides := out.Shape.Strides()
	// Each dimension is two loops: the repetitions, and the elements.
	var extent, from, to []int
	for i, d := range shape {
		extent = append(extent, op.Repeats[i], d)
		from = append(from, 0, strides[i])
		to = append(to, d*outStrides[i], outStrides[i])
	}
	return stridedKernel(p.Tier, newStrided(extent, from, to), out.DType.Size(), out.Numel(), 0, 0), nil
}
