package digits_test

import (
	"context"
	"testing"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/digits"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// TestAgainstPyTorch compares the logits of the network with those that
// train.py recorded.
func TestAgainstPyTorch(t *testing.T) {
	m, err := digits.Load()
	if err != nil {
		t.Fatal(err)
	}
	arrays, err := digits.Test()
	if err != nil {
		t.Fatal(err)
	}
	images, err := data.NewDataset(arrays)
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Compile(graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, err := bench.Evaluate(context.Background(), s, images, 100, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.N != 512 || got.Right < 500 {
		t.Errorf("%d of %d right, want at least 500 of 512", got.Right, got.N)
	}
	recorded, err := tensor.ReadNPZ("testdata/logits.npz", 0)
	if err != nil {
		t.Fatal(err)
	}
	a, err := bench.Compare(got.Logits, recorded.Get("logits"))
	if err != nil {
		t.Fatal(err)
	}
	if a.SameClass != a.N || !(a.MaxAbsDiff <= 1e-4) {
		t.Errorf("PyTorch: %d of %d in the same class, logits differ by up to %g", a.SameClass, a.N, a.MaxAbsDiff)
	}
}
