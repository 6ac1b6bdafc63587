package graph_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

func formatPorts(ports []graph.Port) []string {
	var out []string
	for _, p := range ports {
		out = append(out, fmt.Sprintf("%s %v%v", p.Name, p.Type.DType, p.Extents()))
	}
	return out
}

// TestSignature looks at models that are not run: names, types and free extents.
func TestSignature(t *testing.T) {
	linear := graph.New()
	x := linear.Input("x", tensor.Float32, 2, 4)
	w := linear.Const("w", mustTensor(t, make([]float32, 12), 3, 4))
	y, err := linear.Add1(graph.Scope{}, ops.Linear{}, x, w)
	if err != nil {
		t.Fatal(err)
	}
	y.Name = "logits"
	linear.SetOutputs(y, x, y)

	pair := graph.New()
	a, b := pair.Input("a", tensor.Float32, 1, 5), pair.Input("b", tensor.Float32, 1, 5)
	sum, err := pair.Add1(graph.Scope{}, ops.Concat{Axis: 1}, a, b)
	if err != nil {
		t.Fatal(err)
	}
	pair.SetOutputs(sum)

	fixed := graph.New()
	f := fixed.Input("f", tensor.Float32, 2, 3)
	f.Guard = &graph.Guard{Shape: []int{2, -1}}
	g, err := fixed.Add1(graph.Scope{}, ops.Unary{Fn: ops.ReLU}, f)
	if err != nil {
		t.Fatal(err)
	}
	fixed.SetOutputs(g)

	for _, c := range []struct {
		name    string
		graph   *graph.Graph
		inputs  []string
		outputs []string
		batch   bool
	}{
		{"linear", linear, []string{"x float32[-1 4]"}, []string{"logits float32[-1 3]", "output1 float32[-1 4]", "output2 float32[-1 3]"}, true},
		{"pair", pair, []string{"a float32[-1 -1]", "b float32[-1 -1]"}, []string{"output0 float32[-1 -1]"}, true},
		{"fixed", fixed, []string{"f float32[2 -1]"}, []string{"output0 float32[2 -1]"}, false},
		{"resnet20", built(t, nn.ResNet20CIFAR()), []string{"input float32[-1 3 -1 -1]"}, []string{"output0 float32[-1 10]"}, true},
	} {
		s, err := c.graph.Signature()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if d := cmp.Diff(c.inputs, formatPorts(s.Inputs)); d != "" {
			t.Errorf("%s: inputs (-want +got)\n%s", c.name, d)
		}
		if d := cmp.Diff(c.outputs, formatPorts(s.Outputs)); d != "" {
			t.Errorf("%s: outputs (-want +got)\n%s", c.name, d)
		}
		if s.Batch != c.batch || s.Stateful {
			t.Errorf("%s: batch %v, stateful %v", c.name, s.Batch, s.Stateful)
		}
	}
}

func built(t *testing.T, a nn.Architecture) *graph.Graph {
	t.Helper()
	g, err := nn.BuildRandom(a, 1)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func mustTensor[T tensor.Element](t *testing.T, data []T, shape ...int) *tensor.Tensor {
	t.Helper()
	x, err := tensor.FromSlice(data, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestOutputTypes asks for outputs without running.
func TestOutputTypes(t *testing.T) {
	g := built(t, nn.ResNet20CIFAR())
	types, err := g.OutputTypes(ops.F32(5, 3, 40, 36))
	if err != nil || len(types) != 1 || !types[0].Shape.Equal(tensor.Shape{5, 10}) {
		t.Errorf("types %v, error %v", types, err)
	}
	for _, wrong := range [][]ops.Type{nil, {ops.F32(1, 3, 32)}, {ops.F32(1, 4, 32, 32)}, {{DType: tensor.Uint8, Shape: tensor.Shape{1, 3, 32, 32}}}} {
		var input *graph.InputError
		if _, err := g.OutputTypes(wrong...); !errors.As(err, &input) {
			t.Errorf("%v: error %v", wrong, err)
		}
	}
	if names := g.OutputNames(); !slices.Equal(names, []string{"output0"}) {
		t.Errorf("names %v", names)
	}
}

// TestRunWithThreads holds the results of runs with fewer workers to those with all.
func TestRunWithThreads(t *testing.T) {
	g := built(t, nn.ResNet20CIFAR())
	s, err := g.Compile(graph.Options{Threads: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	values := make([]float32, 2*3*32*32)
	for i := range values {
		values[i] = float32(i%17) / 7
	}
	x := mustTensor(t, values, 2, 3, 32, 32)
	want, err := s.Run(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	for _, threads := range []int{1, 2, 3, 4, 99, 0} {
		got, err := s.RunWith(t.Context(), graph.RunOptions{Threads: threads, State: s.NewState()}, x)
		if err != nil || !slices.Equal(got[0].Bytes(), want[0].Bytes()) {
			t.Errorf("%d threads: error %v, other bits", threads, err)
		}
	}
	other, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var option *graph.OptionError
	if _, err := s.RunWith(t.Context(), graph.RunOptions{State: other.NewState()}, x); !errors.As(err, &option) {
		t.Errorf("a state of another session: error %v", err)
	}
}
