package quantize

import (
	"path/filepath"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/tensor"
)

// firstSamples returns the first n samples of a data set, for the inputs of a model.
func firstSamples(t testing.TB, m *graph.Graph, path string, n int) []*tensor.Tensor {
	t.Helper()
	arrays, err := tensor.ReadNPZ(path, 1<<28)
	if err != nil {
		t.Fatal(err)
	}
	var in []*tensor.Tensor
	for _, v := range m.Inputs {
		x, err := arrays.Get(v.Name).Slice(0, 0, n, 1)
		if err != nil {
			t.Fatal(err)
		}
		in = append(in, x.Contiguous())
	}
	return in
}

// TestBatches calibrates models on a batch, whose graphs hold how large it is in places, and runs what is
// saved on others.
func TestBatches(t *testing.T) {
	for _, name := range []string{"recsys", "bilinear_pool_mix", "ws_conv"} {
		at := func(file string) string { return shareddata.Path(t, "cases", "quant", name, file) }
		m, err := loader.Load(at("model.pt"))
		if err != nil {
			t.Fatal(err)
		}
		q := New(Options{})
		calibrate(t, q, m, &dataset{batches: [][]*tensor.Tensor{firstSamples(t, m, at("calib.npz"), 32)}})
		path := filepath.Join(t.TempDir(), "int8")
		if err := loader.Save(path, quantized(t, q, m)); err != nil {
			t.Fatal(err)
		}
		saved, err := loader.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, 3, 16} {
			in := firstSamples(t, m, at("test.npz"), n)
			want, got := run(t, m, in...), run(t, saved, in...)
			var all sums // of probabilities and logits
			for i, y := range want {
				all.add(sumsOf(y.Contiguous().Float32s(), got[i].Contiguous().Float32s()))
			}
			if all.sqnr() < 15 && name != "recsys" || all.sqnr() < 3 {
				t.Errorf("%s: %d samples have %.1f dB", name, n, all.sqnr())
			}
		}
		for _, v := range saved.Inputs {
			if v.Type.Shape[0] != 1 {
				t.Errorf("%s: the file has the input %s of %v", name, v.Name, v.Type)
			}
		}
	}
}
