package tensor

import "testing"

// TestSamples marks the rows of a batch that fill it up: neither views nor copies of it are marked.
func TestSamples(t *testing.T) {
	x, err := New(Float32, 4, 2)
	if err != nil {
		t.Fatal(err)
	}
	y := x.WithSamples(3)
	if x.Samples() != 4 || y.Samples() != 3 || y.Clone().Samples() != 4 || y.WithSamples(4).Samples() != 4 {
		t.Errorf("%d samples, marked %d, copied %d, marked again %d", x.Samples(), y.Samples(), y.Clone().Samples(), y.WithSamples(4).Samples())
	}
	if v, err := y.Permute(1, 0); err != nil || v.Samples() != 2 {
		t.Errorf("%v, %v", v, err)
	}
	if y.WithSamples(5) != y || Scalar(float32(1)).WithSamples(1).Samples() != 1 {
		t.Error("marked with more samples than there are rows")
	}
}
