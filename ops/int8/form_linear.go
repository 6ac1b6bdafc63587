package int8

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

func init() {
	registerLayer(ops.Linear{}, func(op ops.Op) *Layer { return linearLayer(op.(ops.Linear)) })
	registerForm(ops.Linear{}, func(n Node) *Form {
		op := n.Op.(ops.Linear)
		l := linearLayer(op)
		return &Form{Layer: l, Activations: l.activations(), FloatResult: true, ChannelWeight: &ChannelWeight{Input: 1, Axis: 1, Bias: max(l.Bias(), 0)}}
	})
}

func linearLayer(op ops.Linear) *Layer {
	with := func(l Layer) ops.LinearAttributes {
		a := ops.LinearAttributes(op)
		a.HasBias, a.HasResidual, a.Act = l.HasBias, l.HasResidual, l.Act
		return a
	}
	return &Layer{
		HasBias: op.HasBias, HasResidual: op.HasResidual, Act: op.Act, Groups: 1,
		float:   func(l Layer) ops.Op { return ops.Linear(with(l)) },
		int8:    func(l Layer, out *tensor.QParams) ops.Op { return Linear{LinearAttributes: with(l), Out: out} },
		dynamic: func(l Layer) ops.Op { return DynamicLinear{LinearAttributes: with(l)} },
	}
}
