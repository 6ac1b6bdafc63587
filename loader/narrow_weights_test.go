package loader

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// TestNarrowWeights writes weights as halves and loads them in every way: float32 again, each the nearest half.
func TestNarrowWeights(t *testing.T) {
	g := floatNet(t)
	for _, half := range []tensor.DType{tensor.Float16, tensor.BFloat16} {
		path := filepath.Join(t.TempDir(), "narrow.safetensors")
		if err := SaveWith(path, g, SaveOptions{Weights: half}); err != nil {
			t.Fatal(err)
		}
		for name, options := range map[string][]Option{"read": nil, "mapped": {Mapped(new(Mapping))}, "on demand": {OnDemand()}} {
			checkNarrow(t, half.String()+" "+name, must(Load(path, options...)), g, half)
		}
		stored, _, err := ReadSafetensors(path)
		if err != nil || stored[0].Tensor.DType() != half {
			t.Errorf("%v stands in the file (%v)", stored[0].Tensor, err)
		}
		whole := must(os.Stat(savedModel(t, g))).Size()
		if size := must(os.Stat(path)).Size(); size >= whole {
			t.Errorf("%d bytes, as float32 %d", size, whole)
		}
	}
	if err := SaveWith(filepath.Join(t.TempDir(), "x"), g, SaveOptions{Weights: tensor.Int8}); err == nil {
		t.Error("weights were written as int8")
	}
}

func checkNarrow(t *testing.T, name string, got, g *graph.Graph, half tensor.DType) {
	t.Helper()
	want := g.Constants()
	for i, v := range got.Constants() {
		w := want[i].Const
		if v.Const.DType() != w.DType() || !v.Const.Shape().Equal(w.Shape()) {
			t.Fatalf("%s: %v has become %v", name, w, v.Const)
		}
		if w.DType() != tensor.Float32 {
			continue
		}
		if w.Rank() > 1 {
			w = must(must(w.To(half)).To(tensor.Float32))
		}
		if err := v.Const.Load(); err != nil {
			t.Fatal(err)
		}
		for k, x := range v.Const.Float32s() {
			if y := w.Contiguous().Float32s()[k]; math.Float32bits(x) != math.Float32bits(y) {
				t.Fatalf("%s: element %d of %s is %v, not %v", name, k, v.Name, x, y)
			}
		}
	}
}

// TestOverflowingWeights keeps weights float32 that a float16 cannot hold.
func TestOverflowingWeights(t *testing.T) {
	w := must(tensor.FromSlice([]float32{1e5, 1}, 1, 2))
	stored, dtype, err := SaveOptions{Weights: tensor.Float16}.narrow(w)
	if err != nil || stored != w || dtype != tensor.Invalid {
		t.Errorf("%v as %v (%v)", stored, dtype, err)
	}
}
