package report

import (
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"testing"

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
				{Name: "softmax", Op: "softmax", Precision: "float32", SQNR: quantize.Decibel(math.Inf(1)), Reason: "no int8 form & more", Measured: &quantize.Measured{Elements: 10, SQNR: quantize.Decibel(math.Inf(1)), Cosine: 1}},
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

func TestHTML(t *testing.T) {
	var b strings.Builder
	if err := example().WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{"<title>a&lt;b&gt;.pth: quantization report</title>", "no int8 form &amp; more", "<td>25.00<td>&lt;0.01", "<li>fc</li>"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in the page", want)
		}
	}
	if n := strings.Count(page, "<svg"); n != 3 { // of operators, tuning and one value
		t.Errorf("%d plots, want 3", n)
	}
	// The page loads nothing: no address but the names of SVG's namespaces.
	for _, address := range regexp.MustCompile(`[a-z]+="?[a-z]*://[^" ]*`).FindAllString(page, -1) {
		if !strings.HasPrefix(address, `xmlns`) && !strings.HasPrefix(address, `xlink="http://www.w3.org`) {
			t.Errorf("the page refers to %s", address)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "<link") || strings.Contains(page, "<img") {
		t.Error("the page loads something")
	}
	if err := (&Report{}).WriteHTML(&b); err != nil {
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
