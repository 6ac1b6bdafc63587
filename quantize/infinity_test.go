package quantize

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// maskedModel fills what a linear layer gives with an infinity where the input is below 0: before a softmax,
// and, moved, before a maximum whose result is quantized.
func maskedModel(t testing.TB, fill float64, dtype tensor.DType) *graph.Graph {
	w := writer{t, graph.New()}
	x := w.g.Input("x", tensor.Float32, 4, 8, 16)
	number, err := tensor.FromSlice([]float32{float32(fill)})
	if dtype == tensor.Float64 {
		number, err = tensor.FromSlice([]float64{fill})
	}
	if err != nil {
		t.Fatal(err)
	}
	zero, _ := tensor.FromSlice([]float32{0})
	layer := func(name string, seed uint64, v *graph.Value) *graph.Value {
		return w.add(module(name), ops.Linear{}, v, w.constant(name+".weight", seed, 0.3, 16, 16))
	}
	mask := w.add(graph.Scope{}, ops.Binary{Fn: ops.Lt}, x, w.g.Const("", zero))
	s := w.add(graph.Scope{}, ops.Where{ANumber: true, KeepB: true}, mask, w.g.Const("", number), layer("a", 1, x))
	s = w.add(graph.Scope{}, ops.Binary{Fn: ops.Add}, s, w.constant("offset", 2, 1, 1, 8, 16))
	soft := layer("b", 3, w.add(graph.Scope{}, ops.Softmax{Axis: -1}, s))
	pooled := w.add(graph.Scope{}, ops.MaxPool{Kernel: []int{8}, Stride: []int{8}, Padding: []int{0}, Dilation: []int{1}}, w.add(graph.Scope{}, ops.Permute{Order: []int{0, 2, 1}}, s))
	pooled = w.add(graph.Scope{}, ops.Flatten{Start: 1, End: -1}, pooled)
	w.g.SetOutputs(soft, layer("c", 4, pooled), s)
	return w.g
}

// TestMaskedWithInfinity quantizes a model that masks with infinity; the report is JSON though outputs are infinite.
func TestMaskedWithInfinity(t *testing.T) {
	x := randomInput(t, 6, 4, 8, 16)
	for _, dtype := range []tensor.DType{tensor.Float32, tensor.Float64} {
		m := maskedModel(t, math.Inf(-1), dtype)
		for _, opts := range []Options{{}, {Backend: Reference}, {Backend: DISC}, {Backend: FBGEMM}, {Rounding: Learned, CorrectBias: true}, {Dynamic: true}} {
			r, _, _ := compareOn(t, New(opts), m, x)
			if _, err := json.Marshal(r); err != nil {
				t.Errorf("%+v: %v", opts, err)
			}
			for _, l := range r.Layers {
				if l.Op == "linear" && (l.Precision != "int8" || l.Measured.SQNR < 25 || l.Measured.Cosine < 0.99) {
					t.Errorf("%+v: %s is %s: %v dB, cosine %v", opts, l.Name, l.Precision, l.Measured.SQNR, l.Measured.Cosine)
				}
			}
		}
	}
}

func TestSumsWithInfinity(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	if s := sumsOf([]float32{1, -inf, nan}, []float32{1, -inf, nan}); s.sqnr() != math.Inf(1) || s.cosine() != 1 {
		t.Errorf("equal values have %v dB, cosine %v", s.sqnr(), s.cosine())
	}
	for _, c := range [][2]float32{{inf, -inf}, {inf, 3}, {3, inf}, {nan, 1}, {1, nan}, {inf, nan}} {
		s := sumsOf([]float32{1, c[0]}, []float32{1, c[1]})
		if s.sqnr() != math.Inf(-1) || s.cosine() != 0 {
			t.Errorf("%v and %v have %v dB, cosine %v", c[0], c[1], s.sqnr(), s.cosine())
		}
	}
	if b, err := json.Marshal(ModuleNoise{Noise: min(math.Inf(1), math.MaxFloat64), SQNR: Decibel(math.Inf(-1))}); err != nil {
		t.Errorf("%s, %v", b, err)
	}
}
