package quantize

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/train"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

func TestDistinct(t *testing.T) {
	for _, c := range [][2][]string{
		{{"x", "conv", "conv", "conv", "fc"}, {"x", "conv", "conv_1", "conv_2", "fc"}},
		{{"conv", "conv", "conv", "conv_1"}, {"conv", "conv_1_1", "conv_2", "conv_1"}},
		{{"conv_1", "conv", "conv"}, {"conv_1", "conv", "conv_1_1"}},
		{{"conv", "conv", "conv_1", "conv_1", "conv_1_1"}, {"conv", "conv_1_2", "conv_1", "conv_1_1_1", "conv_1_1"}},
		{{"a", "a", "a_1", "a_1", "a_1_1", "a_1_1"}, {"a", "a_1_2", "a_1", "a_1_1_2", "a_1_1", "a_1_1_1"}},
	} {
		got := distinct(c[0])
		if !slices.Equal(got, c[1]) {
			t.Errorf("%v are named %v, want %v", c[0], got, c[1])
		}
		if slices.Sort(got); len(slices.Compact(got)) != len(c[0]) {
			t.Errorf("%v get names twice: %v", c[0], got)
		}
	}
}

// writer adds nodes until the first error.
type writer struct {
	t testing.TB
	g *graph.Graph
}

func (w writer) add(scope graph.Scope, op ops.Op, in ...*graph.Value) *graph.Value {
	w.t.Helper()
	v, err := w.g.Add1(scope, op, in...)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func module(path string) graph.Scope {
	return graph.Scope{Path: path, Class: "torch.nn.modules.linear.Linear"}
}

// constant returns random numbers times a factor.
func (w writer) constant(name string, seed uint64, factor float32, shape ...int) *graph.Value {
	x := randomInput(w.t, seed, shape...)
	for i := range x.Float32s() {
		x.Float32s()[i] *= factor
	}
	return w.g.Const(name, x)
}

// collidingModel calls fc three times, and beside it fc_1, whose outputs are a thousandth.
func collidingModel(t testing.TB) *graph.Graph {
	w := writer{t, graph.New()}
	x := w.g.Input("x", tensor.Float32, 4, 16)
	fc, small := w.constant("fc.weight", 1, 0.5, 16, 16), w.constant("fc_1.weight", 2, 1e-3, 16, 16)
	v := x
	for range 3 {
		v = w.add(module("fc"), ops.Linear{}, v, fc)
		v = w.add(graph.Scope{}, ops.Unary{Fn: ops.Tanh}, v)
	}
	s := w.add(module("fc_1"), ops.Linear{}, x, small)
	s = w.add(graph.Scope{}, ops.Unary{Fn: ops.ReLU}, s)
	w.g.SetOutputs(v, w.add(module("last"), ops.Linear{}, s, w.constant("last.weight", 3, 100, 8, 16)))
	return w.g
}

// TestCollidingNames quantizes a module that is called several times beside one that is named like a numbered
// call, in every backend, and trains it.
func TestCollidingNames(t *testing.T) {
	m := collidingModel(t)
	x := randomInput(t, 4, 64, 16)
	for _, backend := range []*Backend{Native, Reference, DISC, FBGEMM} {
		q := New(Options{Backend: backend})
		report, _, _ := compareOn(t, q, m, x)
		values := make(map[string]bool)
		for _, v := range report.Values {
			if values[v.Name] {
				t.Errorf("%v: two values are named %s", backend, v.Name)
			}
			values[v.Name] = true
		}
		for _, l := range report.Layers {
			if l.Op == "linear" && l.Measured.SQNR < 30 {
				t.Errorf("%v: %s has an SQNR of %.1f dB", backend, l.Name, l.Measured.SQNR)
			}
		}
		trainOneStep(t, q, m, x)
	}
}

// trainOneStep trains the model toward its own float outputs.
func trainOneStep(t testing.TB, q *Quantizer, m *graph.Graph, x ...*tensor.Tensor) *QAT {
	t.Helper()
	a, err := q.QAT(m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	tr, err := train.New(a, train.Options{Loss: train.Distill(1), Optimizer: train.Adam{LR: 1e-4}})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	teacher, err := m.Compile(graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer teacher.Close()
	if _, err := tr.StepToward(context.Background(), teacher, x...); err != nil {
		t.Fatal(err)
	}
	return a
}

// unnamedModel has layers in one module whose weights are computed from parameters: two that differ
// in size, and one that is called twice.
func unnamedModel(t testing.TB) *graph.Graph {
	w := writer{t, graph.New()}
	scope := graph.Scope{Path: "net", Class: "Net"}
	param := func(name string, seed uint64, factor float32, shape ...int) *graph.Value {
		return w.add(scope, ops.Binary{Fn: ops.Mul}, w.constant(name, seed, 1, shape...), w.constant(name+"_g", seed+100, factor, shape[0], 1))
	}
	v := w.add(scope, ops.Linear{}, w.g.Input("x", tensor.Float32, 4, 12), param("a", 1, 0.3, 20, 12))
	v = w.add(scope, ops.Unary{Fn: ops.ReLU}, v)
	b := w.constant("b", 2, 1, 20, 20)
	for range 2 {
		v = w.add(scope, ops.Linear{}, v, w.add(scope, ops.Binary{Fn: ops.Mul}, b, b))
		v = w.add(scope, ops.Unary{Fn: ops.Tanh}, v)
	}
	w.g.SetOutputs(w.add(scope, ops.Linear{}, v, param("c", 3, 5, 7, 20)))
	return w.g
}

// TestUnnamedWeights checks that what is known of layers is kept apart where their weights have no name.
func TestUnnamedWeights(t *testing.T) {
	m := unnamedModel(t)
	x := randomInput(t, 5, 256, 12)
	bits := &ObserverConfig{Kind: MinMax, Spec: channelSymmetricS8.WithBits(6)}
	last := func(opts Options) Decibel {
		opts.Weight = bits
		r, _, _ := compareOn(t, New(opts), m, x)
		return r.Layers[len(r.Layers)-1].Measured.SQNR
	}
	plain := last(Options{})
	for _, opts := range []Options{{Rounding: Learned}, {CorrectBias: true}, {Rounding: Learned, CorrectBias: true}, {Backend: Reference, Rounding: Learned}} {
		if got := last(opts); got < plain-1 {
			t.Errorf("%+v: %.1f dB, without %.1f", opts, got, plain)
		}
	}

	q := New(Options{Rounding: Learned})
	calibrate(t, q, m, &dataset{batches: [][]*tensor.Tensor{{x}}})
	want := []string{"net.weight", "net.weight_1", "net.weight_2"}
	if got := slices.Sorted(maps.Keys(q.moments)); !slices.Equal(got, want) {
		t.Errorf("there are moments of %v, want %v", got, want)
	}
	p, err := q.Parameters(m)
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(p.Weights)); !slices.Equal(got, []string{"net", "net_1", "net_2"}) {
		t.Errorf("there are parameters of the weights of %v", got)
	}
	plainly := New(Options{})
	calibrate(t, plainly, m, &dataset{batches: [][]*tensor.Tensor{{x}}})
	if a := trainOneStep(t, plainly, m, x); len(a.weights) != 3 {
		t.Errorf("%d weights have learned scales, want 3", len(a.weights))
	}
}

// TestMomentsOfAnotherLayer refuses moments that are not of the layer's inputs.
func TestMomentsOfAnotherLayer(t *testing.T) {
	m := unnamedModel(t)
	q := New(Options{CorrectBias: true})
	calibrate(t, q, m, &dataset{batches: [][]*tensor.Tensor{{randomInput(t, 5, 8, 12)}}})
	q.moments["net.weight"] = q.moments["net.weight_1"]
	if _, err := q.Quantize(m); err == nil {
		t.Error("moments of rows of 20 are taken for a layer of 12 inputs")
	}
}
