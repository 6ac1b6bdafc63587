package quantize

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/tensor"
)

// threeLayers are three linear layers with a GELU behind the first.
func threeLayers(t *testing.T) (*graph.Graph, *tensor.Tensor) {
	t.Helper()
	m := build(t, []int{1, 32}, func(c *nn.Context, x *graph.Value) *graph.Value {
		v := c.Call("act", nn.GELU{}, c.Call("a", nn.Linear{In: 32, Out: 48}, x))
		v = c.Call("b", nn.Linear{In: 48, Out: 48}, v)
		return c.Call("c", nn.Linear{In: 48, Out: 8}, v)
	})
	return m, randomInput(t, 3, 16, 32)
}

func parametersWith(t *testing.T, b *Backend, m *graph.Graph, x *tensor.Tensor) (*Quantizer, *Parameters) {
	t.Helper()
	q := New(Options{Backend: b})
	calibrate(t, q, m, &dataset{batches: [][]*tensor.Tensor{{x}}})
	p, err := q.Parameters(m)
	if err != nil {
		t.Fatal(err)
	}
	return q, p
}

// TestRules checks that a backend's rules override specs and precisions per module, operator and value, that later ones win, and that
// what is trained and converted has the parameters they say.
func TestRules(t *testing.T) {
	m, x := threeLayers(t)
	perTensor := ObserverConfig{Kind: MinMax, Spec: symmetricS8.WithBits(6)}
	known := tensor.PerTensor(tensor.Uint8, 1.0/64, 12)
	half := func(from []*tensor.QParams) (*tensor.QParams, error) {
		return tensor.PerTensor(tensor.Uint8, from[0].Scale[0]/2, from[0].ZeroPoint[0]), nil
	}
	base := Native.With("custom",
		Rule{Operators: []string{"linear"}, Weight: &perTensor},
		Rule{Modules: []string{"b"}, Weight: &Native.Weight},
		Rule{Values: []string{"act"}, Activation: &Edge{Fixed: known}},
	)
	q, p := parametersWith(t, base, m, x)
	if a, b := p.Weights["a"], p.Weights["b"]; a.Scheme.PerChannel() || a.Max != 31 || !b.Scheme.PerChannel() {
		t.Errorf("the weights are %v and %v", a, b)
	}
	if !p.Activations["act"].Equal(known) {
		t.Errorf("the fixed edge is %v", p.Activations["act"])
	}
	if q.values["act"] != nil {
		t.Error("what is fixed was observed")
	}
	if _, plain := parametersWith(t, Native, m, x); plain.Activations["act"].Equal(known) {
		t.Error("Native has changed")
	}
	_, p = parametersWith(t, base.With("shared", Rule{Values: []string{"b"}, Activation: &Edge{Shared: "act"}}), m, x)
	if !p.Activations["b"].Equal(known) {
		t.Errorf("the shared edge is %v", p.Activations["b"])
	}
	_, p = parametersWith(t, base.With("derived", Rule{Values: []string{"b"}, Activation: &Edge{Derived: &Derived{From: []string{"x"}, QParams: half}}}), m, x)
	if p.Activations["b"].Scale[0] != p.Activations["x"].Scale[0]/2 {
		t.Errorf("the derived edge is %v of %v", p.Activations["b"], p.Activations["x"])
	}
	q, _ = parametersWith(t, base.With("float", Rule{Modules: []string{"b"}, Precision: Float32}), m, x)
	g := quantized(t, q, m)
	var int8 []string
	for _, l := range q.Report().Layers {
		if l.Precision == "int8" {
			int8 = append(int8, l.Name)
		}
	}
	if slices.Contains(int8, "b") || !slices.Contains(int8, "a") || !slices.Contains(int8, "c") {
		t.Errorf("int8 are %v:\n%v", int8, g)
	}
}

// TestRulesTrained checks that values which share parameters share what is learned, and that the deployed forward has the bits of
// what is converted.
func TestRulesTrained(t *testing.T) {
	m, x := threeLayers(t)
	b := Native.With("shared", Rule{Values: []string{"b"}, Activation: &Edge{Shared: "act"}})
	q, _ := parametersWith(t, b, m, x)
	a := trainOneStep(t, q, m, x)
	if a.values["b"] == nil || a.values["b"] != a.values["act"] {
		t.Fatalf("learned of %v and %v", a.values["b"], a.values["act"])
	}
	got, err := a.Run(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	if want := run(t, quantized(t, q, m), x); !bytes.Equal(got[0].Contiguous().Bytes(), want[0].Contiguous().Bytes()) {
		t.Error("the deployed forward is not the converted model")
	}
}

// TestBadRules checks that rules which cannot be are errors that name them.
func TestBadRules(t *testing.T) {
	m, x := threeLayers(t)
	edge := func(value string, e Edge) *Backend {
		return Native.With("bad", Rule{Values: []string{value}, Activation: &e})
	}
	channels := ObserverConfig{Kind: MinMax, Spec: channelSymmetricS8}
	for name, b := range map[string]*Backend{
		"nothing set":  edge("act", Edge{}),
		"two set":      edge("act", Edge{Shared: "x", Fixed: tensor.PerTensor(tensor.Uint8, 1, 0)}),
		"itself":       edge("act", Edge{Shared: "b"}).With("bad", Rule{Values: []string{"b"}, Activation: &Edge{Shared: "act"}}),
		"no value":     edge("atc", Edge{Shared: "x"}),
		"no source":    edge("act", Edge{Shared: "nothing"}),
		"no function":  edge("act", Edge{Derived: &Derived{From: []string{"x"}}}),
		"per channel":  edge("act", Edge{Observer: &channels}),
		"bias weights": Native.With("bad", Rule{Weight: &ObserverConfig{Kind: MinMax, Spec: symmetricS32}}),
		"value weight": Native.With("bad", Rule{Values: []string{"act"}, Weight: &channels}),
	} {
		_, err := New(Options{Backend: b}).Calib(m)
		var option *OptionError
		var unknown *UnknownNameError
		if !errors.As(err, &option) && !errors.As(err, &unknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	q, _ := parametersWith(t, Native.With("unregistered"), m, x)
	state, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	var backend *BackendError
	if err := json.Unmarshal(state, New(Options{})); !errors.As(err, &backend) {
		t.Errorf("the state of an unknown backend: %v", err)
	}
	if err := Register(Native.With("Native")); err == nil {
		t.Error("another backend has Native's name")
	}
	known := Native.With("unregistered")
	if err := Register(known); err != nil {
		t.Fatal(err)
	}
	read := New(Options{})
	if err := json.Unmarshal(state, read); err != nil || read.Options().Backend != known {
		t.Errorf("the state of a registered backend: %v, %v", err, read.Options().Backend)
	}
}
