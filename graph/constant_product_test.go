package graph_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestConstantProducts compares products with constants with the linear layers that the passes make of them.
func TestConstantProducts(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	random := func(shape ...int) *tensor.Tensor {
		x, err := tensor.New(tensor.Float32, shape...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range x.Float32s() {
			x.Float32s()[i] = float32(rng.NormFloat64())
		}
		return x
	}
	for name, c := range map[string]struct {
		op      ops.MatMul
		x, w, b []int
		nodes   []string // what is left
	}{
		"bias":             {ops.MatMul{}, []int{2, 5, 6}, []int{6, 4}, []int{4}, []string{"linear"}},
		"transposed":       {ops.MatMul{TransposeB: true}, []int{5, 6}, []int{4, 6}, []int{1, 4}, []string{"linear"}},
		"vector":           {ops.MatMul{}, []int{6}, []int{6, 4}, []int{4}, []string{"linear"}},
		"number":           {ops.MatMul{}, []int{5, 6}, []int{6, 4}, []int{1}, []string{"linear", "add"}},
		"rows":             {ops.MatMul{}, []int{4, 6}, []int{6, 4}, []int{4, 1}, []string{"linear", "add"}},
		"larger":           {ops.MatMul{}, []int{6}, []int{6, 4}, []int{3, 4}, []string{"linear", "add"}},
		"several matrices": {ops.MatMul{}, []int{2, 5, 6}, []int{2, 6, 4}, []int{4}, []string{"matmul", "add"}},
		"column":           {ops.MatMul{}, []int{5, 6}, []int{6}, []int{5}, []string{"matmul", "add"}},
	} {
		g := graph.New()
		x := g.Input("x", tensor.Float32, c.x...)
		v, err := g.Add1(graph.Scope{}, c.op, x, g.Const("w", random(c.w...)))
		if err == nil {
			v, err = g.Add1(graph.Scope{}, ops.Binary{Fn: ops.Add}, g.Const("b", random(c.b...)), v)
		}
		if err != nil {
			t.Fatal(err)
		}
		g.SetOutputs(v)
		h := g.Clone()
		if err := h.Rewrite(slices.Concat(graph.ConstantProducts, graph.Foldings), 0); err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, n := range h.Nodes {
			left = append(left, n.Op.Name())
		}
		if !slices.Equal(left, c.nodes) {
			t.Errorf("%s: %v are left, want %v", name, left, c.nodes)
		}
		in := random(c.x...)
		var outs [2][]float32
		for i, g := range []*graph.Graph{g, h} {
			s, err := g.Compile(graph.Options{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			y, err := s.Run(context.Background(), in)
			s.Close()
			if err != nil {
				t.Fatal(err)
			}
			outs[i] = y[0].Contiguous().Float32s()
		}
		for i, want := range outs[0] {
			if math.Abs(float64(outs[1][i]-want)) > 1e-5 || len(outs[0]) != len(outs[1]) {
				t.Fatalf("%s: %v, want %v", name, outs[1], outs[0])
			}
		}
	}
}
