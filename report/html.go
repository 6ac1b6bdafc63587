package report

import (
	_ "embed"
	"fmt"
	"html"
	"io"
	"strings"

	"github.com/octet-ml/octet/quantize"
)

//go:embed style.css
var style string

// page is an HTML page in the making. A template engine would call methods by
// name, for which the linker keeps all methods of all types: 1.6 MB more.
type page struct{ strings.Builder }

// element writes text within a tag, escaped.
func (p *page) element(tag, format string, args ...any) {
	fmt.Fprintf(p, "<%s>%s</%s>\n", tag, html.EscapeString(fmt.Sprintf(format, args...)), tag)
}

// table writes rows of cells, escaped.
func (p *page) table(header []string, rows [][]string) {
	p.WriteString("<div class=\"scroll\"><table>\n")
	row := func(cell string, cells []string) {
		p.WriteString("<tr>")
		for _, c := range cells {
			fmt.Fprintf(p, "<%s>%s", cell, html.EscapeString(c))
		}
		p.WriteString("</tr>\n")
	}
	row("th", header)
	for _, cells := range rows {
		row("td", cells)
	}
	p.WriteString("</table></div>\n")
}

// WriteHTML writes the report as one page with its plots, which loads nothing.
func (r *Report) WriteHTML(w io.Writer) error {
	p := &page{}
	p.WriteString("<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n")
	p.element("title", "%s: quantization report", r.Model)
	fmt.Fprintf(p, "<style>\n%s</style>\n", style)
	p.element("h1", "%s", r.Model)
	p.element("p", "Backend %s, ranges of activations by %s.", r.Backend, r.Observer)
	p.figures(r)
	p.tuning(r)
	p.layers(r)
	p.values(r)
	p.WriteString("</html>\n")
	_, err := io.WriteString(w, p.String())
	return err
}

func (p *page) figures(r *Report) {
	row := func(name string, f Figures) []string {
		cells := []string{name, fmt.Sprint(f.Bytes), "", "", "", milliseconds(f.Ms)}
		if f.N > 0 {
			cells[2] = fmt.Sprint(f.N)
		}
		if f.Right != nil {
			cells[3], cells[4] = fmt.Sprint(*f.Right), percent(f.Top1())
		} else if f.Value != nil {
			cells[4] = percent(*f.Value)
		}
		return cells
	}
	p.table([]string{"model", "bytes", "samples", "right", "metric %", "ms per run"}, [][]string{row("float32", r.Float), row("quantized", r.Quantized)})
	if a := r.Agreement; a != nil {
		p.element("p", "The same class on %d of %d.", a.SameClass, a.N)
	}
	if r.Metric != "" {
		p.element("p", "Metric %s.", r.Metric)
	}
	var rows [][]string
	for _, o := range r.Outputs {
		rows = append(rows, []string{o.Name, o.Type, decibel(quantize.Decibel(o.SQNR), true), fmt.Sprintf("%.6f", o.Cosine), fmt.Sprintf("%.4g", o.MaxAbsDiff)})
	}
	if len(rows) > 0 {
		p.table([]string{"output", "type", "SQNR dB", "cosine", "greatest difference"}, rows)
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
	p.WriteString(tuningPlot(t))
}

func (p *page) layers(r *Report) {
	p.element("h2", "Operators")
	p.WriteString(layerPlot(r.Layers))
	p.table(r.layerRows())
	p.element("p", "%s.", legend)
}

func (p *page) values(r *Report) {
	if len(r.Values) == 0 {
		return
	}
	p.element("h2", "Activations")
	var rows [][]string
	for _, v := range r.Values {
		rows = append(rows, []string{
			v.Name, fmt.Sprintf("%.6g", v.Scale), fmt.Sprint(v.ZeroPoint), fmt.Sprintf("%.4g", v.Least), fmt.Sprintf("%.4g", v.Greatest),
			fmt.Sprintf("%.4g", v.Min), fmt.Sprintf("%.4g", v.Max), percent(v.Clipped), percent(v.Saturated),
		})
	}
	p.table([]string{"value", "scale", "zero point", "least", "greatest", "range from", "to", "clipped %", "saturated %"}, rows)
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
