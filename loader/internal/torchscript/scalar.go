package torchscript

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// dtype returns the element type that numbers of a kind have in a graph.
func (k kind) dtype() tensor.DType {
	return [...]tensor.DType{tensor.Bool, tensor.Int64, tensor.Float64}[k]
}

// kindOfDType returns the kind that elements of a type have as numbers.
func kindOfDType(d tensor.DType) kind {
	switch {
	case d == tensor.Bool:
		return boolKind
	case d.IsInteger():
		return intKind
	}
	return floatKind
}

// scalarTensor returns a plain number as a tensor without dimensions.
func scalarTensor(v any) *tensor.Tensor {
	switch v := v.(type) {
	case bool:
		return tensor.Scalar(v)
	case int64:
		return tensor.Scalar(v)
	case float64:
		return tensor.Scalar(v)
	}
	return nil
}

// scalar returns a number as a value without dimensions, of the element type of
// its kind.
func (b *builder) scalar(n *number) (*graph.Value, error) {
	switch t := n.term; {
	case t == nil || n.known != nil && len(n.deps) == 0:
		b.depend(n.deps)
		return b.plainConst(n.known), nil
	case t.value != nil:
		return b.cast(t.value, n.kind.dtype())
	case t.input != nil:
		return b.add1(ops.SizeOf{Axis: t.axis}, t.input)
	case t.cast != nil:
		v, err := b.scalar(t.cast)
		if err != nil {
			return nil, err
		}
		return b.cast(v, n.kind.dtype())
	default:
		x, err := b.scalar(t.a)
		if err != nil {
			return nil, err
		}
		y, err := b.scalar(t.b)
		if err != nil {
			return nil, err
		}
		v, err := b.add1(ops.Binary{Fn: t.fn}, x, y)
		if err != nil {
			return nil, err
		}
		return b.cast(v, n.kind.dtype())
	}
}

// plainConst returns a plain number as a constant.
func (b *builder) plainConst(v any) *graph.Value {
	c := b.region.g.Const("", scalarTensor(v))
	b.know(c)
	return c
}

// add1 appends a node of an operator with one output.
func (b *builder) add1(op ops.Op, inputs ...*graph.Value) (*graph.Value, error) {
	out, err := b.add(op, inputs...)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// cast converts elements, unless they have the type already.
func (b *builder) cast(v *graph.Value, d tensor.DType) (*graph.Value, error) {
	if v.Type.DType == d {
		return b.local(v), nil
	}
	return b.add1(ops.Cast{DType: d}, v)
}

// plain returns a number as a plain one, on which the graph then depends, and
// false when only the run knows it.
func (b *builder) plain(n *number) (any, bool) {
	if n.known != nil {
		b.depend(n.deps)
		return n.known, true
	}
	if n.term == nil {
		return nil, false
	}
	return b.plainTerm(n)
}

// plainValue returns a bool, int or float as a plain one, which the graph then
// depends on, and any other value as it is.
func (b *builder) plainValue(v any) (any, error) {
	n, ok := v.(*number)
	if !ok {
		return v, nil
	}
	p, ok := b.plain(n)
	if !ok {
		return nil, errDataDependent
	}
	return p, nil
}

// element returns the only element of a value without dimensions as a number.
func (b *builder) element(v *graph.Value, k kind) *number {
	n := &number{kind: k, term: &term{value: v}}
	if known := v.Type.Known; known != nil {
		if x, ok := plainOf(known); ok {
			n.known, n.deps = convert(x, k), b.info[v].content
		}
	}
	return n
}

// inputNumber returns an input without dimensions as a number, which the graph may
// come to depend on; nil where its value is not known.
func (b *builder) inputNumber(v *graph.Value, t ops.Type) *number {
	if t.Known == nil || len(t.Shape) > 0 {
		return nil
	}
	x, ok := plainOf(t.Known)
	if !ok {
		return nil
	}
	k, _ := kindOf(x)
	return &number{kind: k, known: x, deps: b.fact(v, -1), term: &term{value: v}}
}

// inputTensor returns an input as a tensor. The value of one without dimensions
// is a number that the graph may come to depend on.
func (b *builder) inputTensor(v *graph.Value, t ops.Type) *Tensor {
	ref := fresh(v)
	ref.number = b.inputNumber(v, t)
	return ref
}

// plainTerm computes a number from those it is made of.
func (b *builder) plainTerm(n *number) (any, bool) {
	v, err := b.scalar(n)
	if err != nil {
		return nil, false
	}
	t := b.known(v)
	if t == nil {
		return nil, false
	}
	x, ok := plainOf(t)
	return convert(x, n.kind), ok
}

// plainOf returns the only element of a tensor as a plain number.
func plainOf(t *tensor.Tensor) (any, bool) {
	if t.Numel() != 1 || t.QParams() != nil {
		return nil, false
	}
	wide, k := tensor.Float64, floatKind
	switch d := t.DType(); {
	case d == tensor.Bool:
		wide, k = tensor.Int64, boolKind
	case d.IsInteger():
		wide, k = tensor.Int64, intKind
	}
	w, err := t.Contiguous().To(wide)
	if err != nil {
		return nil, false
	}
	if wide == tensor.Int64 {
		return convert(w.Contiguous().Int64s()[0], k), true
	}
	return tensor.Data[float64](w.Contiguous())[0], true
}
