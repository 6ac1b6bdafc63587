package data_test

import (
	"iter"
	"testing"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// TestNoModel gives no model to whatever takes one.
func TestNoModel(t *testing.T) {
	x, err := tensor.FromSlice([]float32{1, 2, 3, 4}, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	d, err := data.NewDataset(tensor.Arrays{{Name: "x", Tensor: x}})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() error{
		"Batch":      func() error { _, err := d.Batch(nil, 0, 1); return err },
		"no samples": func() error { _, err := d.Batch(nil, 0, 0); return err },
		"Select":     func() error { _, _, err := d.Select(nil, []int{0}); return err },
		"Inputs":     func() error { _, err := d.Inputs(nil); return err },
		"Targets":    func() error { _, err := d.Targets(nil); return err },
		"Bound":      func() error { _, err := d.Bound(nil); return err },
		"Batches": func() error {
			for _, err := range d.Batches(nil, 1) {
				return err
			}
			return nil
		},
		"Shard": func() error {
			for _, err := range d.Shard(nil, 1, quantize.Shard{Index: 0, Count: 1}) {
				return err
			}
			return nil
		},
	} {
		if err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	d.Unused(nil, false)
	d.Unnormalized(nil, true)
	if n := data.BatchSize(nil, 3); n != 3 {
		t.Errorf("batch size %d", n)
	}
}

// TestBatchSizeBelow1 asks for batches of no samples, and of fewer: they have one.
func TestBatchSizeBelow1(t *testing.T) {
	x, err := tensor.FromSlice([]float32{1, 2, 3, 4}, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	d, err := data.NewDataset(tensor.Arrays{{Name: "x", Tensor: x}})
	if err != nil {
		t.Fatal(err)
	}
	g := graph.New()
	g.SetOutputs(g.Input("x", tensor.Float32, 1, 2))
	for _, size := range []int{0, -1} {
		for name, batches := range map[string]iter.Seq2[[]*tensor.Tensor, error]{"Batches": d.Batches(g, size), "Shard": d.Shard(g, size, quantize.Shard{Count: 1})} {
			n := 0
			for in, err := range batches {
				if n++; err != nil || n > 2 || in[0].Dim(0) != 1 {
					t.Fatalf("%s of %d: batch %d is %v, error %v", name, size, n, in, err)
				}
			}
			if n != 2 {
				t.Errorf("%s of %d: %d batches", name, size, n)
			}
		}
		if from, to := data.ShardSamples(quantize.Shard{Count: 1}, 2, size); from != 0 || to != 2 {
			t.Errorf("%d: samples [%d, %d)", size, from, to)
		}
	}
}
