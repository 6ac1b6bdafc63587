package quantize

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestRecurrent takes the weights of recurrent networks, and of cells that a loop calls, to int8, whether the rest is calibrated or not: nearly all of
// what the networks multiply. Cells that share weights do so in int8, and their gates have parameters of their own.
func TestRecurrent(t *testing.T) {
	paths, err := filepath.Glob("testdata/forms/recurrent_*.pt")
	if err != nil || len(paths) != 3 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		f := readForm(t, path)
		for _, dynamic := range []bool{false, true} {
			q := New(Options{Dynamic: dynamic})
			if !dynamic {
				f.calibrate(t, q)
			}
			g := quantized(t, q, f.model)
			bytes, float, cells := 0, 0, 0
			for _, l := range q.Report().Layers {
				if slices.Contains([]string{"lstm", "gru"}, l.Op) {
					cells++
					if l.Precision != "int8" || l.SQNR < 30 {
						t.Errorf("%s: %+v", path, l)
					}
				}
				bytes, float = bytes+l.Bytes, float+l.FloatBytes
			}
			var int8, all int64
			weights := make(map[any]bool)
			for _, n := range g.Nodes {
				w := ops.WorkOf(n.Op, typesOf(n.Inputs), typesOf(n.Outputs))
				int8, all = int8+w.Int8MACs, all+w.Int8MACs+w.MACs
				for _, v := range n.Inputs {
					if v.Const != nil && v.Const.DType() == tensor.Int8 {
						weights[v.Const] = true
					}
				}
			}
			// PyTorch writes cells as linear layers and functions of slices.
			unrolled := strings.Contains(path, "cells")
			if unrolled == (cells > 0) || 100*int8 < 95*all || 100*bytes > 33*float {
				t.Errorf("%s, dynamic %t: %d cells, %d of %d products in int8, %d of %d bytes", path, dynamic, cells, int8, all, bytes, float)
			}
			if unrolled && len(weights) > 7 {
				t.Errorf("%d weights of two cells, that five steps call, and a layer", len(weights))
			}
			if s := f.sqnr(t, reloaded(t, g)); s < 35 {
				t.Errorf("%s, dynamic %t: %.1f dB", path, dynamic, s)
			} else {
				t.Logf("%s, dynamic %t: %.1f dB, %d of %d products, %d of %d bytes", path, dynamic, s, int8, all, bytes, float)
			}
		}
	}
}
