package quantize

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/train"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// Graph implements train.Model.
func (a *QAT) Graph(mode train.Mode, inputs []ops.Type) (*graph.Graph, error) {
	p := a.prepared
	b, err := train.NewBuilder(p.graph, a.params, inputs)
	if err != nil {
		return nil, err
	}
	w := &qatBuilder{
		Builder: b, a: a, mode: mode,
		quant: make(map[*graph.Value]*graph.Value), origins: make(map[*origin][]*graph.Value),
	}
	for _, n := range p.graph.Nodes {
		if err := w.node(n); err != nil {
			return nil, &graph.NodeError{Pass: "qat", Node: n, Err: err}
		}
	}
	var outputs []*graph.Value
	for _, v := range p.graph.Outputs {
		out, err := w.float(v)
		if err != nil {
			return nil, err
		}
		out.Name = v.Name
		outputs = append(outputs, out)
	}
	b.Graph.SetOutputs(outputs...)
	b.Graph.RemoveDead()
	return b.Graph, nil
}

func typesOf(values []*graph.Value) []ops.Type {
	types := make([]ops.Type, len(values))
	for i, v := range values {
		types[i] = v.Type
	}
	return types
}

// qatBuilder writes the graph of a QAT as the converter writes the int8 graph: each value of
// the prepared graph has a float form, a quantized form, or both, whichever its users ask for. A
// quantized value is float32 here, but one of the numbers that its integers stand for.
type qatBuilder struct {
	*train.Builder
	a       *QAT
	mode    train.Mode
	quant   map[*graph.Value]*graph.Value
	origins map[*origin][]*graph.Value
}

// float returns the float form of v, which is the quantized one where there is no other.
func (b *qatBuilder) float(v *graph.Value) (*graph.Value, error) {
	if m, ok := b.a.prepared.origins[v]; ok {
		out, err := b.origin(m.by)
		if err != nil {
			return nil, err
		}
		return out[m.out], nil
	}
	if w := b.Value(v); w != nil {
		return w, nil
	}
	return b.quant[v], nil
}

// origin computes from the parameters what preparing the model has folded.
func (b *qatBuilder) origin(o *origin) ([]*graph.Value, error) {
	if out := b.origins[o]; out != nil {
		return out, nil
	}
	in, err := b.floats(o.in)
	if err != nil {
		return nil, err
	}
	out, err := b.Graph.Add(o.scope, o.op, in...)
	b.origins[o] = out
	return out, err
}

func (b *qatBuilder) floats(v []*graph.Value) ([]*graph.Value, error) {
	out := make([]*graph.Value, len(v))
	for i := range v {
		var err error
		if out[i], err = b.float(v[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// observed is a quantized value with its scale and zero point.
type observed struct {
	value, scale, zero *graph.Value
	spec               Spec
}

// learned returns the value as forms take it.
func (o observed) learned() int8.Learned {
	return int8.Learned{Value: o.value, Scale: o.scale, Zero: o.zero, Params: o.spec.params()}
}

// quantized returns the quantized form of v.
func (b *qatBuilder) quantized(v *graph.Value) (observed, error) {
	if v.Const != nil {
		return b.quantizedConst(v)
	}
	l := b.observer(v)
	o := observed{b.quant[v], b.Variable(l.scale), b.Variable(l.zero), l.spec}
	if o.value != nil {
		return o, nil
	}
	x, err := b.float(v)
	if err != nil {
		return o, err
	}
	o.value, err = b.learn(scopeOf(v), l, x)
	b.quant[v] = o.value
	return o, err
}

// quantizedConst returns the quantized form of a constant, whose parameters are those of its extremes.
func (b *qatBuilder) quantizedConst(v *graph.Value) (observed, error) {
	spec := b.a.constants
	lo, hi, _ := minMax(v.Const.Contiguous().Float32s())
	q, err := spec.qparams([]float32{lo}, []float32{hi})
	if err != nil {
		return observed{}, err
	}
	t := v.Const.Contiguous().Clone()
	if err := fakeQuantize(t.Float32s(), t.Float32s(), t.Shape(), q); err != nil {
		return observed{}, err
	}
	number := func(f float32) *graph.Value {
		n, _ := tensor.FromSlice([]float32{f}, 1)
		return b.Graph.Const("", n)
	}
	return observed{b.Graph.Const(v.Name, t), number(q.Scale[0]), number(float32(q.ZeroPoint[0])), spec}, nil
}

// observer returns the learned parameters of a value.
func (b *qatBuilder) observer(v *graph.Value) *learned {
	p := b.a.prepared
	return b.a.values[p.names[p.source(v)]]
}

// learn adds a learnable fake-quantize.
func (b *qatBuilder) learn(scope graph.Scope, l *learned, x *graph.Value) (*graph.Value, error) {
	return b.Graph.Add1(scope, int8.LSQ{Params: l.spec.params()}, x, b.Variable(l.scale), b.Variable(l.zero))
}

// node adds a node of the prepared graph.
func (b *qatBuilder) node(n *graph.Node) error {
	p := b.a.prepared
	if !p.decision[n].Quantize {
		return b.floatNode(n)
	}
	in := make([]observed, len(n.Inputs))
	for _, i := range p.quantizedInputs(n) {
		var err error
		if in[i], err = b.quantized(n.Inputs[i]); err != nil {
			return err
		}
	}
	if p.form(n).Layer != nil {
		return b.layer(n, in)
	}
	out, err := b.operator(n, in)
	if p.givesFloat(n) && err == nil {
		b.Set(n.Outputs[0], out)
	} else {
		b.quant[n.Outputs[0]] = out
	}
	return err
}

// operator adds a quantized operator without weights.
func (b *qatBuilder) operator(n *graph.Node, in []observed) (*graph.Value, error) {
	form := b.a.prepared.form(n)
	args := make([]*graph.Value, len(n.Inputs))
	for i, v := range n.Inputs {
		if args[i] = in[i].value; args[i] == nil {
			var err error
			if args[i], err = b.float(v); err != nil {
				return nil, err
			}
		}
	}
	out, err := b.Graph.Add1(n.Scope, n.Op, args...)
	if err != nil {
		return nil, err
	}
	// What works on the integers as they are keeps real values what they are, but may bring in others. What gives
	// float32 computes it of what they stand for.
	if form.Shares && !form.FillsIn || b.a.prepared.givesFloat(n) {
		return out, nil
	}
	if form.BothResults != nil {
		b.Set(n.Outputs[0], out)
	}
	l := b.observer(n.Outputs[0])
	if !b.a.deployed || form.Build == nil || form.FloatInputs && !form.FloatResult {
		return b.learn(n.Scope, l, out)
	}
	return addForm(b.Graph, n.Scope, func(to int8.Builder) ops.Ref {
		learned := make([]int8.Learned, len(in))
		for i, o := range in {
			learned[i] = o.learned()
			learned[i].Value = args[i]
		}
		return form.Train(to, nodeOf(n), out, learned, b.result(l))
	})
}

// result returns the learned parameters of a result as forms take them.
func (b *qatBuilder) result(l *learned) int8.Learned {
	return int8.Learned{Scale: b.Variable(l.scale), Zero: b.Variable(l.zero), Params: l.spec.params()}
}

// floatNode adds a node that stays float.
func (b *qatBuilder) floatNode(n *graph.Node) error {
	in, err := b.floats(n.Inputs)
	if err != nil {
		return err
	}
	return b.Add(n, in, b.mode)
}

// layer adds a convolution or linear layer; in has what it takes quantized.
func (b *qatBuilder) layer(n *graph.Node, in []observed) error {
	args := make([]*graph.Value, len(n.Inputs))
	for i, v := range n.Inputs {
		if args[i] = in[i].value; args[i] == nil {
			var err error
			if args[i], err = b.float(v); err != nil {
				return err
			}
		}
	}
	var y *learned
	if !b.a.prepared.givesFloat(n) {
		y = b.observer(n.Outputs[0])
	}
	var out *graph.Value
	var err error
	switch norm := b.normalized(n); {
	case norm != nil && b.mode.BatchStatistics:
		out, err = b.normalizedLayer(n, args, y, norm)
	case b.a.deployed && int8.Trainable(rowSize(n)):
		out, err = b.deployedLayer(n, args, in, y)
	default:
		out, err = b.fakeLayer(n, args, y)
	}
	if err != nil {
		return err
	}
	if y == nil {
		b.Set(n.Outputs[0], out)
	} else {
		b.quant[n.Outputs[0]] = out
	}
	return nil
}

// fakeLayer computes a layer on fake-quantized values.
func (b *qatBuilder) fakeLayer(n *graph.Node, in []*graph.Value, y *learned) (*graph.Value, error) {
	var err error
	if in[1], err = b.learnWeight(n, in[1]); err != nil {
		return nil, err
	}
	out, err := b.Graph.Add1(n.Scope, n.Op, in...)
	if err != nil || y == nil {
		return out, err
	}
	return b.learn(n.Scope, y, out)
}

// deployedLayer computes a layer as its int8 form does.
func (b *qatBuilder) deployedLayer(n *graph.Node, in []*graph.Value, quantized []observed, y *learned) (*graph.Value, error) {
	weight, err := b.safeWeight(n, in[1])
	if err != nil {
		return nil, err
	}
	layer := b.a.prepared.form(n).Layer
	args := int8.LearnedLayer{
		X: quantized[0].learned(), W: b.result(b.a.weights[b.a.prepared.layers[n]]), FloatBias: b.a.prepared.backend.FloatBias,
	}
	args.W.Value = weight
	if layer.HasBias {
		args.Bias = in[layer.Bias()]
	}
	if r := layer.Residual(); r >= 0 {
		residual := quantized[r].learned()
		residual.Value = in[r]
		args.Residual = &residual
	}
	if y != nil {
		out := b.result(y)
		args.Out = &out
	}
	return addForm(b.Graph, n.Scope, func(to int8.Builder) ops.Ref { return layer.Train(to, args) })
}
