package quantize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/tensor"
)

// Sensitivity is a proxy of a float model that runs each quantizable module in
// float and fake-quantized side by side, and accumulates by how much they
// differ. Its outputs are those of the float model.
type Sensitivity struct {
	session *graph.Session
	modules []measured
}

type measured struct {
	name string
	diff *difference
}

// ModuleNoise is how much quantizing one module costs at its own output, its
// input being exact: behind the function that alone takes the output, where the
// range is that of the least error there.
type ModuleNoise struct {
	Name string `json:"name"` // path of the module
	// Noise is the sum over the batches of the mean square error, at most the greatest float64.
	Noise float64 `json:"noise"`
	// SQNR is the ratio of signal to noise in dB, and Cosine that of the angle
	// between both outputs, over all batches.
	SQNR   Decibel `json:"sqnr_db"`
	Cosine float64 `json:"cosine"`
}

// AMP returns a proxy of the float model m that measures the noise of each
// quantizable module. It needs calibrated observers.
func (q *Quantizer) AMP(m *graph.Graph, overrides ...Override) (*Sensitivity, error) {
	return q.AMPContext(context.Background(), m, overrides...)
}

// AMPContext is AMP that ends between two nodes with ctx, as QuantizeContext does.
func (q *Quantizer) AMPContext(ctx context.Context, m *graph.Graph, overrides ...Override) (*Sensitivity, error) {
	p, err := q.prepare(m, overrides)
	if err != nil {
		return nil, err
	}
	s := &Sensitivity{}
	first := samplesFirst(p.graph)
	f := &fakeQuantizer{q: q, p: p, values: make(map[*graph.Value]*graph.Value)}
	nodes := p.graph.Nodes
	for _, n := range nodes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !isLayer(n.Op) || !p.decision[n].Quantize {
			continue
		}
		d := &difference{samples: first[n.Outputs[0]]}
		if err := f.compare(n, d); err != nil {
			return nil, &graph.NodeError{Pass: "amp", Node: n, Err: err}
		}
		s.modules = append(s.modules, measured{n.Scope.Path, d})
	}
	if s.session, err = p.graph.Compile(q.opts.Session); err != nil {
		return nil, err
	}
	return s, nil
}

// fakeQuantizer adds fake-quantized forms of a graph's values and layers to it.
type fakeQuantizer struct {
	q      *Quantizer
	p      *prepared
	values map[*graph.Value]*graph.Value
}

// compare adds the fake-quantized form of a layer beside it.
func (f *fakeQuantizer) compare(n *graph.Node, d *difference) error {
	g := f.p.graph
	if f.p.isDynamic(n) {
		return f.compareDynamic(n, d)
	}
	data := slices.Clone(n.Inputs)
	for _, i := range f.p.quantizedInputs(n) {
		v, err := f.activation(n.Inputs[i])
		if err != nil {
			return err
		}
		data[i] = v
	}
	weight, bias, err := f.constants(n)
	if err != nil {
		return err
	}
	inputs := []*graph.Value{data[0], g.Const(n.Inputs[1].Name, weight)}
	if bias != nil {
		inputs = append(inputs, g.Const(biasName(n), bias))
	}
	layer := *f.p.form(n).Layer
	if r := layer.Residual(); r >= 0 {
		inputs = append(inputs, data[r])
	}
	layer.HasBias = bias != nil
	out, err := g.Add1(n.Scope, layer.Float(), inputs...)
	if err != nil {
		return err
	}
	if !f.p.givesFloat(n) {
		q, err := f.q.activation(f.p.names[n.Outputs[0]])
		if err != nil {
			return err
		}
		if out, err = g.Add1(n.Scope, fakeQuantizeOp{q}, out); err != nil {
			return err
		}
	}
	self := func(v *graph.Value) *graph.Value { return v }
	exact, err := f.q.behindFunction(g, f.p, n.Outputs[0], n.Outputs[0], self)
	if err != nil {
		return err
	}
	if out, err = f.q.behindFunction(g, f.p, n.Outputs[0], out, self); err != nil {
		return err
	}
	_, err = g.Add(n.Scope, compareOp{d}, exact, out)
	return err
}

// compareDynamic adds the form of a linear layer that quantizes its input while
// it runs beside it.
func (f *fakeQuantizer) compareDynamic(n *graph.Node, d *difference) error {
	k, err := f.q.layerConstants(f.p, n, 0)
	if err != nil {
		return err
	}
	g := f.p.graph
	inputs := []*graph.Value{n.Inputs[0], g.Const(n.Inputs[1].Name, k.weight)}
	if k.bias != nil {
		inputs = append(inputs, g.Const(biasName(n), k.bias))
	}
	layer := *f.p.form(n).Layer
	if r := layer.Residual(); r >= 0 {
		inputs = append(inputs, n.Inputs[r])
	}
	layer.HasBias = k.bias != nil
	out, err := g.Add1(n.Scope, layer.Dynamic(), inputs...)
	if err != nil {
		return err
	}
	_, err = g.Add(n.Scope, compareOp{d}, n.Outputs[0], out)
	return err
}

// activation returns the fake-quantized form of a value.
func (f *fakeQuantizer) activation(v *graph.Value) (*graph.Value, error) {
	if w := f.values[v]; w != nil {
		return w, nil
	}
	q, err := f.q.activation(f.p.names[f.p.source(v)])
	if err != nil {
		return nil, err
	}
	w, err := f.p.graph.Add1(scopeOf(v), fakeQuantizeOp{q}, v)
	f.values[v] = w
	return w, err
}

// constants returns the fake-quantized weight and bias of a layer, nil without one.
func (f *fakeQuantizer) constants(n *graph.Node) (weight, bias *tensor.Tensor, err error) {
	w, err := f.q.weightQParams(f.p, n)
	if err != nil {
		return nil, nil, err
	}
	if f.q.opts.needsMoments() {
		k, err := f.q.layerConstants(f.p, n, 0)
		if err != nil {
			return nil, nil, err
		}
		bias = k.bias
		if weight, err = k.weight.Dequantize(); err != nil {
			return nil, nil, err
		}
	} else {
		if weight, err = fake(f.q.pairsOf(n).projected(n.Inputs[1].Const, w), w); err != nil {
			return nil, nil, err
		}
		if hasBias(n.Op) {
			bias = n.Inputs[2].Const
		}
	}
	if bias == nil {
		return weight, nil, nil
	}
	x, err := f.q.activation(f.p.names[f.p.source(n.Inputs[0])])
	if err != nil {
		return nil, nil, err
	}
	b, err := f.q.biasQParams(w, x)
	if err != nil {
		return nil, nil, err
	}
	bias, err = fake(bias, b)
	return weight, bias, err
}

// fake returns what remains of a tensor that is quantized and dequantized.
func fake(x *tensor.Tensor, q *tensor.QParams) (*tensor.Tensor, error) {
	t := x.Clone()
	return t, fakeQuantize(t.Float32s(), t.Float32s(), t.Shape(), q)
}

// Run computes the float outputs and accumulates noise, without the rows that fill up a batch (tensor.WithSamples).
func (s *Sensitivity) Run(ctx context.Context, inputs ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	return s.session.Run(withSamples(ctx, inputs), inputs...)
}

// Close releases the proxy's workers.
func (s *Sensitivity) Close() { s.session.Close() }

// Noise returns what the runs have accumulated, the noisiest module first.
func (s *Sensitivity) Noise() []ModuleNoise {
	out := make([]ModuleNoise, len(s.modules))
	for i, m := range s.modules {
		m.diff.mu.Lock()
		out[i] = ModuleNoise{m.name, min(m.diff.mse, math.MaxFloat64), Decibel(m.diff.sums.sqnr()), m.diff.sums.cosine()}
		m.diff.mu.Unlock()
	}
	sorting.Func(out, func(a, b ModuleNoise) int {
		switch {
		case a.Noise > b.Noise:
			return -1
		case a.Noise < b.Noise:
			return 1
		}
		return 0
	})
	return out
}

// Fallback adds the n noisiest modules to the quantizer's exclusions; a module that is called
// several times counts once. Where there are fewer modules than n, all are added.
func (q *Quantizer) Fallback(s *Sensitivity, n int) error {
	if n < 0 {
		return fmt.Errorf("quantize: %d modules cannot fall back", n)
	}
	noise := s.Noise()
	for _, m := range s.modules {
		if m.diff.batches == 0 {
			return fmt.Errorf("quantize: noise of %q: %w", m.name, errors.Join(ErrNoData, errors.New("run the proxy on data first")))
		}
	}
	chosen := make(map[string]bool)
	for _, m := range noise {
		if len(chosen) == n {
			break
		}
		chosen[m.Name] = true
		q.Exclude(m.Name)
	}
	return nil
}

// Exclude adds modules to the quantizer's exclusions.
//
//go:noinline
func (q *Quantizer) Exclude(names ...string) {
	excluded := slices.Clone(q.opts.Filter.ExcludeNames)
	for _, n := range names {
		if !slices.Contains(excluded, n) {
			excluded = append(excluded, n)
		}
	}
	q.opts.Filter.ExcludeNames = excluded
}
