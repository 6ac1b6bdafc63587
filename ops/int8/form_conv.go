package int8

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

func init() {
	registerLayer(ops.Conv{}, func(op ops.Op) *Layer { return convLayer(op.(ops.Conv)) })
	registerForm(ops.Conv{}, func(n Node) *Form {
		op := n.Op.(ops.Conv)
		l := convLayer(op)
		// The kernels of depthwise convolutions store integers.
		depthwise := op.Groups > 1 && op.Groups == n.In[0].Shape[1]
		return &Form{Layer: l, Activations: l.activations(), FloatResult: !depthwise}
	})
}

func convLayer(op ops.Conv) *Layer {
	with := func(l Layer) ops.Conv {
		c := op
		c.HasBias, c.HasResidual, c.Act = l.HasBias, l.HasResidual, l.Act
		return c
	}
	return &Layer{
		HasBias: op.HasBias, HasResidual: op.HasResidual, Act: op.Act, Groups: op.Groups, Conv: &op,
		float: func(l Layer) ops.Op { return with(l) },
		int8: func(l Layer, out *tensor.QParams) ops.Op {
			return Conv{ConvAttributes: ops.ConvAttributes(with(l)), Out: out}
		},
	}
}
