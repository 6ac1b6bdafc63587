package graph

import (
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestValueTable keeps values apart that have one number because they are of two graphs, and those made after the table.
func TestValueTable(t *testing.T) {
	g, other := New(), New()
	x, y := g.Input("x", tensor.Float32, 1), other.Input("y", tensor.Float32, 1)
	table := newValueTable[int](g)
	if table.has(x) || table.has(y) {
		t.Error("an empty table has values")
	}
	late, err := g.Add1(Scope{}, ops.Unary{Fn: ops.Neg}, x)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range []*Value{y, x, late, y, x, late} {
		table.set(v, i)
	}
	for want, v := range map[int]*Value{3: y, 4: x, 5: late} {
		if got, ok := table.get(v); !ok || got != want {
			t.Errorf("%d, %v where %d was set", got, ok, want)
		}
	}
}

// TestVerifyForeignValue refuses a graph with a value of another graph, though one of its own has the same number.
func TestVerifyForeignValue(t *testing.T) {
	g, other := New(), New()
	g.Input("x", tensor.Float32, 1)
	y, err := g.Add1(Scope{}, ops.Unary{Fn: ops.Neg}, other.Input("y", tensor.Float32, 1))
	if err != nil {
		t.Fatal(err)
	}
	g.SetOutputs(y)
	if err := g.Verify(); err == nil {
		t.Error("the value of another graph passes")
	}
	if _, err := g.Compile(Options{Threads: 1}); err == nil {
		t.Error("and the graph compiles")
	}
}
