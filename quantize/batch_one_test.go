package quantize

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/tensor"
)

// firstSamples returns the first n samples of a data set, 0 for all, for the inputs of a model.
func firstSamples(t testing.TB, m *graph.Graph, path string, n int) []*tensor.Tensor {
	t.Helper()
	arrays, err := tensor.ReadNPZ(path, 1<<28)
	if err != nil {
		t.Fatal(err)
	}
	var in []*tensor.Tensor
	for _, v := range m.Inputs {
		x := arrays.Get(v.Name)
		if n > 0 {
			x, err = x.Slice(0, 0, n, 1)
		}
		if err != nil {
			t.Fatal(err)
		}
		in = append(in, x.Contiguous())
	}
	return in
}

// TestBatches calibrates models on a batch, whose graphs hold how large it is in places, and runs what is
// saved on others. Types of one sample change no bit of what the converter writes, and no sample depends on those
// beside it. The numbers of recsys span seven decades, of which its int8 form keeps two.
func TestBatches(t *testing.T) {
	for name, least := range map[string]float64{"recsys": 18, "bilinear_pool_mix": 35, "ws_conv": 40} {
		t.Run(name, func(t *testing.T) {
			at := func(file string) string { return shareddata.Path(t, "cases", "quant", name, file) }
			m, err := loader.Load(at("model.pt"))
			if err != nil {
				t.Fatal(err)
			}
			q := New(Options{Backend: Native})
			calibrate(t, q, m, &dataset{batches: [][]*tensor.Tensor{firstSamples(t, m, at("calib.npz"), 0)}})
			saved := reloaded(t, quantized(t, q, m))
			for _, v := range saved.Inputs {
				if v.Type.Shape[0] != 1 {
					t.Errorf("the file has the input %s of %v", v.Name, v.Type)
				}
			}
			converted := convertedAsIs(t, q, m)
			in := firstSamples(t, m, at("test.npz"), 0)
			whole := run(t, converted, in...)
			for _, n := range []int{1, 3, 16} {
				in := firstSamples(t, m, at("test.npz"), n)
				got, want := run(t, saved, in...), run(t, converted, in...)
				for i, y := range got {
					if !bytes.Equal(y.Contiguous().Bytes(), want[i].Contiguous().Bytes()) {
						t.Errorf("%d samples: output %d is not that of the graph before its types were those of one", n, i)
					}
					rows, err := whole[i].Slice(0, 0, n, 1)
					if err != nil {
						t.Fatal(err)
					}
					if !bytes.Equal(y.Contiguous().Bytes(), rows.Contiguous().Bytes()) {
						t.Errorf("%d samples: output %d is not that of the same samples among others", n, i)
					}
				}
			}
			var all sums // of probabilities and logits
			got := run(t, saved, in...)
			for i, y := range run(t, m, in...) {
				all.add(sumsOf(y.Contiguous().Float32s(), got[i].Contiguous().Float32s()))
			}
			if all.sqnr() < least {
				t.Errorf("%.1f dB", all.sqnr())
			}
		})
	}
}

// convertedAsIs returns the int8 graph with the types of calibration.
func convertedAsIs(t testing.TB, q *Quantizer, m *graph.Graph) *graph.Graph {
	t.Helper()
	p, err := q.prepare(m, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := q.convert(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return c.g
}

// reloaded returns the graph as a file holds it.
func reloaded(t testing.TB, g *graph.Graph) *graph.Graph {
	t.Helper()
	path := filepath.Join(t.TempDir(), "int8")
	if err := loader.Save(path, g); err != nil {
		t.Fatal(err)
	}
	saved, err := loader.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return saved
}
