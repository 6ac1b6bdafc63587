package graph

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestLower checks that operators made of others give, once those are in their
// place, what their own kernels do, and that none stays.
func TestLower(t *testing.T) {
	for name, c := range map[string]struct {
		op     ops.Op
		shapes [][]int
	}{
		"einsum":        {ops.Einsum{Equation: "bij,bjk->bki"}, [][]int{{2, 3, 4}, {2, 4, 5}}},
		"einsum, alone": {ops.Einsum{Equation: "ij->ij"}, [][]int{{3, 4}}},
		"addmm":         {ops.AddMM{Beta: 2, Alpha: 3}, [][]int{{4}, {2, 3}, {3, 4}}},
		"shuffle":       {ops.PixelShuffle{Factor: 2}, [][]int{{1, 8, 2, 3}}},
		"factor 1":      {ops.PixelShuffle{Factor: 1}, [][]int{{1, 8, 2, 3}}},
	} {
		g := New()
		r := rand.New(rand.NewPCG(4, 4))
		var values []*Value
		var in []*tensor.Tensor
		for i, s := range c.shapes {
			values = append(values, g.Input(string(rune('a'+i)), tensor.Float32, s...))
			in = append(in, random(t, r, s...))
		}
		y := add(t, g, "op", c.op, values...)
		y.Name = "y"
		g.SetOutputs(y)
		s := compile(t, g, Options{Threads: 1})
		for _, n := range s.Graph().Nodes {
			if _, ok := n.Op.(ops.Lowerer); ok {
				t.Errorf("%s: %s stays", name, n.Op.Name())
			}
		}
		got, err := s.Run(context.Background(), in...)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, name, got, reference(t, g, in))
	}
}
