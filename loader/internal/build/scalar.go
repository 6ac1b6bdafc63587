package build

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// DType returns the element type that numbers of a kind have in a graph.
func (k Kind) DType() tensor.DType {
	return [...]tensor.DType{tensor.Bool, tensor.Int64, tensor.Float64}[k]
}

// KindOfDType returns the kind that elements of a type have as numbers.
func KindOfDType(d tensor.DType) Kind {
	switch {
	case d == tensor.Bool:
		return Bool
	case d.IsInteger():
		return Int
	}
	return Float
}

// ScalarTensor returns a plain number as a tensor without dimensions.
func ScalarTensor(v any) *tensor.Tensor {
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

// Scalar returns a number as a value without dimensions, of the element type of
// its kind.
func (b *Builder) Scalar(n *Number) (*graph.Value, error) {
	switch t := n.Term; {
	case t == nil || n.Known != nil && len(n.Deps) == 0:
		b.Depend(n.Deps)
		return b.PlainConst(n.Known), nil
	case t.Value != nil:
		return b.Cast(t.Value, n.Kind.DType())
	case t.Input != nil:
		return b.AddOne(ops.SizeOf{Axis: t.Axis}, t.Input)
	case t.Cast != nil:
		v, err := b.Scalar(t.Cast)
		if err != nil {
			return nil, err
		}
		return b.Cast(v, n.Kind.DType())
	default:
		x, err := b.Scalar(t.A)
		if err != nil {
			return nil, err
		}
		y, err := b.Scalar(t.B)
		if err != nil {
			return nil, err
		}
		v, err := b.AddOne(ops.Binary{Fn: t.Fn}, x, y)
		if err != nil {
			return nil, err
		}
		return b.Cast(v, n.Kind.DType())
	}
}

// PlainConst returns a plain number as a constant.
func (b *Builder) PlainConst(v any) *graph.Value {
	c := b.region.Graph.Const("", ScalarTensor(v))
	b.know(c)
	return c
}

// AddOne appends a node of an operator with one output.
func (b *Builder) AddOne(op ops.Op, inputs ...*graph.Value) (*graph.Value, error) {
	out, err := b.Add(op, inputs...)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Cast converts elements, unless they have the type already.
func (b *Builder) Cast(v *graph.Value, d tensor.DType) (*graph.Value, error) {
	if v.Type.DType == d {
		return b.local(v), nil
	}
	return b.AddOne(ops.Cast{DType: d}, v)
}

// Plain returns a number as a plain one, on which the graph then depends, and
// false when only the run knows it.
func (b *Builder) Plain(n *Number) (any, bool) {
	if b.inside(n.Deps) {
		return nil, false
	}
	if n.Known != nil {
		n = b.narrow(n)
		b.Depend(n.Deps)
		return n.Known, true
	}
	if n.Term == nil {
		return nil, false
	}
	return b.plainTerm(n)
}

// PlainValue returns a bool, int or float as a plain one, which the graph then
// depends on, and any other value as it is. One that only the run knows is plain where the graph is to hold for one run (DecideConditions).
func (b *Builder) PlainValue(v any) (any, error) {
	n, ok := v.(*Number)
	if !ok {
		return v, nil
	}
	p, ok := b.Plain(n)
	if !ok {
		n, err := b.decide(n)
		if err != nil {
			return nil, err
		}
		if p, ok = b.Plain(n); !ok {
			return nil, ErrDataDependent
		}
	}
	return p, nil
}

// Element returns the only element of a value without dimensions as a number.
func (b *Builder) Element(v *graph.Value, k Kind) *Number {
	n := &Number{Kind: k, Term: &Term{Value: v}}
	if known := v.Type.Known; known != nil {
		if x, ok := PlainElement(known); ok {
			n.Known, n.Deps = Convert(x, k), b.info[v].content
		}
	}
	return n
}

// InputNumber returns an input without dimensions as a number, which the graph may
// come to depend on; nil where its value is not known.
func (b *Builder) InputNumber(v *graph.Value, t ops.Type) *Number {
	if t.Known == nil || len(t.Shape) > 0 {
		return nil
	}
	x, ok := PlainElement(t.Known)
	if !ok {
		return nil
	}
	k, _ := KindOf(x)
	return &Number{Kind: k, Known: x, Deps: b.fact(v, -1), Term: &Term{Value: v}}
}

// InputTensor returns an input as a tensor. The value of one without dimensions
// is a number that the graph may come to depend on.
func (b *Builder) InputTensor(v *graph.Value, t ops.Type) *Tensor {
	ref := NewTensor(v)
	ref.Number = b.InputNumber(v, t)
	return ref
}

// plainTerm computes a number from those it is made of.
func (b *Builder) plainTerm(n *Number) (any, bool) {
	v, err := b.Scalar(n)
	if err != nil {
		return nil, false
	}
	t := b.Known(v)
	if t == nil {
		return nil, false
	}
	x, ok := PlainElement(t)
	return Convert(x, n.Kind), ok
}

// PlainElement returns the only element of a tensor as a plain number.
func PlainElement(t *tensor.Tensor) (any, bool) {
	if t.Numel() != 1 || t.QParams() != nil {
		return nil, false
	}
	wide, k := tensor.Float64, Float
	switch d := t.DType(); {
	case d == tensor.Bool:
		wide, k = tensor.Int64, Bool
	case d.IsInteger():
		wide, k = tensor.Int64, Int
	}
	w, err := t.Contiguous().To(wide)
	if err != nil {
		return nil, false
	}
	if wide == tensor.Int64 {
		return Convert(w.Contiguous().Int64s()[0], k), true
	}
	return tensor.Data[float64](w.Contiguous())[0], true
}
