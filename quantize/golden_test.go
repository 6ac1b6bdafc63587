package quantize

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// readGolden decodes a file of recorded results: from the folder OCTET_GOLDEN
// names, else from testdata, compressed or not.
func readGolden(t testing.TB, name string, into any) {
	t.Helper()
	dir := os.Getenv("OCTET_GOLDEN")
	if dir == "" {
		dir = "testdata"
	}
	var r io.Reader
	f, err := os.Open(filepath.Join(dir, name))
	if err == nil {
		defer f.Close()
		r = f
	} else {
		f, err = os.Open(filepath.Join(dir, name+".gz"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := json.NewDecoder(r).Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

type goldenTensor struct {
	Shape []int     `json:"shape"`
	Data  []float32 `json:"data"`
}

func (g goldenTensor) tensor(t testing.TB) *tensor.Tensor {
	t.Helper()
	x, err := tensor.FromSlice(g.Data, g.Shape...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

type observerCase struct {
	Observer  string `json:"observer"`
	DType     string `json:"dtype"`
	QScheme   string `json:"qscheme"`
	Axis      int    `json:"ch_axis"`
	Data      string `json:"data"`
	Steps     []observerStep
	Scale     []float32    `json:"scale"`
	ZeroPoint []int32      `json:"zero_point"`
	Input     goldenTensor `json:"fake_quant_input"`
	Output    goldenTensor `json:"fake_quant_output"`
}

type observerStep struct {
	Input     goldenTensor
	Min       []float32
	Max       []float32
	Scale     []float32
	ZeroPoint []int32 `json:"zero_point"`
	Histogram []float32
}

type biasCase struct {
	WeightScale []float32 `json:"weight_scale"`
	ActScale    []float32 `json:"act_scale"`
	Scale       []float32
	Input       goldenTensor
	Output      goldenTensor
}

func goldenObservers(t testing.TB) (cases []observerCase, bias []biasCase) {
	t.Helper()
	var g struct {
		Cases []observerCase
		Bias  []biasCase
	}
	readGolden(t, "observers.json", &g)
	if len(g.Cases) == 0 || len(g.Bias) == 0 {
		t.Fatal("observers.json holds no cases")
	}
	return g.Cases, g.Bias
}

// spec returns the Spec of a recorded dtype and scheme.
func goldenSpec(t testing.TB, dtype, scheme string, axis int) Spec {
	t.Helper()
	d, ok := map[string]tensor.DType{"qint8": tensor.Int8, "quint8": tensor.Uint8, "qint32": tensor.Int32}[dtype]
	s, err := tensor.ParseQScheme(scheme)
	if !ok || err != nil {
		t.Fatalf("unknown dtype or scheme: %q, %q", dtype, scheme)
	}
	if !s.PerChannel() {
		axis = 0
	}
	return Spec{DType: d, Scheme: s, Axis: axis}
}

// sameBits fails unless both slices hold the same float32 bits; zeros of either
// sign are the same.
func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: [%d] = %v (%#x), want %v (%#x)", what, i, got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
		}
	}
}

func TestGoldenObservers(t *testing.T) {
	cases, _ := goldenObservers(t)
	for i, c := range cases {
		t.Run(fmt.Sprintf("%d/%s/%s/%s/%s", i, c.Observer, c.DType, c.QScheme, c.Data), func(t *testing.T) {
			kind := MinMax
			if c.Observer == "Histogram" {
				kind = Histogram
			}
			o, err := ObserverConfig{Kind: kind, Spec: goldenSpec(t, c.DType, c.QScheme, c.Axis)}.New(c.Data)
			if err != nil {
				t.Fatal(err)
			}
			for n, step := range c.Steps {
				if err := o.Observe(step.Input.tensor(t)); err != nil {
					t.Fatal(err)
				}
				s := o.State()
				sameBits(t, fmt.Sprintf("step %d: min", n), s.Min, step.Min)
				sameBits(t, fmt.Sprintf("step %d: max", n), s.Max, step.Max)
				if kind == Histogram {
					sameHistogram(t, n, s, c.Steps[:n+1])
					continue
				}
				q, err := o.QParams()
				if err != nil {
					t.Fatal(err)
				}
				sameBits(t, fmt.Sprintf("step %d: scale", n), q.Scale, step.Scale)
				sameInts(t, fmt.Sprintf("step %d: zero point", n), q.ZeroPoint, step.ZeroPoint)
			}
			q, err := o.QParams()
			if err != nil {
				t.Fatal(err)
			}
			if kind == Histogram {
				within(t, "scale", q.Scale, c.Scale, 1e-6)
				copy(q.Scale, c.Scale)
			}
			sameBits(t, "scale", q.Scale, c.Scale)
			sameInts(t, "zero point", q.ZeroPoint, c.ZeroPoint)
			out := make([]float32, len(c.Input.Data))
			if err := fakeQuantize(out, c.Input.Data, c.Input.Shape, q); err != nil {
				t.Fatal(err)
			}
			sameBits(t, "fake quantized", out, c.Output.Data)
		})
	}
}

// sameHistogram fails unless the counts are those recorded, but for values that
// lie within one float32 rounding of the edge of a bin: a machine may put them on
// either side. Each moves one count by at most one bin at its step.
func sameHistogram(t *testing.T, n int, s State, steps []observerStep) {
	t.Helper()
	want := steps[n].Histogram
	if len(s.Counts) != len(want) {
		t.Fatalf("step %d: %d bins, want %d", n, len(s.Counts), len(want))
	}
	onEdge := 0.0
	for _, step := range steps {
		lo, hi := float64(step.Min[0]), float64(step.Max[0])
		for _, v := range step.Input.Data {
			at := (float64(v) - lo) / (hi - lo) * histogramBins
			if math.Abs(at-math.Round(at)) <= at*0x1p-22 {
				onEdge++
			}
		}
	}
	moved, total := 0.0, 0.0
	for i := range want {
		total += float64(s.Counts[i]) - float64(want[i])
		moved += math.Abs(total)
	}
	if moved > onEdge+1e-3 || math.Abs(total) > 1e-3 {
		t.Fatalf("step %d: counts differ by %v bins and %v values; %v values lie on an edge", n, moved, total, onEdge)
	}
}

func sameInts(t *testing.T, what string, got, want []int32) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
}

func TestGoldenBias(t *testing.T) {
	_, cases := goldenObservers(t)
	for i, c := range cases {
		weight := &tensor.QParams{DType: tensor.Int8, Scale: c.WeightScale}
		if len(c.WeightScale) > 1 {
			weight.Scheme = tensor.PerChannelSymmetric
		}
		q, err := biasQParams(weight, &tensor.QParams{DType: tensor.Uint8, Scale: c.ActScale})
		if err != nil {
			t.Fatal(err)
		}
		sameBits(t, fmt.Sprintf("bias %d: scale", i), q.Scale, c.Scale)
		out := make([]float32, len(c.Input.Data))
		if err := fakeQuantize(out, c.Input.Data, c.Input.Shape, q); err != nil {
			t.Fatal(err)
		}
		sameBits(t, fmt.Sprintf("bias %d: output", i), out, c.Output.Data)
	}
}
