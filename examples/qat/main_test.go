package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/digits"
	"github.com/octet-ml/octet/loader"
)

// TestFit trains for three epochs: the loss falls, and the model that is saved is an int8 one.
func TestFit(t *testing.T) {
	var b strings.Builder
	out := filepath.Join(t.TempDir(), "digits.safetensors")
	if err := fit(&b, digits.Architecture(), "../../digits/digits.pth", "../../digits/calib.npz", "../../digits/calib.npz", out, 16, 5); err != nil {
		t.Fatal(err)
	}
	var losses []float64
	for line := range strings.Lines(b.String()) {
		var step int
		var loss float64
		if _, err := fmt.Sscanf(line, "step %d: loss %f", &step, &loss); err != nil || step != len(losses)+1 {
			t.Fatalf("%q is not the line of step %d: %v", line, len(losses)+1, err)
		}
		losses = append(losses, loss)
	}
	const perEpoch = 256 / 16
	if len(losses) != 5*perEpoch || !(sum(losses[4*perEpoch:]) < sum(losses[:perEpoch])/2) {
		t.Errorf("the loss goes through %v", losses)
	}
	g, err := loader.Load(out)
	if err != nil {
		t.Fatal(err)
	}
	if p := bench.Precision(g); p != bench.Int8 {
		t.Errorf("the model is in %s", p)
	}
}

func sum(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s
}
