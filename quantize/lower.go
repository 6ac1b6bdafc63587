package quantize

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// lower adds the int8 form of a node.
func (c *converter) lower(n *graph.Node, entry *Layer) ([]*graph.Value, error) {
	inputs := make([]*graph.Value, len(n.Inputs))
	for _, i := range c.p.quantizedInputs(n) {
		v, err := c.asQuantized(n.Inputs[i])
		if err != nil {
			return nil, err
		}
		inputs[i] = v
		if n.Inputs[i].Const == nil {
			entry.Inputs = append(entry.Inputs, c.p.names[c.p.source(n.Inputs[i])])
		}
	}
	var out *tensor.QParams
	if f := c.p.forms[n]; f != keepForm && !c.p.givesFloat(n) {
		var err error
		if out, err = c.qparams(n.Outputs[0]); err != nil {
			return nil, err
		}
		entry.Output = c.p.names[n.Outputs[0]]
	}
	switch c.p.forms[n] {
	case layerForm:
		return c.layer(n, inputs, out, entry)
	case keepForm:
		for i := 1; i < len(inputs); i++ {
			v, err := c.asFloat(n.Inputs[i])
			if err != nil {
				return nil, err
			}
			inputs[i] = v
		}
		return c.g.Add(n.Scope, n.Op, inputs...)
	case poolForm:
		return c.pool(n, inputs[0], out)
	case sumForm:
		return c.g.Add(n.Scope, int8.Add{Act: n.Op.(ops.Binary).Act, Out: out}, inputs...)
	case productForm:
		return c.g.Add(n.Scope, int8.Mul{Act: n.Op.(ops.Binary).Act, Out: out}, inputs...)
	case minForm:
		return c.g.Add(n.Scope, int8.Min{Act: n.Op.(ops.Binary).Act, Out: out}, inputs...)
	case tableForm:
		return c.table(n, inputs, out)
	case joinForm:
		return c.join(n, inputs, out)
	}
	return nil, &ops.UnsupportedError{Op: n.Op.Name(), Reason: "no int8 form"}
}

// layer adds a convolution or linear layer; inputs has what it takes quantized.
func (c *converter) layer(n *graph.Node, inputs []*graph.Value, out *tensor.QParams, entry *Layer) ([]*graph.Value, error) {
	for _, i := range dataInputs(n) {
		if inputs[i] != nil {
			continue
		}
		v, err := c.asFloat(n.Inputs[i])
		if err != nil {
			return nil, err
		}
		inputs[i] = v
	}
	x := inputs[0].Type.Q // nil where the input is quantized while running
	floatBias := c.p.policy.floatBias || x == nil
	scale := float32(0)
	if !floatBias {
		scale = x.Scale[0]
	}
	k, err := c.q.layerConstants(c.p, n, scale)
	if err != nil {
		return nil, err
	}
	for _, s := range k.weight.QParams().Scale {
		entry.WeightScaleMax = max(entry.WeightScaleMax, s)
	}
	entry.SafePanels, entry.Panels = int8.SafePanels(n.Op, k.weight, int(c.q.greatestInput()))
	entry.SQNR = Decibel(sqnr(n.Inputs[1].Const.Contiguous(), k.weight))
	in := []*graph.Value{inputs[0], c.g.Const(n.Inputs[1].Name, k.weight)}
	if k.bias != nil {
		bias := k.bias
		if !floatBias {
			if bias, err = c.q.opts.quantizeBias(k.bias.Contiguous().Float32s(), x, k.weight.QParams()); err != nil {
				return nil, err
			}
		}
		in = append(in, c.g.Const(biasName(n), bias))
	}
	if hasResidual(n.Op) {
		in = append(in, inputs[len(inputs)-1])
	}
	var op ops.Op
	switch float := withBias(n.Op, k.bias != nil).(type) {
	case ops.Conv:
		op = int8.Conv{ConvAttributes: ops.ConvAttributes(float), Out: out}
	case ops.Linear:
		op = int8.Linear{LinearAttributes: ops.LinearAttributes(float), Out: out}
		if c.p.policy.dynamic {
			op = int8.DynamicLinear{LinearAttributes: ops.LinearAttributes(float)}
		}
	}
	return c.g.Add(n.Scope, op, in...)
}

// biasName returns the name of a layer's bias, which a correction may add.
func biasName(n *graph.Node) string {
	if hasBias(n.Op) {
		return n.Inputs[2].Name
	}
	return n.Scope.Path + ".bias"
}

// pool adds an average. A mean over height and width is an adaptive one of one pixel.
func (c *converter) pool(n *graph.Node, x *graph.Value, out *tensor.QParams) ([]*graph.Value, error) {
	switch op := n.Op.(type) {
	case ops.AvgPool:
		return c.g.Add(n.Scope, int8.AvgPool{AvgPoolAttributes: ops.AvgPoolAttributes(op), Out: out}, x)
	case ops.AdaptiveAvgPool:
		return c.g.Add(n.Scope, int8.AdaptiveAvgPool{AdaptiveAvgPoolAttributes: ops.AdaptiveAvgPoolAttributes(op), Out: out}, x)
	}
	one := int8.AdaptiveAvgPool{AdaptiveAvgPoolAttributes: ops.AdaptiveAvgPoolAttributes{Size: []int{1, 1}}, Out: out}
	y, err := c.g.Add(n.Scope, one, x)
	if err != nil || n.Op.(ops.Reduce).KeepDims {
		return y, err
	}
	return c.g.Add(n.Scope, ops.Flatten{Start: 1, End: -1}, y...)
}

// table adds a function of one element, of which the other operand may be a number.
func (c *converter) table(n *graph.Node, inputs []*graph.Value, out *tensor.QParams) ([]*graph.Value, error) {
	x := inputs[dataInputs(n)[0]]
	operands := make([]*tensor.Tensor, len(inputs))
	for i, v := range n.Inputs {
		operands[i] = v.Const
	}
	t, err := int8.TableOf(n.Op, x.Type.Q, out, operands...)
	if err != nil {
		return nil, err
	}
	return c.g.Add(n.Scope, t, x)
}

// join adds a concatenation, with its inputs in the output's parameters.
func (c *converter) join(n *graph.Node, inputs []*graph.Value, out *tensor.QParams) ([]*graph.Value, error) {
	for i, v := range inputs {
		if v.Type.Q.Equal(out) {
			continue
		}
		r, err := c.g.Add1(n.Scope, int8.NewTable("requantize", v.Type.Q, out, nil), v)
		if err != nil {
			return nil, err
		}
		inputs[i] = r
	}
	return c.g.Add(n.Scope, n.Op, inputs...)
}
