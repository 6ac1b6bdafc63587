package quantize

import (
	"fmt"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// Quantize converts the float model m with what the observers saw. The result
// runs every selected operator in int8 and says so in Report.
func (q *Quantizer) Quantize(m *graph.Graph, overrides ...Override) (*graph.Graph, error) {
	p, err := q.prepare(m, overrides)
	if err != nil {
		return nil, err
	}
	c := &converter{
		q: q, p: p, g: graph.New(), report: &Report{},
		float: make(map[*graph.Value]*graph.Value), quant: make(map[*graph.Value]*graph.Value),
	}
	for _, v := range p.graph.Inputs {
		w := c.g.Input(v.Name, v.Type.DType, v.Type.Shape...)
		w.Guard = v.Guard
		c.float[v] = w
	}
	for _, n := range p.graph.Nodes {
		if err := c.node(n); err != nil {
			return nil, &graph.NodeError{Pass: "quantize", Node: n, Err: err}
		}
	}
	outputs := make([]*graph.Value, len(p.graph.Outputs))
	for i, v := range p.graph.Outputs {
		w, err := c.asFloat(v)
		if err != nil {
			return nil, err
		}
		w.Name = v.Name
		outputs[i] = w
	}
	c.g.SetOutputs(outputs...)
	c.g.RemoveDead()
	if err := c.g.Verify(); err != nil {
		return nil, fmt.Errorf("quantize: %w", err)
	}
	q.report = c.report
	return c.g, nil
}

// converter writes the int8 graph. Each value of the prepared float graph has a
// float32 form, a uint8 form, or both: whichever its users ask for.
type converter struct {
	q      *Quantizer
	p      *prepared
	g      *graph.Graph
	float  map[*graph.Value]*graph.Value
	quant  map[*graph.Value]*graph.Value
	report *Report
}

// asFloat returns v as float32, or in the type it has when that is not float32.
func (c *converter) asFloat(v *graph.Value) (*graph.Value, error) {
	if w := c.float[v]; w != nil {
		return w, nil
	}
	if v.Const != nil {
		w := c.g.Const(v.Name, v.Const)
		c.float[v] = w
		return w, nil
	}
	w, err := c.g.Add1(scopeOf(v), int8.Dequantize{}, c.quant[v])
	if err != nil {
		return nil, err
	}
	c.float[v] = w
	return w, nil
}

// asQuantized returns v as uint8 with the parameters of its observer.
func (c *converter) asQuantized(v *graph.Value) (*graph.Value, error) {
	if w := c.quant[v]; w != nil {
		return w, nil
	}
	q, err := c.qparams(v)
	if err != nil {
		return nil, err
	}
	f, err := c.asFloat(v)
	if err != nil {
		return nil, err
	}
	w, err := c.g.Add1(scopeOf(v), int8.Quantize{Q: q}, f)
	if err != nil {
		return nil, err
	}
	c.quant[v] = w
	return w, nil
}

// qparams returns the parameters of v as it is stored: uint8.
func (c *converter) qparams(v *graph.Value) (*tensor.QParams, error) {
	q, err := c.q.activation(c.p.names[c.p.source(v)])
	if err != nil {
		return nil, err
	}
	return stored(q, tensor.Uint8), nil
}

// stored returns parameters for the element type that kernels take, shifting
// integers and zero points by 128 between int8 and uint8. The meaning does not change.
func stored(q *tensor.QParams, dtype tensor.DType) *tensor.QParams {
	if q.DType == dtype {
		return q
	}
	shift := int32(128)
	if dtype == tensor.Int8 {
		shift = -128
	}
	s := *q
	s.DType = dtype
	s.Min += shift
	s.Max += shift
	s.ZeroPoint = make([]int32, len(q.ZeroPoint))
	for i, z := range q.ZeroPoint {
		s.ZeroPoint[i] = z + shift
	}
	return &s
}

func (c *converter) node(n *graph.Node) error {
	d := c.p.decision[n]
	if d.Quantize && passesThrough(n) && c.quant[n.Inputs[0]] == nil {
		d = Decision{Reason: "its input is float"}
	}
	entry := Layer{Name: n.Scope.Path, Op: n.Op.Name(), Precision: "float32", Reason: d.Reason}
	if d.Quantize {
		entry.Precision = "int8"
		op, inputs, err := c.lower(n, &entry)
		if err != nil {
			return err
		}
		out, err := c.g.Add1(n.Scope, op, inputs...)
		if err != nil {
			return err
		}
		if out.Type.DType == tensor.Float32 {
			c.float[n.Outputs[0]] = out
		} else {
			c.quant[n.Outputs[0]] = out
		}
		c.report.Layers = append(c.report.Layers, entry)
		return nil
	}
	inputs := make([]*graph.Value, len(n.Inputs))
	for i, v := range n.Inputs {
		w, err := c.asFloat(v)
		if err != nil {
			return err
		}
		inputs[i] = w
	}
	outs, err := c.g.Add(n.Scope, n.Op, inputs...)
	if err != nil {
		return err
	}
	for i, v := range n.Outputs {
		c.float[v] = outs[i]
	}
	c.report.Layers = append(c.report.Layers, entry)
	return nil
}

// weight quantizes a layer's weight and bias for an input with parameters x, nil
// when the input is quantized while running; then, and where the backend wants it so,
// the bias stays float32.
func (c *converter) weight(n *graph.Node, x *tensor.QParams, hasBias bool, entry *Layer) ([]*graph.Value, error) {
	w := n.Inputs[1].Const.Contiguous()
	q, err := c.q.weightQParams(n)
	if err != nil {
		return nil, err
	}
	q = stored(q, tensor.Int8)
	var bias []float32
	floatBias := c.p.policy.floatBias || x == nil
	if hasBias && !floatBias {
		bias = n.Inputs[2].Const.Contiguous().Float32s()
		q = coverBias(q, x.Scale[0], bias)
	}
	qw, err := quantizeWeight(w, q)
	if err != nil {
		return nil, err
	}
	for _, s := range q.Scale {
		entry.WeightScaleMax = max(entry.WeightScaleMax, s)
	}
	entry.SQNR = sqnr(w, qw)
	values := []*graph.Value{c.g.Const(n.Inputs[1].Name, qw)}
	switch {
	case hasBias && floatBias:
		values = append(values, c.g.Const(n.Inputs[2].Name, n.Inputs[2].Const))
	case hasBias:
		b, err := quantizeBias(bias, x, q)
		if err != nil {
			return nil, err
		}
		values = append(values, c.g.Const(n.Inputs[2].Name, b))
	}
	return values, nil
}

// lowerable reports whether the operator has an int8 form.
func lowerable(n *graph.Node) bool {
	if passesThrough(n) {
		return true
	}
	switch op := n.Op.(type) {
	case ops.Conv, ops.Linear, ops.AvgPool, ops.AdaptiveAvgPool:
		return true
	case ops.Concat:
		return n.Outputs[0].Type.DType == tensor.Float32
	case ops.Binary:
		return op.Fn == ops.Add && n.Outputs[0].Type.DType == tensor.Float32 &&
			n.Inputs[0].Const == nil && n.Inputs[1].Const == nil && n.Inputs[0].Type.Shape.Equal(n.Inputs[1].Type.Shape)
	}
	return false
}

// passesThrough reports whether the operator works on quantized values as it is and keeps
// their parameters.
func passesThrough(n *graph.Node) bool {
	if len(n.Inputs) == 0 || n.Inputs[0].Type.DType != tensor.Float32 {
		return false
	}
	switch n.Op.(type) {
	case ops.MaxPool, ops.Slice, ops.Pad, ops.Reshape, ops.Flatten, ops.Permute:
		return true
	}
	return false
}

// lower returns the int8 form of a node and its inputs.
func (c *converter) lower(n *graph.Node, entry *Layer) (ops.Op, []*graph.Value, error) {
	if passesThrough(n) {
		return n.Op, []*graph.Value{c.quant[n.Inputs[0]]}, nil
	}
	var out *tensor.QParams
	if !c.p.givesFloat(n) {
		var err error
		if out, err = c.qparams(n.Outputs[0]); err != nil {
			return nil, nil, err
		}
	}
	form := c.asQuantized
	if c.p.policy.dynamic {
		form = c.asFloat
	}
	inputs := make([]*graph.Value, 0, len(n.Inputs))
	for _, i := range dataInputs(n) {
		v, err := form(n.Inputs[i])
		if err != nil {
			return nil, nil, err
		}
		inputs = append(inputs, v)
	}
	layer := func(hasBias bool) error {
		constants, err := c.weight(n, inputs[0].Type.Q, hasBias, entry)
		inputs = append(append(inputs[:1:1], constants...), inputs[1:]...)
		return err
	}
	switch op := n.Op.(type) {
	case ops.Conv:
		err := layer(op.HasBias)
		return int8.Conv{Conv: op, Out: out}, inputs, err
	case ops.Linear:
		err := layer(op.HasBias)
		if c.p.policy.dynamic {
			return int8.DynamicLinear{Linear: op}, inputs, err
		}
		return int8.Linear{Linear: op, Out: out}, inputs, err
	case ops.AvgPool:
		return int8.AvgPool{AvgPool: op, Out: out}, inputs, nil
	case ops.AdaptiveAvgPool:
		return int8.AdaptiveAvgPool{AdaptiveAvgPool: op, Out: out}, inputs, nil
	case ops.Binary:
		return int8.Add{Act: op.Act, Out: out}, inputs, nil
	case ops.Concat:
		for i, v := range inputs {
			if v.Type.Q.Equal(out) {
				continue
			}
			r, err := c.g.Add1(n.Scope, int8.NewTable("requantize", v.Type.Q, out, nil), v)
			if err != nil {
				return nil, nil, err
			}
			inputs[i] = r
		}
		return op, inputs, nil
	}
	return nil, nil, &ops.UnsupportedError{Op: n.Op.Name(), Reason: "no int8 form"}
}
