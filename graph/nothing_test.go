package graph

import (
	"context"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// TestNothing gives nil where a graph or a context is needed: errors, as of a caller who did not look at the one before.
func TestNothing(t *testing.T) {
	var none *Graph
	if _, err := none.Compile(Options{}); err == nil {
		t.Error("nil was compiled")
	}
	if _, err := none.Concrete(); err == nil {
		t.Error("nil is concrete")
	}
	if _, err := Derive(none, func(g *Graph) (*Graph, error) { return g, nil }); err == nil {
		t.Error("a graph was derived of nil")
	}
	g := New()
	g.SetOutputs(g.Input("x", tensor.Float32, 1))
	s, err := g.Compile(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	x, err := tensor.New(tensor.Float32, 1)
	if err != nil {
		t.Fatal(err)
	}
	var absent context.Context
	if _, err := s.Run(absent, x); err == nil {
		t.Error("a run without a context")
	}
}
