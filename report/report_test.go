package report

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/quantize"
)

func example() *Report {
	right, fewer := 932, 930
	return &Report{
		Model: "a<b>.pth", Backend: "native", Observer: "minmax",
		Float: Figures{Bytes: 1000, N: 1017, Right: &right, Ms: 2}, Quantized: Figures{Bytes: 260, N: 1017, Right: &fewer, Ms: 1},
		Agreement: &bench.Agreement{N: 1017, SameClass: 1010},
		Report: quantize.Report{
			Layers: []quantize.Layer{
				{
					Name: "conv", Op: "conv2d", Precision: "int8", WeightScaleMax: 0.1, SQNR: 42, Inputs: []string{"x"}, Output: "conv", Bytes: 200, FloatBytes: 800,
					Measured: &quantize.Measured{Elements: 10, SQNR: 35.5, Cosine: 0.9999, PairSaturation: 0.0123, Ms: 0.5, FloatMs: 1},
				},
				{Name: "softmax", Op: "softmax", Precision: "float32", SQNR: quantize.Decibel(math.Inf(1)), Reason: "no int8 form & more", Measured: &quantize.Measured{Elements: 10, SQNR: quantize.Decibel(math.Inf(1)), Cosine: 1, Ms: 0.1, FloatMs: 0.1}},
				{Name: "ids", Op: "reshape", Precision: "float32", Reason: "it does not compute float32", Measured: &quantize.Measured{Ms: 0.001}},
			},
			Values: []quantize.Value{
				{Name: "x", Scale: 0.1, ZeroPoint: 3, Min: -0.3, Max: 25.2, Least: -1, Greatest: 20, Clipped: 0.25, Saturated: 0.00001, Histogram: &quantize.ValueBins{First: -1, Width: 0.5, Counts: []int64{4, 0, 9}}},
				{Name: "conv", Scale: 1},
			},
		},
		Tuning: &quantize.Tuning{
			Float: 0.9164, Target: 0.9064, Accuracy: 0.91, Cost: 1, Fallback: []string{"fc"},
			Curve: []quantize.TuningPoint{{Accuracy: 0.88}, {Fallback: []string{"fc"}, Accuracy: 0.91, Cost: 1, Met: true}},
		},
		Origin: &Origin{
			Time: time.Date(2026, 11, 29, 12, 30, 0, 0, time.UTC), Version: "v1.2.3", Go: "go1.26.8", CPU: bench.CPU{Name: "Some CPU", OS: "linux", Arch: "amd64", Tier: "avx2"},
			Threads: 1, Calibration: "c.npz", Evaluation: "d<", Command: `octet quantize "a b"`,
		},
	}
}

func TestTable(t *testing.T) {
	var b strings.Builder
	if err := example().WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"module   operator  type     out dB  cosine   wt dB  scale  zero  clip in %  out %  sat %  pairs %  bytes  of   ms     float  why not int8\n",
		"conv     conv2d    int8     35.5    0.99990  42.0   1      0     25.00      0      0      1.23     200    800  0.500  1.000",
		"softmax  softmax   float32  exact   1.00000", "no int8 form & more",
		"ids      reshape   float32                                                                                     0.001         it does not compute float32",
		"930 of 1017 right (91.45 %)", "1010 of 1017", "tuned to 0.9064 (float 0.9164): 0.9100 with 1 modules in float\n  fc\n", "yes",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if err := (&Report{}).WriteTable(&b); err != nil {
		t.Error(err)
	}
}

// loadsNothing holds a page to itself: it refers to no address.
func loadsNothing(t *testing.T, page string) {
	t.Helper()
	for _, sign := range []string{"://", "src=", "<link", "<img", "@import", "url(", "fetch(", "import("} {
		if strings.Contains(page, sign) {
			t.Errorf("the page has %q", sign)
		}
	}
}

func TestHTML(t *testing.T) {
	var b strings.Builder
	r := example()
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{
		"<title>a&lt;b&gt;.pth: quantization report</title>", "25.00<td>&lt;0.01", "<li>fc</li>",
		// The headline.
		"<strong>26.00 %</strong>", "<strong>2.00 x</strong>", "930 of 1017, float32 932 (91.64 %)", "the same class as float32 on 1010 of 1017", "<strong>1 of 2</strong>",
		`<a href="#operator-1">conv</a>`, `id="operator-1"`,
		// Why not int8, without what only changes shapes.
		`<td class="words">no int8 form &amp; more<td>1<td>0.100<td>10.00<td class="words">softmax`, `<tr id="operator-3" class="shape">`, "1 that only change shapes",
		// Where it comes from.
		"2026-11-29 12:30 UTC, octet v1.2.3 (go1.26.8), Some CPU linux/amd64, tier avx2, 1 thread.", "Calibrated on c.npz, evaluated on d&lt;.", "<code>octet quantize &#34;a b&#34;</code>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in the page", want)
		}
	}
	if n := strings.Count(page, "<svg"); n != 4 { // of times, operators, tuning and one value
		t.Errorf("%d plots, want 4", n)
	}
	if strings.Contains(page, ">it does not compute float32<td>") {
		t.Error("an operator that only changes shapes is among those that are not int8")
	}
	loadsNothing(t, page)
	if err := (&Report{}).WriteHTML(&b); err != nil {
		t.Error(err)
	}
}

// TestComparison sets a report beside one of another form of the model.
func TestComparison(t *testing.T) {
	a, b := example(), example()
	b.Model, b.Quantized.Bytes = "b.pth", 500
	b.Layers[0].Precision, b.Layers[0].Reason, b.Layers[0].Measured.SQNR, b.Layers[0].Measured.Ms = "float32", "excluded", 45.5, 1
	b.Layers = append(b.Layers[:1:1], quantize.Layer{Name: "new", Op: "mul", Precision: "int8"}, b.Layers[0])
	var out strings.Builder
	if err := WriteComparison(&out, a, b); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	for _, want := range []string{
		`<td>A<td>260 B<td>1.0 kB`, `<td>B<td>500 B<td>1.0 kB`,
		`<td class="words">conv<td>conv2d<td>int8<td>35.5<td>0.500<td>float32<td>45.5<td>1.000<td>10.0<td>2.00<td class="words"><td class="words">excluded`,
		`<td class="words">softmax<td>softmax<td>float32<td>exact<td>0.100<td><td><td><td><td><td class="words">no int8 form &amp; more<td class="words">`,
		`<td class="words">new<td>mul<td><td><td><td>int8`,
		`<td class="words">conv<td>conv2d<td><td><td><td>float32`, // the second of this name
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	loadsNothing(t, page)
	if err := WriteComparison(&out, &Report{}, &Report{}); err != nil {
		t.Error(err)
	}
}

func TestJSON(t *testing.T) {
	data, err := json.Marshal(example())
	if err != nil {
		t.Fatal(err)
	}
	var r Report
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(example(), &r); d != "" {
		t.Errorf("read back otherwise (-written +read):\n%s", d)
	}
}
