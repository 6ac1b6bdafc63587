package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/octet-ml/octet/quantize"
)

// layerPlot shows the SQNR at the output of each operator, layers in float in another colour.
func layerPlot(layers []quantize.Layer) string {
	var int8, float []point
	var xs, ys []float64
	for i, l := range layers {
		if l.Measured == nil || l.Measured.Elements == 0 || !finite(float64(l.Measured.SQNR)) {
			continue
		}
		at := point{float64(i), float64(l.Measured.SQNR), fmt.Sprintf("%s: %.1f dB", l.Name, l.Measured.SQNR)}
		xs, ys = append(xs, at.x), append(ys, at.y)
		if l.Precision == "int8" {
			int8 = append(int8, at)
		} else {
			float = append(float, at)
		}
	}
	p := newPlot(907, 302, plotTexts{title: "SQNR at each operator's output", x: "operator", wholeX: true, y: "dB"}, xs, ys)
	p.points("int8", 3.2, int8)
	p.points("float", 3.2, float)
	if len(int8) > 0 && len(float) > 0 {
		p.legend("int8", "int8", false)
		p.legend("float", "float32", false)
	}
	return p.end()
}

// valuePlot shows the histogram of a value on a logarithmic axis, and the range
// that was chosen.
func valuePlot(v quantize.Value) string {
	h := v.Histogram
	steps := make([]point, 0, 2*len(h.Counts))
	xs, ys := []float64{float64(v.Min), float64(v.Max)}, []float64{0}
	for i, c := range h.Counts {
		y := math.Log10(float64(c) + 1)
		from := h.First + float64(i)*h.Width
		steps = append(steps, point{x: from, y: y}, point{x: from + h.Width, y: y})
		xs, ys = append(xs, from, from+h.Width), append(ys, y)
	}
	p := newPlot(302, 189, plotTexts{title: v.Name, y: "log10(values + 1)"}, xs, ys)
	p.curve("histogram", steps)
	highest := slices.Max(ys)
	for _, x := range []float32{v.Min, v.Max} {
		if finite(float64(x)) {
			p.line("bound", float64(x), 0, float64(x), highest)
		}
	}
	return p.end()
}

// tuningPlot shows cost and accuracy of the sets of modules that were tried.
func tuningPlot(t *quantize.Tuning) string {
	var tried, chosen []point
	var numbers []string
	var xs []float64
	ys := []float64{t.Target}
	for _, c := range t.Curve {
		if !finite(c.Cost) || !finite(c.Accuracy) {
			continue
		}
		at := point{c.Cost, c.Accuracy, fmt.Sprintf("%d in float: %.4f", len(c.Fallback), c.Accuracy)}
		tried, xs, ys = append(tried, at), append(xs, at.x), append(ys, at.y)
		numbers = append(numbers, fmt.Sprint(len(c.Fallback)))
		if chosen == nil && slices.Equal(c.Fallback, t.Fallback) {
			chosen = []point{at}
		}
	}
	p := newPlot(605, 302, plotTexts{title: "Sets of modules in float, by their number", x: "cost", y: "accuracy"}, xs, ys)
	p.curve("walk", tried)
	p.points("int8", 3.2, tried)
	p.points("chosen", 6.5, chosen)
	for i, at := range tried {
		p.text("tick start", p.x.at(at.x)+6, p.y.at(at.y)-6, numbers[i])
	}
	if finite(t.Target) {
		p.line("bound", p.x.lo, t.Target, p.x.hi, t.Target)
		p.legend("bound", "target", true)
	}
	if len(chosen) > 0 {
		p.legend("chosen", "chosen", false)
	}
	return p.end()
}
