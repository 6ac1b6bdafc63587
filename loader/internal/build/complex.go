package build

import (
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// A graph computes with complex numbers as pairs of floats, in a last dimension that programs do not see. Tensors of complex element types are its
// inputs, outputs and what files hold.

// ComplexParameter is Parameter of a tensor of complex numbers.
func ComplexParameter(name string, t *tensor.Tensor) (*Tensor, error) {
	parts, err := t.ViewAsReal()
	if err != nil {
		return nil, err
	}
	p := Parameter(name, parts)
	p.Complex = true
	return p, nil
}

// ProgramInput returns an input of a type as the program sees it.
func (b *Builder) ProgramInput(v *graph.Value, t ops.Type) (*Tensor, error) {
	if !t.DType.IsComplex() {
		return b.InputTensor(v, t), nil
	}
	one, err := b.Reshape(v, append(slices.Clone(b.ValueDims(v)), Extent(1)))
	if err != nil {
		return nil, err
	}
	parts, err := b.Add(ops.Bits{DType: t.DType.Part()}, one)
	if err != nil {
		return nil, err
	}
	x := NewTensor(parts[0])
	x.Complex = true
	return x, nil
}

// Output returns the value of a tensor that leaves the graph.
func (b *Builder) Output(t *Tensor) (*graph.Value, error) {
	v, err := b.Read(t)
	if err != nil || !t.Complex {
		return v, err
	}
	d := tensor.Complex64
	if t.DType() == tensor.Float64 {
		d = tensor.Complex128
	}
	one, err := b.Add(ops.Bits{DType: d}, v)
	if err != nil {
		return nil, err
	}
	return b.Reshape(one[0], b.ValueDims(v)[:t.Rank()])
}
