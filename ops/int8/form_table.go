package int8

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

func init() {
	registerForm(ops.Unary{}, func(n Node) *Form {
		op := n.Op.(ops.Unary)
		f := &Form{}
		if n.takesActivation() {
			f = tableForm(n, 0)
		}
		f.Homogeneous = op.Fn == ops.ReLU || op.Fn == ops.LeakyReLU
		f.Bounds = unaryBounds[op.Fn]
		return f
	})
}

// unaryBounds are the functions whose results are in an interval that does not depend on their input.
var unaryBounds = map[ops.UnaryFn]*Interval{
	ops.Sigmoid:     {0, 1},
	ops.HardSigmoid: {0, 1},
	ops.Tanh:        {-1, 1},
	ops.ReLU6:       {0, 6},
}

// tableForm is the form of a function of one element of the given input: a table of its 256 integers. The other inputs are constants.
func tableForm(n Node, input int) *Form {
	return &Form{
		Activations: []int{input},
		Function: func(dst, src []float32) error {
			tab, err := newTabulation(n.Op, n.Const)
			if err != nil {
				return err
			}
			return tab.compute(dst, src)
		},
		Build: func(b Builder, in []ops.Ref, out *tensor.QParams) ops.Ref {
			t, q := Table{Label: n.Op.Name(), Values: new([256]uint8), Out: out}, b.Type(in[input]).Q
			tab, err := newTabulation(n.Op, n.Const)
			if err != nil {
				b.Fail(err)
				return in[input]
			}
			b.Update(func() error { return tab.fill(t, q) })
			return b.Apply(t, in[input])
		},
	}
}
