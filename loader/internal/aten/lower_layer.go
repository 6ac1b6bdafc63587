package aten

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// layer adds a convolution or linear layer with an int8 weight, with the output's
// parameters q, nil for float32, and a residual that is added before the activation, or nil.
// The result is nil where n is no such layer.
func (l *lowering) layer(n *graph.Node, act ops.Activation, q *tensor.QParams, residual *graph.Value) (*graph.Value, error) {
	if !l.hasWeight(n) {
		return nil, nil
	}
	x := l.ints[n.Inputs[0]]
	if x == nil {
		if by := l.dynamic[n.Inputs[0]]; by.from != nil && q == nil {
			return l.dynamicLinear(n, by)
		}
		return nil, nil
	}
	p := &Packed{Weight: l.weights[n.Inputs[1].Const]}
	asInt := residual != nil
	hasBias := false
	var op ops.Op
	switch float := n.Op.(type) {
	case ops.Conv:
		if float.HasResidual || float.Act != ops.NoActivation {
			return nil, nil
		}
		asInt = asInt || q != nil && float.Groups > 1 && p.Weight.Dim(1) == 1
		hasBias = float.HasBias
		float.Act, float.HasResidual = act, residual != nil
		op = int8.Conv{ConvAttributes: ops.ConvAttributes(float), Out: q}
	case ops.Linear:
		if float.HasResidual || float.Act != ops.NoActivation {
			return nil, nil
		}
		hasBias = float.HasBias
		float.Act, float.HasResidual = act, residual != nil
		op = int8.Linear{LinearAttributes: ops.LinearAttributes(float), Out: q}
	default:
		return nil, nil
	}
	in := []*graph.Value{x, l.g.Const(weightName(n), p.Weight)}
	if hasBias {
		p.Bias = n.Inputs[2].Const
		if p.Bias == nil || p.Bias.DType() != tensor.Float32 {
			return nil, nil
		}
		bias := p.Bias
		if asInt {
			if ints := p.intBias(x.Type.Q).bias; ints != nil {
				bias = ints
			}
		}
		in = append(in, l.g.Const(n.Inputs[2].Name, bias))
	}
	if residual != nil {
		in = append(in, residual)
	}
	return l.try(n, layerNodes(n, act, q, residual), op, in...), nil
}

// weightName returns the name of a layer's weight.
func weightName(n *graph.Node) string {
	if name := n.Inputs[1].Name; name != "" {
		return name
	}
	return join(n.Scope.Path, "weight")
}

// layerNodes names the nodes that a layer stands for.
func layerNodes(n *graph.Node, act ops.Activation, q *tensor.QParams, residual *graph.Value) string {
	text := "dequantize, " + n.Op.Name()
	if residual != nil {
		text += ", add"
	}
	if act != ops.NoActivation {
		text += ", " + act.String()
	}
	if q != nil {
		text += ", quantize"
	}
	return text
}

// dynamicLinear adds a linear layer that quantizes its input while it runs.
func (l *lowering) dynamicLinear(n *graph.Node, by choice) (*graph.Value, error) {
	op, ok := n.Op.(ops.Linear)
	if !ok || op.HasResidual {
		return nil, nil
	}
	in, err := l.values(append([]*graph.Value{by.from}, n.Inputs[1:]...))
	if err != nil {
		return nil, err
	}
	in[1] = l.g.Const(weightName(n), l.weights[n.Inputs[1].Const])
	return l.try(n, "choose_qparams, quantize, dequantize, linear", int8.DynamicLinear{LinearAttributes: ops.LinearAttributes(op), Range: by.by}, in...), nil
}
