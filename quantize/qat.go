package quantize

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/train"
	"github.com/octet-ml/octet/tensor"
)

// Forward says how a proxy for training computes what is quantized.
type Forward uint8

// The ways.
const (
	// DefaultForward is what the backend says: IntegerArithmetic for Native, FakeQuantized for those of the toolkit.
	DefaultForward Forward = iota
	// FakeQuantized computes in float32 on values that were quantized and dequantized, with
	// biases as they are: what the toolkit trains.
	FakeQuantized
	// IntegerArithmetic computes with the int8 kernels: each value has the bits that the
	// converted model gives it. Gradients are those of FakeQuantized.
	IntegerArithmetic
)

// WithForward chooses how a proxy for training computes.
func WithForward(f Forward) Override { return func(o *Options) { o.Forward = f } }

// QAT is a trainable proxy of a float model: a [train.Model] whose parameters are those of
// the model and the scale and zero point of every quantized value and weight, learned as LSQ does. They begin with
// what calibration observed. Parameters of values are named "<value>_ob.scale" and
// "<value>_ob.zero_point", those of weights "<module>.w_ob.scale" and "<module>.w_ob.zero_point".
type QAT struct {
	prepared  *prepared
	deployed  bool
	positive  bool               // scales stay so, where the toolkit lets them go below 0
	constants Spec               // of constants that are quantized
	params    []*train.Parameter // of the model
	values    map[string]*learned
	weights   map[string]*learned     // by layer name
	pairs     map[string]*weightPairs // of pair-safe ones
	smoothed  []*smoothed             // values of the model whose parameters params are
	all       []*train.Parameter
	session   *graph.Session // of Run
	options   graph.Options
}

// learned are trained quantization parameters.
type learned struct {
	spec        Spec
	scale, zero *train.Parameter
}

// QAT returns a trainable proxy of the float model m. It needs calibrated observers.
// From then on Quantize, and the quantizer's other proxies, take the trained values of
// the parameters for the model's constants of their names, and the learned scales and zero
// points for the observed ones.
func (q *Quantizer) QAT(m *graph.Graph, overrides ...Override) (*QAT, error) {
	m, err := m.Concrete()
	if err != nil {
		return nil, err
	}
	q.static = true
	p, err := q.prepare(m, overrides)
	if err != nil {
		return nil, err
	}
	if p.backend.Dynamic {
		return nil, errors.New("quantize: inputs that are quantized while running have no scale to learn: train with Dynamic off")
	}
	a := &QAT{
		prepared: p, values: make(map[string]*learned), weights: make(map[string]*learned), pairs: make(map[string]*weightPairs), options: q.opts.Session,
		deployed: cmp.Or(q.opts.Forward, p.backend.Forward) == IntegerArithmetic,
		positive: !p.backend.NegativeScales, constants: q.observers.Activation.Spec,
	}
	if m, err = widened(m); err != nil {
		return nil, err
	}
	m = q.trained(m)
	if a.smoothed, err = q.smooth(m); err != nil {
		return nil, err
	}
	if a.params, err = train.ParametersOf(m); err != nil {
		return nil, err
	}
	a.all = slices.Clone(a.params)
	shared := make(map[string]string)
	for _, v := range p.needed {
		name := p.names[v]
		if from, err := q.sharedWith(name); err != nil {
			return nil, err
		} else if shared[name] = from; from != "" {
			continue
		}
		qp, err := q.activation(name)
		if err != nil {
			return nil, err
		}
		if a.values[name], err = a.learn(name+"_ob", qp); err != nil {
			return nil, err
		}
	}
	a.share(shared)
	for _, n := range p.graph.Nodes {
		name := p.layers[n]
		if !isLayer(n.Op) || !p.decision[n].Quantize || a.weights[name] != nil {
			continue
		}
		qp, err := q.weightQParams(p, n)
		if err != nil {
			return nil, err
		}
		a.pairs[name] = q.pairsOf(n)
		if a.weights[name], err = a.learn(strings.TrimSuffix(name, ".weight")+".w_ob", qp); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(m.ReadError(), p.graph.ReadError()); err != nil {
		return nil, err
	}
	q.learned = a
	return a, nil
}

// share gives values that share their parameters with another what is learned of that.
func (a *QAT) share(shared map[string]string) {
	for _, v := range a.prepared.needed {
		name := a.prepared.names[v]
		from := name
		for shared[from] != "" {
			from = shared[from]
		}
		a.values[name] = a.values[from]
	}
}

// learn makes parameters of calibrated ones, with names that no other parameter has.
func (a *QAT) learn(name string, q *tensor.QParams) (*learned, error) {
	taken := make(map[string]bool)
	for _, p := range a.all {
		base, _ := strings.CutSuffix(p.Name, ".scale")
		base, _ = strings.CutSuffix(base, ".zero_point")
		taken[base] = true
	}
	if taken[name] {
		name = free(name, taken)
	}
	l, err := newLSQ(q)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	// What begins below the usual least scale may stay there, no more: from far below a scale does not come back.
	if least := slices.Min(l.Scale); least < epsilon {
		l.Spec.MinScale = max(least, 0x1p-60)
	}
	l.Constrain()
	scale, err := tensor.FromSlice(l.Scale, len(l.Scale))
	if err != nil {
		return nil, err
	}
	zero, err := tensor.FromSlice(l.ZeroPoint, len(l.ZeroPoint))
	if err != nil {
		return nil, err
	}
	p := &learned{
		l.Spec,
		train.NewParameter(name+".scale", train.Scale, scale),
		train.NewParameter(name+".zero_point", train.ZeroPoint, zero),
	}
	p.scale.Lo, p.scale.Hi = -math.MaxFloat32, math.MaxFloat32
	p.scale.Levels = l.Spec.levels()
	if a.positive {
		p.scale.Lo = l.Spec.leastScale()
	}
	if !l.Spec.Scheme.Symmetric() {
		lo, hi := l.Spec.Range()
		p.zero.Lo, p.zero.Hi = float32(lo), float32(hi)
	} else {
		p.zero.Lo, p.zero.Hi = 0, 0
	}
	a.all = append(a.all, p.scale, p.zero)
	return p, nil
}

// qparams returns the parameters as they are now, for conversion. A scale that training has made
// negative counts the integers from the other end: the zero point is mirrored, and values stay what they are.
func (l *learned) qparams() (*tensor.QParams, error) {
	q, err := (&lsq{l.spec, l.scale.Value.Float32s(), l.zero.Value.Float32s()}).QParams()
	if err != nil {
		return nil, err
	}
	for i, s := range q.Scale {
		if s < 0 {
			q.Scale[i], q.ZeroPoint[i] = -s, q.Min+q.Max-q.ZeroPoint[i]
		}
	}
	return q, nil
}

// activation returns what was learned of a value, nil when nothing was.
func (a *QAT) activation(name string) *learned {
	if a == nil {
		return nil
	}
	return a.values[name]
}

// weight returns what was learned of the weight of a layer of that name, nil when nothing was.
func (a *QAT) weight(layer string) *learned {
	if a == nil {
		return nil
	}
	return a.weights[layer]
}

// trained returns a copy of m with the parameters that training has changed.
func (q *Quantizer) trained(m *graph.Graph) *graph.Graph {
	if q.learned == nil {
		return m.Clone()
	}
	return train.Snapshot(m, q.learned.params)
}

// Inputs returns the number of the model's inputs.
func (a *QAT) Inputs() int { return len(a.prepared.graph.Inputs) }

// Parameters lists the parameters: the model's first, then those of the observers.
func (a *QAT) Parameters() []*train.Parameter { return a.all }

// Run computes the outputs in evaluation mode with the parameters as they are. With the
// IntegerArithmetic forward they have the bits of the converted model's.
func (a *QAT) Run(ctx context.Context, inputs ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	if a.session == nil {
		g, err := a.Graph(train.Mode{}, typesOf(a.prepared.graph.Inputs))
		if err != nil {
			return nil, err
		}
		if a.session, err = g.Compile(a.options); err != nil {
			return nil, err
		}
	}
	return a.session.Run(ctx, inputs...)
}

// Close releases the workers of Run.
func (a *QAT) Close() {
	if a.session != nil {
		a.session.Close()
		a.session = nil
	}
}
