package quantize

import (
	"context"
	"errors"
	"fmt"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// Quantize converts the float model m with what the observers saw. The result
// runs every selected operator in int8 and says so in Report. Its inputs have the types of one sample where
// nothing depends on how large a batch is; it takes any batch that the float model takes.
func (q *Quantizer) Quantize(m *graph.Graph, overrides ...Override) (*graph.Graph, error) {
	return q.QuantizeContext(context.Background(), m, overrides...)
}

// QuantizeContext is Quantize that ends between two nodes with ctx: learned rounding computes long for each.
func (q *Quantizer) QuantizeContext(ctx context.Context, m *graph.Graph, overrides ...Override) (*graph.Graph, error) {
	p, err := q.prepare(m, overrides)
	if err != nil {
		return nil, err
	}
	c, err := q.convert(ctx, p)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(m.ReadError(), p.graph.ReadError()); err != nil {
		return nil, err
	}
	q.report = c.report
	g := oneSample(c.g)
	g.Info = m.Info
	return g, nil
}

// convert writes the quantized form of a prepared model, until ctx ends.
func (q *Quantizer) convert(ctx context.Context, p *prepared) (*converter, error) {
	c := &converter{
		q: q, p: p, g: graph.New(), report: &Report{},
		float: make(map[*graph.Value]*graph.Value), quant: make(map[*graph.Value]*graph.Value), named: make(map[string]int),
	}
	for _, v := range p.graph.Constants() {
		c.named[v.Name]++
	}
	for _, v := range p.graph.Inputs {
		w := c.g.Input(v.Name, v.Type.DType, v.Type.Shape...)
		w.Guard = v.Guard
		c.float[v] = w
	}
	for _, n := range p.graph.Nodes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
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
	c.g.State = p.graph.State
	c.g.RemoveDead()
	if err := c.g.Verify(); err != nil {
		return nil, fmt.Errorf("quantize: %w", err)
	}
	return c, nil
}

// converter writes the int8 graph. Each value of the prepared float graph has a
// float32 form, a uint8 form, or both: whichever its users ask for.
type converter struct {
	q      *Quantizer
	p      *prepared
	g      *graph.Graph
	shared map[uint64][]*tensor.Tensor // constants, by hash
	named  map[string]int              // how many constants of the prepared graph have a name
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
		t := v.Const
		if c.named[v.Name] > 1 { // what fusions have computed anew in each place where a module is called
			t = c.once(t)
		}
		w := c.g.Const(v.Name, t)
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
	if v.Const != nil {
		t, err := ops.Eval(int8.Quantize{Q: q}, asm.Generic, nil, v.Const)
		if err != nil {
			return nil, err
		}
		c.quant[v] = c.g.Const(v.Name, t[0])
		return c.quant[v], nil
	}
	f, err := c.asFloat(v)
	if err != nil {
		return nil, err
	}
	c.quant[v], err = c.g.Add1(scopeOf(v), int8.Quantize{Q: q}, f)
	return c.quant[v], err
}

// qparams returns the parameters of v as it is stored: uint8. A constant's are
// those of its extremes.
func (c *converter) qparams(v *graph.Value) (*tensor.QParams, error) {
	var q *tensor.QParams
	var err error
	if v.Const != nil {
		lo, hi, _ := minMax(v.Const.Contiguous().Float32s())
		q, err = c.q.observers.Activation.Spec.qparams([]float32{lo}, []float32{hi})
	} else {
		q, err = c.q.activation(c.p.names[c.p.source(v)])
	}
	if err != nil {
		return nil, err
	}
	return stored(q, tensor.Uint8), nil
}

// stored returns parameters for the element type that kernels take, shifting
// integers and zero points by 128 between int8 and uint8. The meaning does not change.
//
//go:noinline
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
	entry := Layer{Name: n.Scope.Path, Op: n.Op.Name(), Precision: "float32", Reason: d.Reason}
	convert := c.keep
	switch {
	case d.Quantize:
		entry.Precision = "int8"
		convert = c.lower
	case c.p.weights[n]:
		entry.Precision, entry.Reason = "int8", ""
		convert = c.weightOnly
	}
	outs, err := convert(n, &entry)
	if err != nil {
		return err
	}
	entry.FloatBytes = constantBytes(n)
	if len(outs) > 0 {
		entry.Bytes = constantBytes(outs[0].Node)
	}
	for i, v := range n.Outputs {
		if outs[i].Type.Q != nil {
			c.quant[v] = outs[i]
		} else {
			c.float[v] = outs[i]
		}
	}
	c.report.Layers = append(c.report.Layers, entry)
	return nil
}

// constantBytes returns the size of a node's constants.
func constantBytes(n *graph.Node) int {
	total := 0
	for _, v := range n.Inputs {
		if v.Const != nil {
			total += v.Type.Bytes()
		}
	}
	return total
}

// keep adds a node as it is, on float32 values.
func (c *converter) keep(n *graph.Node, _ *Layer) ([]*graph.Value, error) {
	inputs := make([]*graph.Value, len(n.Inputs))
	for i, v := range n.Inputs {
		w, err := c.asFloat(v)
		if err != nil {
			return nil, err
		}
		inputs[i] = w
	}
	return c.g.Add(n.Scope, n.Op, inputs...)
}
