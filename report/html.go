package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/quantize"
)

// WriteHTML writes the report as one page with its plots, which loads nothing. Its tables can be sorted and searched where scripts run, and
// are whole where they do not.
func (r *Report) WriteHTML(w io.Writer) error {
	p := newPage(r.Model + ": quantization report")
	p.element("h1", "%s", r.Model)
	p.element(`p class="origin"`, "Backend %s, ranges of activations by %s.", r.Backend, r.Observer)
	p.origin(r.Origin)
	p.headline(r)
	p.outputs(r)
	p.tuning(r)
	p.inFloat(r)
	p.times(r)
	p.layers(r)
	p.values(r)
	return p.end(w)
}

// origin says when, where and from what a report was made.
func (p *page) origin(o *Origin) {
	if o == nil {
		return
	}
	threads := "1 thread"
	if o.Threads != 1 {
		threads = fmt.Sprintf("%d threads", o.Threads)
	}
	p.element(`p class="origin"`, "%s, octet %s (%s), %s, tier %s, %s.",
		o.Time.UTC().Format("2006-01-02 15:04 UTC"), o.Version, o.Go, strings.TrimSpace(o.CPU.Name+" "+o.CPU.OS+"/"+o.CPU.Arch), o.CPU.Tier, threads)
	var data []string
	for _, d := range []struct{ what, path string }{{"Calibrated on", o.Calibration}, {"evaluated on", o.Evaluation}} {
		if d.path != "" {
			data = append(data, d.what+" "+d.path)
		}
	}
	if len(data) > 0 {
		p.element(`p class="origin"`, "%s.", strings.Join(data, ", "))
	}
	if o.Command != "" {
		p.WriteString(`<p class="origin">`)
		p.element("code", "%s", o.Command)
		p.WriteString("</p>\n")
	}
}

func (p *page) outputs(r *Report) {
	var rows []row
	for _, o := range r.Outputs {
		rows = append(rows, row{cells: []string{o.Name, o.Type, decibel(quantize.Decibel(o.SQNR), true), fmt.Sprintf("%.6f", o.Cosine), fmt.Sprintf("%.4g", o.MaxAbsDiff)}})
	}
	if len(rows) > 0 {
		p.table("", "outputs", []head{{text: "output", words: true}, {text: "type"}, {text: "SQNR dB"}, {text: "cosine"}, {text: "greatest difference"}}, rows)
	}
}

func (p *page) tuning(r *Report) {
	t := r.Tuning
	if t == nil {
		return
	}
	p.element("h2", "Tuning")
	if r.TunedBy != "" {
		p.element("p", "Metric %s.", r.TunedBy)
	}
	p.element("p", "Asked for %.4f where float has %.4f: %.4f with %d modules in float.", t.Target, t.Float, t.Accuracy, len(t.Fallback))
	p.WriteString("<ul>\n")
	for _, name := range t.Fallback {
		p.element("li", "%s", name)
	}
	p.WriteString("</ul>\n")
	p.plot(tuningPlot(t))
}

// inFloat lists why operators stayed in float, those that take most time first.
func (p *page) inFloat(r *Report) {
	type group struct {
		reason string
		names  []string
		ms     float64
	}
	var groups []*group
	byReason := map[string]*group{}
	for i := range r.Layers {
		l := &r.Layers[i]
		if l.Precision == "int8" || l.Reason == "" || r.isShape(l) {
			continue
		}
		g := byReason[l.Reason]
		if g == nil {
			g = &group{reason: l.Reason}
			byReason[l.Reason], groups = g, append(groups, g)
		}
		g.names = append(g.names, layerName(l))
		if l.Measured != nil {
			g.ms += l.Measured.Ms
		}
	}
	p.element("h2", "Why not int8")
	if len(groups) == 0 {
		p.element("p", "Every operator that computes is in int8.")
		return
	}
	sorting.Func(groups, func(a, b *group) int { return cmp.Or(cmp.Compare(b.ms, a.ms), cmp.Compare(len(b.names), len(a.names))) })
	var rows []row
	for _, g := range groups {
		share := ""
		if r.Quantized.Ms > 0 {
			share = percent(g.ms / r.Quantized.Ms)
		}
		const shown = 6
		names := strings.Join(g.names[:min(shown, len(g.names))], ", ")
		if more := len(g.names) - shown; more > 0 {
			names += fmt.Sprintf(" and %d more", more)
		}
		rows = append(rows, row{cells: []string{g.reason, fmt.Sprint(len(g.names)), milliseconds(g.ms), share, names}})
	}
	p.table("", "reasons", []head{{text: "reason", words: true}, {text: "operators"}, {text: "ms"}, {text: "% of a run"}, {text: "which", words: true}}, rows)
}

// times shows which operators take the time of a run.
func (p *page) times(r *Report) {
	if plot := timePlot(r.Layers); plot != "" {
		p.element("h2", "Time")
		p.plot(plot)
	}
}

func (p *page) layers(r *Report) {
	p.element("h2", "Operators")
	p.plot(layerPlot([]series{{"", r.Layers}}))
	boxes := [][2]string{{"more", "all columns"}}
	rows := r.layerRows()
	shapes := 0
	for i := range r.Layers {
		if rows[i].id = layerID(i); r.isShape(&r.Layers[i]) {
			rows[i].class, shapes = "shape", shapes+1
		}
	}
	if shapes > 0 {
		boxes = append(boxes, [2]string{"shapes", fmt.Sprintf("%d that only change shapes", shapes)})
	}
	p.search("operators", "Search operators", boxes...)
	heads, rows := filled(layerHeads(), rows)
	p.table("operators", "operators", heads, rows)
	p.element("p", "%s.", legend)
}

func (p *page) values(r *Report) {
	if len(r.Values) == 0 {
		return
	}
	p.element("h2", "Activations")
	var rows []row
	for _, v := range r.Values {
		rows = append(rows, row{cells: []string{
			v.Name, fmt.Sprintf("%.6g", v.Scale), fmt.Sprint(v.ZeroPoint), fmt.Sprintf("%.4g", v.Least), fmt.Sprintf("%.4g", v.Greatest),
			fmt.Sprintf("%.4g", v.Min), fmt.Sprintf("%.4g", v.Max), percent(v.Clipped), percent(v.Saturated),
		}})
	}
	p.search("values", "Search activations")
	p.table("values", "activations", []head{
		{text: "value", words: true}, {text: "scale"}, {text: "zero point"}, {text: "least", what: "value seen"}, {text: "greatest", what: "value seen"},
		{text: "range from"}, {text: "to"}, {text: "clipped %", what: "of the values seen"}, {text: "saturated %", what: "of the integers"},
	}, rows)
	p.element("p", "Dashed lines are the ends of the range.")
	p.WriteString("<div class=\"histograms\">\n")
	for _, v := range r.Values {
		if v.Histogram != nil {
			p.WriteString(valuePlot(v))
		}
	}
	p.WriteString("</div>\n")
}

func count(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}
