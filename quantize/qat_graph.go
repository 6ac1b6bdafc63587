package quantize

import (
	"slices"

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

// inputs returns the value and its parameters as inputs of an operator.
func (o observed) inputs() []*graph.Value { return []*graph.Value{o.value, o.scale, o.zero} }

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
	if err := FakeQuantize(t.Float32s(), t.Float32s(), t.Shape(), q); err != nil {
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
	return b.Graph.Add1(scope, LSQOp{l.spec}, x, b.Variable(l.scale), b.Variable(l.zero))
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
	if p.forms[n] == layerForm {
		return b.layer(n, in)
	}
	out, err := b.operator(n, in)
	b.quant[n.Outputs[0]] = out
	return err
}

// operator adds a quantized operator without weights.
func (b *qatBuilder) operator(n *graph.Node, in []observed) (*graph.Value, error) {
	form := b.a.prepared.forms[n]
	if b.a.deployed {
		switch form {
		case poolForm:
			if exactWindows(n) {
				return b.deployedPool(n, in[0])
			}
		case sumForm, productForm:
			return b.deployedBinary(n, in)
		case tableForm:
			return b.deployedTable(n, in[dataInputs(n)[0]])
		}
	}
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
	// What works on the integers as they are keeps real values what they are, but may bring in others.
	if pad, ok := n.Op.(ops.Pad); form == keepForm && (!ok || pad.Value == 0) {
		return out, nil
	}
	return b.learn(n.Scope, b.observer(n.Outputs[0]), out)
}

// first adds a node and returns its first output.
func (b *qatBuilder) first(scope graph.Scope, op ops.Op, in []*graph.Value) (*graph.Value, error) {
	out, err := b.Graph.Add(scope, op, in...)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// steps returns the scale and zero point.
func (b *qatBuilder) steps(l *learned) []*graph.Value {
	return []*graph.Value{b.Variable(l.scale), b.Variable(l.zero)}
}

// exactWindows reports whether float32 holds the sums of integers over the windows of an average.
func exactWindows(n *graph.Node) bool {
	window := tensor.Shape(nil)
	if pool, ok := n.Op.(ops.AvgPool); ok {
		window = pool.Kernel
	} else {
		window = n.Inputs[0].Type.Shape[2:] // at most
	}
	taps, err := window.Numel()
	return err == nil && 255*taps < 1<<24
}

// deployedPool adds an average. A mean over height and width is an adaptive one of one pixel.
func (b *qatBuilder) deployedPool(n *graph.Node, x observed) (*graph.Value, error) {
	y := b.observer(n.Outputs[0])
	pool, ok := n.Op.(ops.ChannelsLaster)
	mean, isMean := n.Op.(ops.Reduce)
	if isMean {
		pool, ok = ops.AdaptiveAvgPool{Size: []int{1, 1}}, true
	}
	if !ok {
		return nil, &ops.UnsupportedError{Op: n.Op.Name(), Reason: "it is no average"}
	}
	op := deployedAverage{int8.DeployedAverage{Pool: pool, X: x.spec.params(), Y: y.spec.params()}, y.spec}
	out, err := b.first(n.Scope, op, slices.Concat(x.inputs(), b.steps(y)))
	if err != nil || !isMean || mean.KeepDims {
		return out, err
	}
	return b.Graph.Add1(n.Scope, ops.Flatten{Start: 1, End: -1}, out)
}

// deployedBinary adds a sum or product of two values.
func (b *qatBuilder) deployedBinary(n *graph.Node, in []observed) (*graph.Value, error) {
	y, op := b.observer(n.Outputs[0]), n.Op.(ops.Binary)
	binary := deployedBinary{int8.DeployedBinary{
		Fn: op.Fn, A: in[0].spec.params(), B: in[1].spec.params(), Y: y.spec.params(), Act: op.Act,
	}, y.spec}
	return b.first(n.Scope, binary, slices.Concat(in[0].inputs(), in[1].inputs(), b.steps(y)))
}

// deployedTable adds a function of one element, of which the other operand may be a number.
func (b *qatBuilder) deployedTable(n *graph.Node, x observed) (*graph.Value, error) {
	y := b.observer(n.Outputs[0])
	table := deployedTable{int8.DeployedTable{Op: n.Op, X: x.spec.params(), Y: y.spec.params()}, y.spec}
	for _, v := range n.Inputs {
		table.Operands = append(table.Operands, v.Const)
	}
	return b.first(n.Scope, table, slices.Concat(x.inputs(), b.steps(y)))
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
	case b.a.deployed && int8.Deployable(rowSize(n)):
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
	x, w := quantized[0], b.a.weights[b.a.prepared.layers[n]]
	op := deployedLayer{
		DeployedLayer: int8.DeployedLayer{Layer: n.Op, X: x.spec.params(), W: w.spec.params(), FloatBias: b.a.prepared.policy.floatBias},
		weight:        w.spec,
	}
	weight, err := b.safeWeight(n, in[1])
	if err != nil {
		return nil, err
	}
	args := slices.Concat(x.inputs(), []*graph.Value{weight}, b.steps(w), in[2:])
	if hasResidual(n.Op) && y != nil {
		r := quantized[len(in)-1]
		params := r.spec.params()
		op.R = &params
		args = append(args, r.scale, r.zero)
	}
	if y != nil {
		params := y.spec.params()
		op.Y, op.y = &params, &y.spec
		args = append(args, b.steps(y)...)
	}
	return b.first(n.Scope, op, args)
}
