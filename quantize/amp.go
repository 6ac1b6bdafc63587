package quantize

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/octet-ml/octet/graph"
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
// input being exact.
type ModuleNoise struct {
	Name string `json:"name"` // path of the module
	// Noise is the sum over the batches of the mean square error.
	Noise float64 `json:"noise"`
	// SQNR is the ratio of signal to noise in dB, and Cosine that of the angle
	// between both outputs, over all batches.
	SQNR   float64 `json:"sqnr_db"`
	Cosine float64 `json:"cosine"`
}

// AMP returns a proxy of the float model m that measures the noise of each
// quantizable module. It needs calibrated observers.
func (q *Quantizer) AMP(m *graph.Graph, overrides ...Override) (*Sensitivity, error) {
	p, err := q.prepare(m, overrides)
	if err != nil {
		return nil, err
	}
	s := &Sensitivity{}
	f := &faker{q: q, p: p, values: make(map[*graph.Value]*graph.Value)}
	nodes := p.graph.Nodes
	for _, n := range nodes {
		if !isLayer(n.Op) || !p.decision[n].Quantize {
			continue
		}
		d := &difference{}
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

// faker adds fake-quantized forms of a graph's values and layers to it.
type faker struct {
	q      *Quantizer
	p      *prepared
	values map[*graph.Value]*graph.Value
}

// compare adds the fake-quantized form of a layer beside it.
func (f *faker) compare(n *graph.Node, d *difference) error {
	g := f.p.graph
	inputs := slices.Clone(n.Inputs)
	for _, i := range f.p.quantizedInputs(n) {
		v, err := f.activation(n.Inputs[i])
		if err != nil {
			return err
		}
		inputs[i] = v
	}
	if err := f.constants(n, inputs); err != nil {
		return err
	}
	out, err := g.Add1(n.Scope, n.Op, inputs...)
	if err != nil {
		return err
	}
	if !f.p.givesFloat(n) {
		q, err := f.q.activation(f.p.names[n.Outputs[0]])
		if err != nil {
			return err
		}
		if out, err = g.Add1(n.Scope, FakeQuantizeOp{q}, out); err != nil {
			return err
		}
	}
	_, err = g.Add(n.Scope, compareOp{d}, n.Outputs[0], out)
	return err
}

// activation returns the fake-quantized form of a value.
func (f *faker) activation(v *graph.Value) (*graph.Value, error) {
	if w := f.values[v]; w != nil {
		return w, nil
	}
	q, err := f.q.activation(f.p.names[f.p.source(v)])
	if err != nil {
		return nil, err
	}
	w, err := f.p.graph.Add1(scopeOf(v), FakeQuantizeOp{q}, v)
	f.values[v] = w
	return w, err
}

// constants puts the fake-quantized weight and bias of a layer into its inputs.
func (f *faker) constants(n *graph.Node, inputs []*graph.Value) error {
	w, err := f.q.weightQParams(n)
	if err != nil {
		return err
	}
	if inputs[1], err = f.constant(n.Inputs[1], w); err != nil || !hasBias(n.Op) {
		return err
	}
	x, err := f.q.activation(f.p.names[f.p.source(n.Inputs[0])])
	if err != nil {
		return err
	}
	b, err := f.q.biasQParams(w, x)
	if err != nil {
		return err
	}
	inputs[2], err = f.constant(n.Inputs[2], b)
	return err
}

func (f *faker) constant(v *graph.Value, q *tensor.QParams) (*graph.Value, error) {
	t := v.Const.Clone()
	if err := FakeQuantize(t.Float32s(), t.Float32s(), t.Shape(), q); err != nil {
		return nil, err
	}
	return f.p.graph.Const(v.Name, t), nil
}

// Run computes the float outputs and accumulates noise.
func (s *Sensitivity) Run(ctx context.Context, inputs ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	return s.session.Run(ctx, inputs...)
}

// Close releases the proxy's workers.
func (s *Sensitivity) Close() { s.session.Close() }

// Noise returns what the runs have accumulated, the noisiest module first.
func (s *Sensitivity) Noise() []ModuleNoise {
	out := make([]ModuleNoise, len(s.modules))
	for i, m := range s.modules {
		m.diff.mu.Lock()
		out[i] = ModuleNoise{m.name, m.diff.mse, m.diff.sums.sqnr(), m.diff.sums.cosine()}
		m.diff.mu.Unlock()
	}
	slices.SortStableFunc(out, func(a, b ModuleNoise) int {
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

// Fallback adds the n noisiest modules to the quantizer's exclusions. Where there
// are fewer modules than n, all are added.
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
	for _, m := range noise[:min(n, len(noise))] {
		q.Exclude(m.Name)
	}
	return nil
}

// Exclude adds modules to the quantizer's exclusions.
func (q *Quantizer) Exclude(names ...string) {
	excluded := slices.Clone(q.opts.Filter.ExcludeNames)
	for _, n := range names {
		if !slices.Contains(excluded, n) {
			excluded = append(excluded, n)
		}
	}
	q.opts.Filter.ExcludeNames = excluded
}
