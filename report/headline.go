package report

import (
	"cmp"
	"fmt"
	"math"

	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/quantize"
)

// headline writes what matters most, a box each: size, speed, accuracy, agreement, how much is int8, and the worst operators.
func (p *page) headline(r *Report) {
	p.WriteString("<ul class=\"headline\">\n")
	if r.Float.Bytes > 0 {
		p.box("Size", percent(float64(r.Quantized.Bytes)/float64(r.Float.Bytes))+" %", fmt.Sprintf("of float32: %s of weights for %s", megabytes(r.Quantized.Bytes), megabytes(r.Float.Bytes)))
	}
	if r.Float.Ms > 0 && r.Quantized.Ms > 0 {
		p.box("Speed", fmt.Sprintf("%.2f x", r.Float.Ms/r.Quantized.Ms), fmt.Sprintf("%s ms a run, float32 %s ms", milliseconds(r.Quantized.Ms), milliseconds(r.Float.Ms)))
	}
	p.accuracy(r)
	p.agreement(r)
	int8, computing := 0, 0
	for i := range r.Layers {
		if l := &r.Layers[i]; !r.isShape(l) {
			computing++
			if l.Precision == "int8" {
				int8++
			}
		}
	}
	if computing > 0 {
		p.box("In int8", fmt.Sprintf("%d of %d", int8, computing), "operators that compute")
	}
	p.worst(r)
	p.WriteString("</ul>\n")
}

// box writes one figure of the headline.
func (p *page) box(name, figure, more string) {
	p.WriteString("<li>")
	p.element("h2", "%s", name)
	p.element("strong", "%s", figure)
	p.element("p", "%s", more)
	p.WriteString("</li>\n")
}

func (p *page) accuracy(r *Report) {
	q, f := r.Quantized, r.Float
	switch {
	case q.Right != nil && f.Right != nil:
		p.box("Accuracy", percent(q.Top1())+" %", fmt.Sprintf("%d of %d, float32 %d (%s %%): %s", *q.Right, q.total(), *f.Right, percent(f.Top1()), r.Metric))
	case q.Value != nil && f.Value != nil:
		p.box("Accuracy", fmt.Sprintf("%.4f", *q.Value), fmt.Sprintf("float32 %.4f: %s", *f.Value, r.Metric))
	}
}

func (p *page) agreement(r *Report) {
	if a := r.Agreement; a != nil {
		p.box("Agreement", percent(a.Share())+" %", fmt.Sprintf("the same class as float32 on %d of %d samples", a.SameClass, a.N))
		return
	}
	least, name := math.Inf(1), ""
	for _, o := range r.Outputs {
		if o.SQNR <= least {
			least, name = o.SQNR, o.Name
		}
	}
	if name != "" {
		p.box("Agreement", decibel(quantize.Decibel(least), true)+" dB", "SQNR of "+name+" to float32's, the least of all outputs")
	}
}

// worst names the operators whose outputs depart most from the float model's.
func (p *page) worst(r *Report) {
	type entry struct {
		i  int
		db float64
	}
	var all []entry
	for i, l := range r.Layers {
		if db := layerDecibel(&l); finite(db) && !r.isShape(&r.Layers[i]) {
			all = append(all, entry{i, db})
		}
	}
	if len(all) == 0 {
		return
	}
	sorting.Func(all, func(a, b entry) int { return cmp.Compare(a.db, b.db) })
	p.WriteString("<li>")
	p.element("h2", "Worst operators")
	p.WriteString("<ol>\n")
	for _, e := range all[:min(3, len(all))] {
		p.WriteString("<li>")
		p.element(`a href="#`+layerID(e.i)+`"`, "%s", layerName(&r.Layers[e.i]))
		fmt.Fprintf(p, "%.1f dB SQNR</li>\n", e.db)
	}
	p.WriteString("</ol></li>\n")
}

func megabytes(n int64) string {
	switch {
	case n < 1e3:
		return fmt.Sprintf("%d B", n)
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.2f MB", float64(n)/1e6)
}
