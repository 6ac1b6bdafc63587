package graph_test

import (
	"context"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

func vector(t *testing.T, v ...float32) *tensor.Tensor {
	t.Helper()
	x, err := tensor.FromSlice(v, len(v))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// counting returns a graph that gives x plus a variable, and adds x to the variable.
func counting(t *testing.T, memory *tensor.Tensor) *graph.Graph {
	t.Helper()
	g := graph.New()
	x, sum := g.Input("x", tensor.Float32, 2), g.Variable("sum", memory)
	y, err := g.Add1(graph.Scope{}, ops.Binary{Fn: ops.Add}, x, sum)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Add(graph.Scope{}, ops.Assign{}, sum, y); err != nil {
		t.Fatal(err)
	}
	z, err := g.Add1(graph.Scope{}, ops.Binary{Fn: ops.Mul}, sum, sum)
	if err != nil {
		t.Fatal(err)
	}
	g.SetOutputs(y, z)
	return g
}

// TestVariable checks that every run reads what the memory holds, that writers
// change it in place and in the order of the nodes, and that steady state allocates nothing.
func TestVariable(t *testing.T) {
	memory := vector(t, 1, 2)
	g := counting(t, memory)
	s, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	x, y, z := vector(t, 10, 20), vector(t, 0, 0), vector(t, 0, 0)
	outputs, inputs := []*tensor.Tensor{y, z}, []*tensor.Tensor{x}
	run := func() {
		if err := s.RunInto(context.Background(), outputs, inputs); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want float32) {
		t.Helper()
		if y.Float32s()[0] != want || memory.Float32s()[0] != want || z.Float32s()[0] != want*want {
			t.Errorf("output %v, memory %v, square %v, want %v", y.Float32s(), memory.Float32s(), z.Float32s(), want)
		}
	}
	run()
	check(11)
	run()
	check(21)
	memory.Float32s()[0] = 5
	run()
	check(15)
	if n := testing.AllocsPerRun(5, run); n != 0 {
		t.Errorf("%v allocations per run", n)
	}
}

func TestVariableDump(t *testing.T) {
	g := counting(t, vector(t, 1, 2))
	if s := g.Clone().String(); !strings.Contains(s, "add(%x, var sum)") || !strings.Contains(s, "assign(var sum, %0)") {
		t.Errorf("dump\n%s", s)
	}
	if v := g.Variables(); len(v) != 1 || v[0].Name != "sum" {
		t.Errorf("variables %v", v)
	}
}

func TestWriterNeedsVariable(t *testing.T) {
	g := graph.New()
	x := g.Input("x", tensor.Float32, 2)
	if _, err := g.Add(graph.Scope{}, ops.Assign{}, x, x); err != nil {
		t.Fatal(err)
	}
	g.SetOutputs(x)
	if err := g.Verify(); err == nil || !strings.Contains(err.Error(), "no variable") {
		t.Errorf("writing an input: %v", err)
	}
	g = counting(t, vector(t, 1, 2))
	g.Variables()[0].Type.Shape = tensor.Shape{3}
	if err := g.Verify(); err == nil {
		t.Error("a variable of another shape than its memory was accepted")
	}
}
