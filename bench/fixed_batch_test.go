package bench

import (
	"context"
	"slices"
	"testing"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func of[T tensor.Element](v []T, shape ...int) *tensor.Tensor {
	return must(tensor.FromSlice(v, shape...))
}

// TestFixedBatch gives a model that takes batches of 4 six samples, and one that takes 2 to 4: each sample counts once.
func TestFixedBatch(t *testing.T) {
	labels := of([]int64{0, 1, 0, 1, 0, 0}, 6)
	x := of([]float32{1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1}, 6, 2) // the class of all but the last is the label
	d, err := data.NewDataset([]tensor.Named{{Name: "x", Tensor: x}, {Name: "y", Tensor: labels}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		guard   graph.Guard
		wanted  int
		batches []int
	}{
		"one size":       {graph.Guard{Shape: []int{4, 2}}, 64, []int{4, 4}},
		"bounds":         {graph.Guard{Shape: []int{-1, 2}, Bounds: []graph.Bound{{Min: 2, Max: 4}, {}}}, 64, []int{4, 2}},
		"less":           {graph.Guard{Bounds: []graph.Bound{{Min: 2, Max: 5}, {}}}, 5, []int{5, 2}},
		"no upper limit": {graph.Guard{Bounds: []graph.Bound{{Min: 4}, {}}}, 1, []int{4, 4}},
	} {
		g := graph.New()
		in := g.Input("x", tensor.Float32, 4, 2)
		in.Guard = &c.guard
		out, err := g.Add1(graph.Scope{}, ops.Unary{Fn: ops.ReLU}, in)
		if err != nil {
			t.Fatal(err)
		}
		g.SetOutputs(out)
		var sizes []int
		for batch, err := range d.Batches(g, c.wanted) {
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, batch[0].Dim(0))
		}
		if !slices.Equal(sizes, c.batches) {
			t.Errorf("%s: batches of %v, want %v", name, sizes, c.batches)
		}
		s, err := g.Compile(graph.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		e, err := EvaluateWith(context.Background(), s, d, EvalOptions{Batch: c.wanted, Keep: true})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if e.N != 6 || e.Right != 5 || e.Counted != 6 || e.Outputs[0].Dim(0) != 6 || !slices.Equal(e.Outputs[0].Contiguous().Float32s(), x.Float32s()) {
			t.Errorf("%s: %d of %d right, %d samples, outputs %v", name, e.Right, e.Counted, e.N, e.Outputs[0])
		}
		m := *e.Metric
		m.Samples = 6
		got, err := quantize.ByMetric(&m, g, d.Batches(g, c.wanted), labels, graph.Options{Threads: 1})(context.Background(), g)
		if err != nil || got != 5.0/6 {
			t.Errorf("%s: accuracy %v, %v", name, got, err)
		}
	}
}
