package report

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/octet-ml/octet/quantize"
)

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		n      int
		want   []string
	}{
		{0, 10, 5, []string{"0", "2", "4", "6", "8", "10"}},
		{-0.3, 25.2, 6, []string{"0", "5", "10", "15", "20", "25"}},
		{0.88, 0.93, 5, []string{"0.88", "0.89", "0.9", "0.91", "0.92", "0.93"}},
		{-2e-7, 1e-7, 3, []string{"-2e-07", "-1e-07", "0", "1e-07"}},
		{-1.1e30, 1.1e30, 5, []string{"-1e+30", "-5e+29", "0", "5e+29", "1e+30"}},
	} {
		_, have := axis{lo: c.lo, hi: c.hi}.ticks(c.n)
		if d := cmp.Diff(c.want, have); d != "" {
			t.Errorf("%v to %v (-want +have):\n%s", c.lo, c.hi, d)
		}
	}
}

// elements returns the classes of the elements of a plot, which must be XML without numbers that are none.
func elements(t *testing.T, svg string) []string {
	t.Helper()
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Errorf("a number that is none in %s", svg)
	}
	var classes []string
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return classes
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		if e, ok := token.(xml.StartElement); ok {
			for _, a := range e.Attr {
				if a.Name.Local == "class" {
					classes = append(classes, a.Value)
				}
			}
		}
	}
}

// ofClass counts the elements of a class.
func ofClass(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

// TestPlots counts what is drawn of reports with and without odd values.
func TestPlots(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	layer := func(name, precision string, sqnr float64) quantize.Layer {
		return quantize.Layer{Name: name, Precision: precision, Measured: &quantize.Measured{Elements: 1, SQNR: quantize.Decibel(sqnr)}}
	}
	layers := []quantize.Layer{layer("a<b>", "int8", 30), layer("c", "float32", 40), layer("d", "int8", inf), layer("e", "int8", nan), {Name: "f"}}
	classes := elements(t, layerPlot([]series{{"", layers}}))
	if ofClass(classes, "int8") != 1+1 || ofClass(classes, "float") != 1+1 { // with the legend
		t.Errorf("operators: %v", classes)
	}
	for _, odd := range [][]quantize.Layer{nil, layers[2:], layers[:1]} {
		elements(t, layerPlot([]series{{"", odd}}))
	}

	value := quantize.Value{Name: "x", Min: -1, Max: 2, Histogram: &quantize.ValueBins{First: -1, Width: 0.5, Counts: []int64{4, 0, 9}}}
	if classes := elements(t, valuePlot(value)); ofClass(classes, "histogram") != 1 || ofClass(classes, "bound") != 2 {
		t.Errorf("value: %v", classes)
	}
	value = quantize.Value{Min: -math.MaxFloat32, Max: float32(inf), Histogram: &quantize.ValueBins{}}
	if classes := elements(t, valuePlot(value)); ofClass(classes, "bound") != 1 {
		t.Errorf("value without bins: %v", classes)
	}

	tuning := *example().Tuning
	if classes := elements(t, tuningPlot(&tuning)); ofClass(classes, "int8") != 2 || ofClass(classes, "chosen") != 1+1 || ofClass(classes, "bound") != 1+1 {
		t.Errorf("tuning: %v", classes)
	}
	tuning = quantize.Tuning{Target: nan, Curve: []quantize.TuningPoint{{Accuracy: nan}, {Cost: inf}}}
	if classes := elements(t, tuningPlot(&tuning)); slices.Contains(classes, "int8") || slices.Contains(classes, "bound") {
		t.Errorf("tuning without numbers: %v", classes)
	}
}

// TestPlotsInside holds what is drawn to the inside of the plot.
func TestPlotsInside(t *testing.T) {
	for _, values := range [][]float64{{1}, {0}, {-3, 7}, {1e-30, 2e-30}, {-math.MaxFloat64, math.MaxFloat64}, {5, math.Inf(1)}} {
		a := newAxis(values, 0.02, 50, 300)
		for _, v := range values {
			if at := a.at(v); finite(v) && !(at >= 50 && at <= 300) {
				t.Errorf("%v of %v is at %v", v, values, at)
			}
		}
	}
}
