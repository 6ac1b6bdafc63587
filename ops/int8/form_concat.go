package int8

import (
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

func init() {
	registerForm(ops.Concat{}, func(n Node) *Form {
		op := n.Op.(ops.Concat)
		f := &Form{FloatResult: true, Joins: true, Build: func(b Builder, in []ops.Ref, out *tensor.QParams) ops.Ref {
			if out == nil {
				return b.Apply(Concat{Axis: op.Axis}, in...)
			}
			return concat(b, op, in, out)
		}}
		for i := range n.In {
			f.Activations = append(f.Activations, i)
		}
		all := f.Activations
		f.Infinite = func(holds func(int) bool) bool { return slices.ContainsFunc(all, holds) }
		return f
	})
}

// concat adds a concatenation, with its inputs in the parameters of the result.
func concat(b Builder, op ops.Concat, in []ops.Ref, out *tensor.QParams) ops.Ref {
	values := slices.Clone(in)
	for i, v := range values {
		if q := b.Type(v).Q; !q.Equal(out) {
			values[i] = requantize(b, v, q, out)
		}
	}
	return b.Apply(op, values...)
}

// requantize adds a table from parameters in to out.
func requantize(b Builder, v ops.Ref, in, out *tensor.QParams) ops.Ref {
	t := NewTable("requantize", in, out, nil)
	b.Update(func() error { t.fill(in, nil); return nil })
	return b.Apply(t, v)
}
