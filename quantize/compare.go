package quantize

import (
	"context"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Comparison is a proxy that runs the float model and its quantized form side by
// side on the same inputs, and accumulates how far they are apart at each
// operator, and how well each activation's range fits.
type Comparison struct {
	session  *graph.Session
	float    *graph.Graph
	outputs  int
	opts     graph.Options
	int8     *graph.Graph
	report   *Report
	layers   []*difference // of report.Layers, nil where there is nothing to compare
	pairs    []*pairCount  // of report.Layers, nil without an int8 layer
	monitors []*monitor    // of report.Values
}

// Compare returns a proxy of the float model m beside what Quantize makes of it.
// It needs calibrated observers.
func (q *Quantizer) Compare(m *graph.Graph, overrides ...Override) (*Comparison, error) {
	return q.CompareContext(context.Background(), m, overrides...)
}

// CompareContext is Compare that ends between two nodes with ctx, as QuantizeContext does.
func (q *Quantizer) CompareContext(ctx context.Context, m *graph.Graph, overrides ...Override) (*Comparison, error) {
	p, err := q.prepare(m, overrides)
	if err != nil {
		return nil, err
	}
	c, err := q.convert(ctx, p)
	if err != nil {
		return nil, err
	}
	b := &comparer{
		converter: c, reference: make(map[*graph.Value]*graph.Value), first: samplesFirst(p.graph),
		out: &Comparison{report: c.report, outputs: len(p.graph.Outputs), opts: q.opts.Session, float: m, int8: c.g.Clone()},
	}
	for _, v := range p.graph.Inputs {
		b.reference[v] = c.float[v]
	}
	for _, n := range p.graph.Nodes {
		if err := b.node(n); err != nil {
			return nil, &graph.NodeError{Pass: "compare", Node: n, Err: err}
		}
	}
	if err := b.values(); err != nil {
		return nil, err
	}
	var outputs []*graph.Value
	for _, v := range p.graph.Outputs {
		outputs = append(outputs, b.floatOf(v))
	}
	c.g.SetOutputs(append(outputs, c.g.Outputs...)...)
	b.out.session, err = c.g.Compile(q.opts.Session)
	return b.out, err
}

// comparer adds the float model, and what compares the two, to the graph of a converter.
type comparer struct {
	*converter
	reference map[*graph.Value]*graph.Value // values of the float model
	first     map[*graph.Value]bool         // see samplesFirst
	out       *Comparison
}

// floatOf returns the counterpart of a value in the float model.
func (b *comparer) floatOf(v *graph.Value) *graph.Value {
	if w := b.reference[v]; w != nil || v.Const == nil {
		return w
	}
	b.reference[v] = b.g.Const(v.Name, v.Const)
	return b.reference[v]
}

func (b *comparer) node(n *graph.Node) error {
	inputs := make([]*graph.Value, len(n.Inputs))
	for i, v := range n.Inputs {
		inputs[i] = b.floatOf(v)
	}
	outs, err := b.g.Add(n.Scope, n.Op, inputs...)
	if err != nil {
		return err
	}
	for i, v := range n.Outputs {
		b.reference[v] = outs[i]
	}
	var d *difference
	if len(n.Outputs) > 0 && n.Outputs[0].Type.DType == tensor.Float32 {
		v := n.Outputs[0]
		quantized, err := b.asFloat(v)
		if err != nil {
			return err
		}
		exact, err := b.q.behindFunction(b.g, b.p, v, outs[0], b.floatOf)
		if err != nil {
			return err
		}
		if quantized, err = b.q.behindFunction(b.g, b.p, v, quantized, b.floatOf); err != nil {
			return err
		}
		d = &difference{samples: b.first[v]}
		if _, err := b.g.Add(n.Scope, compareOp{d}, exact, quantized); err != nil {
			return err
		}
	}
	pairs, err := b.countPairs(n)
	if err != nil {
		return err
	}
	b.out.layers, b.out.pairs = append(b.out.layers, d), append(b.out.pairs, pairs)
	return nil
}

// countPairs adds what counts the pairs of products of an int8 layer that do not fit 16 bits.
func (b *comparer) countPairs(n *graph.Node) (*pairCount, error) {
	if !b.p.decision[n].Quantize || b.p.form(n).Layer == nil || b.p.isDynamic(n) {
		return nil, nil
	}
	// The int8 layer is what takes the quantized input and the layer's weight.
	x := b.quant[n.Inputs[0]]
	i := slices.IndexFunc(b.g.Nodes, func(k *graph.Node) bool {
		return len(k.Inputs) > 1 && k.Inputs[0] == x && k.Inputs[1].Const != nil && k.Inputs[1].Type.DType == tensor.Int8 && k.Scope == n.Scope
	})
	if i < 0 {
		return nil, nil
	}
	count := &pairCount{}
	op := pairOp{to: count, conv: b.p.form(n).Layer.Conv, weight: b.g.Nodes[i].Inputs[1].Const, samples: b.first[n.Inputs[0]]}
	_, err := b.g.Add(n.Scope, op, x)
	return count, err
}

// values adds the monitors of the activations that are quantized.
func (b *comparer) values() error {
	for _, v := range b.p.needed {
		q, err := b.qparams(v)
		if err != nil {
			return err
		}
		w := &monitor{q: q, samples: b.first[v]}
		if _, err := b.g.Add(scopeOf(v), monitorOp{w}, b.floatOf(v)); err != nil {
			return err
		}
		if u := b.quant[v]; u != nil {
			if _, err := b.g.Add(scopeOf(v), saturationOp{w}, u); err != nil {
				return err
			}
		}
		b.out.monitors = append(b.out.monitors, w)
		b.report.Values = append(b.report.Values, Value{
			Name: b.p.names[v], Scale: q.Scale[0], ZeroPoint: q.ZeroPoint[0],
			Min: float32(q.Min-q.ZeroPoint[0]) * q.Scale[0], Max: float32(q.Max-q.ZeroPoint[0]) * q.Scale[0],
		})
	}
	return nil
}

// Run computes and compares, without the rows that fill up a batch (tensor.WithSamples). It returns the outputs of the float
// and of the quantized model.
func (c *Comparison) Run(ctx context.Context, inputs ...*tensor.Tensor) (float, quantized []*tensor.Tensor, err error) {
	out, err := c.session.Run(withSamples(ctx, inputs), inputs...)
	if err != nil {
		return nil, nil, err
	}
	return out[:c.outputs], out[c.outputs:], nil
}

// Close releases the proxy's workers.
func (c *Comparison) Close() { c.session.Close() }

// Latency measures how long each operator takes in both models, and returns how
// long a run of each takes: milliseconds, medians of some runs on the inputs.
func (c *Comparison) Latency(ctx context.Context, inputs ...*tensor.Tensor) (int8, float float64, err error) {
	quantized, int8, err := latencies(ctx, c.int8, c.opts, inputs)
	if err != nil {
		return 0, 0, err
	}
	reference, float, err := latencies(ctx, c.float, c.opts, inputs)
	if err != nil {
		return 0, 0, err
	}
	// Steps are known by their module: what a module does besides counts for its first operator.
	seen := make(map[string]bool)
	for i := range c.report.Layers {
		l := &c.report.Layers[i]
		if !seen[l.Name] {
			seen[l.Name] = true
			l.Measured = &Measured{Ms: quantized[l.Name], FloatMs: reference[l.Name]}
		}
	}
	return int8, float, nil
}

// Report returns what was compared so far.
func (c *Comparison) Report() *Report {
	r := &Report{Layers: slices.Clone(c.report.Layers), Values: slices.Clone(c.report.Values)}
	for i := range r.Layers {
		l := &r.Layers[i]
		m := Measured{}
		if l.Measured != nil {
			m.Ms, m.FloatMs = l.Measured.Ms, l.Measured.FloatMs
		}
		if d := c.layers[i]; d != nil {
			total := d.total()
			m.Elements, m.SQNR, m.Cosine = d.elements(), Decibel(total.sqnr()), total.cosine()
		}
		if p := c.pairs[i]; p != nil {
			m.PairSaturation = p.share()
		}
		l.Measured = &m
	}
	for i := range r.Values {
		c.monitors[i].report(&r.Values[i])
	}
	return r
}

// inferCounting checks the input of an operator that only counts.
func inferCounting(op ops.Op, in []ops.Type, dtype tensor.DType) ([]ops.Type, error) {
	if len(in) != 1 || in[0].DType != dtype {
		return nil, ops.Errorf(op, in, "it takes one %v value", dtype)
	}
	return nil, nil
}
