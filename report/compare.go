package report

import (
	"fmt"
	"io"

	"github.com/octet-ml/octet/quantize"
)

// WriteComparison writes two reports side by side as one HTML page: the figures of both models, and each operator in both. Operators are the
// same where module, name and place among those of one name are.
func WriteComparison(w io.Writer, a, b *Report) error {
	p := newPage(a.Model + " and " + b.Model + ": quantization reports")
	p.element("h1", "Side by side")
	for i, r := range []*Report{a, b} {
		p.element("h2", "%s: %s", letter(i), r.Model)
		p.element(`p class="origin"`, "Backend %s, ranges of activations by %s.", r.Backend, r.Observer)
		p.origin(r.Origin)
	}
	p.figures(a, b)
	p.element("h2", "Operators")
	p.plot(layerPlot([]series{{letter(0), a.Layers}, {letter(1), b.Layers}}))
	p.search("operators", "Search operators", [2]string{"shapes", "those that only change shapes"})
	heads, rows := filled(pairHeads(), pairRows(a, b))
	p.table("operators", "operators of both", heads, rows)
	return p.end(w)
}

func letter(i int) string { return string(rune('A' + i)) }

// figures writes those of whole models, a row each.
func (p *page) figures(reports ...*Report) {
	var rows []row
	for i, r := range reports {
		q := r.Quantized
		cells := []string{letter(i), megabytes(q.Bytes), megabytes(r.Float.Bytes), milliseconds(q.Ms), milliseconds(r.Float.Ms), "", "", "", "", r.Metric}
		for k, f := range []Figures{q, r.Float} {
			if f.Right != nil {
				cells[5+k] = percent(f.Top1())
			} else if f.Value != nil {
				cells[5+k] = percent(*f.Value)
			}
		}
		if r.Agreement != nil {
			cells[7] = percent(r.Agreement.Share())
		}
		if len(r.Outputs) > 0 {
			cells[8] = decibel(quantize.Decibel(r.Outputs[0].SQNR), true)
		}
		rows = append(rows, row{cells: cells})
	}
	heads, rows := filled([]head{{text: "model"}, {text: "weights"}, {text: "float32"}, {text: "ms"}, {text: "float32"}, {text: "accuracy %"}, {text: "float32"},
		{text: "same class %"}, {text: "output dB"}, {text: "metric", words: true}}, rows)
	p.table("", "figures", heads, rows)
}

func pairHeads() []head {
	heads := []head{{text: "module", words: true}, {text: "operator"}}
	for i := range 2 {
		heads = append(heads, head{text: letter(i)}, head{text: letter(i) + " dB", what: "SQNR of the output to the float model's"}, head{text: letter(i) + " ms", what: "of a run"})
	}
	return append(heads, head{text: "B - A dB"}, head{text: "B/A ms"}, head{text: "A: why not int8", words: true}, head{text: "B: why not int8", words: true})
}

// pairRows returns a row for each operator of a, with what b has of it, then one for each that only b has.
func pairRows(a, b *Report) []row {
	type key struct {
		name, op string
		n        int
	}
	keys := func(layers []quantize.Layer) []key {
		seen := map[key]int{}
		out := make([]key, len(layers))
		for i, l := range layers {
			k := key{name: l.Name, op: l.Op}
			out[i] = key{l.Name, l.Op, seen[k]}
			seen[k]++
		}
		return out
	}
	inB := map[key]*quantize.Layer{}
	kb := keys(b.Layers)
	for i, k := range kb {
		inB[k] = &b.Layers[i]
	}
	var rows []row
	for i, k := range keys(a.Layers) {
		other := inB[k]
		delete(inB, k)
		rows = append(rows, pairRow(a, b, &a.Layers[i], other))
	}
	for i, k := range kb {
		if inB[k] != nil {
			rows = append(rows, pairRow(a, b, nil, &b.Layers[i]))
		}
	}
	return rows
}

// pairRow is the row of an operator in two reports, one of which may lack it.
func pairRow(a, b *Report, la, lb *quantize.Layer) row {
	one := la
	if one == nil {
		one = lb
	}
	r := row{cells: []string{one.Name, one.Op}}
	shape := true
	var reasons [2]string
	for i, l := range []*quantize.Layer{la, lb} {
		cells := []string{"", "", ""}
		if l != nil {
			shape = shape && []*Report{a, b}[i].isShape(l)
			cells[0], reasons[i] = l.Precision, l.Reason
			if m := l.Measured; m != nil {
				cells[1], cells[2] = decibel(m.SQNR, m.Elements > 0), milliseconds(m.Ms)
			}
		}
		r.cells = append(r.cells, cells...)
	}
	better, ratio := "", ""
	if la != nil && lb != nil {
		if d := layerDecibel(lb) - layerDecibel(la); finite(d) {
			better = fmt.Sprintf("%.1f", d)
		}
		if la.Measured != nil && lb.Measured != nil && la.Measured.Ms > 0 && lb.Measured.Ms > 0 {
			ratio = fmt.Sprintf("%.2f", lb.Measured.Ms/la.Measured.Ms)
		}
	}
	r.cells = append(r.cells, better, ratio, reasons[0], reasons[1])
	if shape {
		r.class = "shape"
	}
	return r
}
