package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/quantize"
)

// The width of plots across the page, in pixels.
const wide = 1180

// series are the operators of one report, with its name in a plot of several.
type series struct {
	name   string
	layers []quantize.Layer
}

// layerPlot shows the SQNR at the output of each operator of a report, layers in float in another colour; of the second of two reports, in
// another form.
func layerPlot(all []series) string {
	var xs, ys []float64
	points := map[string][]point{}
	names := map[float64]string{}
	for k, s := range all {
		for i, l := range s.layers {
			db := layerDecibel(&l)
			if !finite(db) {
				continue
			}
			at := point{float64(i), db, fmt.Sprintf("%s: %.1f dB", layerName(&l), db)}
			class := "float"
			if k > 0 {
				class, at.name = "chosen", s.name+", "+at.name
			} else if names[at.x] = layerName(&l); l.Precision == "int8" || len(all) > 1 {
				class = "int8"
			}
			xs, ys, points[class] = append(xs, at.x), append(ys, at.y), append(points[class], at)
		}
	}
	p := newPlot(wide, 380, plotTexts{title: "SQNR at each operator's output", y: "dB", xNames: names}, xs, ys)
	for _, class := range []string{"float", "int8", "chosen"} {
		p.points(class, 3.2, points[class])
	}
	switch {
	case len(all) > 1:
		p.legend("chosen", all[1].name, false)
		p.legend("int8", all[0].name, false)
	case len(points["int8"]) > 0 && len(points["float"]) > 0:
		p.legend("int8", "int8", false)
		p.legend("float", "float32", false)
	}
	return p.end()
}

// timePlot shows how long the slowest operators take, and how long they take in the float model; "" where nothing was measured.
func timePlot(layers []quantize.Layer) string {
	var slow []quantize.Layer
	total := 0.0
	for _, l := range layers {
		if l.Measured != nil && l.Measured.Ms > 0 && finite(l.Measured.Ms) {
			slow, total = append(slow, l), total+l.Measured.Ms
		}
	}
	if len(slow) == 0 {
		return ""
	}
	sorting.Func(slow, func(a, b quantize.Layer) int { return cmp.Compare(b.Measured.Ms, a.Measured.Ms) })
	slow = slow[:min(20, len(slow))]
	longest := 0.0
	for _, l := range slow {
		longest = max(longest, l.Measured.Ms, l.Measured.FloatMs)
	}
	const line = 19
	p := newPlot(wide, top+bottom+line*float64(len(slow)), plotTexts{title: fmt.Sprintf("The %d slowest operators", len(slow)), x: "ms", rows: true}, []float64{0, longest}, []float64{0, float64(len(slow))})
	for i, l := range slow {
		y := p.y.to + line*float64(i)
		class := "float"
		if l.Precision == "int8" {
			class = "int8"
		}
		m := l.Measured
		what := fmt.Sprintf("%s (%s): %.3f ms, %s %% of a run", layerName(&l), l.Op, m.Ms, percent(m.Ms/total))
		if m.FloatMs > 0 {
			what += fmt.Sprintf("; float32 %.3f ms", m.FloatMs)
		}
		p.text("tick end", p.x.from-6, y+13, shortened(layerName(&l), 34))
		p.bar(class, y+3, line-6, m.Ms, what)
		if m.FloatMs > 0 {
			p.bar("before", y+3, line-6, m.FloatMs, what)
		}
	}
	p.legend("before", "in the float model", false)
	p.legend("float", "float32", false)
	p.legend("int8", "int8", false)
	return p.end()
}

// shortened keeps the end of a long name, which tells modules from their neighbours.
func shortened(name string, most int) string {
	if r := []rune(name); len(r) > most {
		return "…" + string(r[len(r)-most+1:])
	}
	return name
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
