package report

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/octet-ml/octet/quantize"
)

// The colours of the plots.
var (
	ink    = color.RGBA{R: 0x2b, G: 0x5d, B: 0x8c, A: 0xff}
	signal = color.RGBA{R: 0xc0, G: 0x39, B: 0x2b, A: 0xff}
	quiet  = color.RGBA{R: 0x9a, G: 0xa5, B: 0xb1, A: 0xff}
)

// svg draws a plot of the given size as an SVG element.
func svg(p *plot.Plot, width, height vg.Length) (string, error) {
	c := vgsvg.NewWith(vgsvg.UseWH(width, height), vgsvg.EmbedFonts(false))
	p.Draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return "", err
	}
	s := b.String()
	// Inside a page an SVG is an element, without the prolog of a file, and in the page's font.
	if i := strings.Index(s, "<svg"); i >= 0 {
		s = s[i:]
	}
	return strings.ReplaceAll(s, "font-family:Liberation Sans", "font-family:system-ui,sans-serif"), nil
}

// newPlot returns an empty plot with its texts in one font.
func newPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	for _, s := range []*draw.TextStyle{
		&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle,
	} {
		s.Font.Variant = "Sans"
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = ticks, ticks
	return p
}

// ticks are the usual ones, labelled without zeros behind the point.
var ticks = plot.TickerFunc(func(lo, hi float64) []plot.Tick {
	all := plot.DefaultTicks{}.Ticks(lo, hi)
	for i, t := range all {
		if t.Label != "" {
			all[i].Label = strconv.FormatFloat(t.Value, 'g', 4, 64)
		}
	}
	return all
})

// layerPlot shows the SQNR at the output of each operator, layers in float in another colour.
func layerPlot(layers []quantize.Layer) (string, error) {
	p := newPlot("SQNR at each operator's output", "operator", "dB")
	var int8, float plotter.XYs
	for i, l := range layers {
		if l.Measured == nil || l.Measured.Elements == 0 || math.IsInf(float64(l.Measured.SQNR), 0) || math.IsNaN(float64(l.Measured.SQNR)) {
			continue
		}
		at := plotter.XY{X: float64(i), Y: float64(l.Measured.SQNR)}
		if l.Precision == "int8" {
			int8 = append(int8, at)
		} else {
			float = append(float, at)
		}
	}
	for _, s := range []struct {
		points plotter.XYs
		color  color.Color
		name   string
	}{{int8, ink, "int8"}, {float, quiet, "float32"}} {
		if len(s.points) == 0 {
			continue
		}
		points, err := plotter.NewScatter(s.points)
		if err != nil {
			return "", err
		}
		points.GlyphStyle = draw.GlyphStyle{Color: s.color, Radius: vg.Points(2.5), Shape: draw.CircleGlyph{}}
		p.Add(points)
		if len(int8) > 0 && len(float) > 0 {
			p.Legend.Add(s.name, points)
		}
	}
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	return svg(p, 24*vg.Centimeter, 8*vg.Centimeter)
}

// valuePlot shows the histogram of a value on a logarithmic axis, and the range
// that was chosen.
func valuePlot(v quantize.Value) (string, error) {
	p := newPlot(v.Name, "", "log10(values + 1)")
	h := v.Histogram
	steps := make(plotter.XYs, 0, 2*len(h.Counts))
	top := 0.0
	for i, c := range h.Counts {
		y := math.Log10(float64(c) + 1)
		top = max(top, y)
		from := h.First + float64(i)*h.Width
		steps = append(steps, plotter.XY{X: from, Y: y}, plotter.XY{X: from + h.Width, Y: y})
	}
	line, err := plotter.NewLine(steps)
	if err != nil {
		return "", err
	}
	line.Color = ink
	p.Add(line)
	for _, x := range []float32{v.Min, v.Max} {
		end, err := plotter.NewLine(plotter.XYs{{X: float64(x), Y: 0}, {X: float64(x), Y: top}})
		if err != nil {
			return "", err
		}
		end.Color, end.Dashes = signal, []vg.Length{vg.Points(3), vg.Points(2)}
		p.Add(end)
	}
	return svg(p, 8*vg.Centimeter, 5*vg.Centimeter)
}

// tuningPlot shows cost and accuracy of the sets of modules that were tried.
func tuningPlot(t *quantize.Tuning) (string, error) {
	p := newPlot("Sets of modules in float, by their number", "cost", "accuracy")
	points := make(plotter.XYs, len(t.Curve))
	labels := plotter.XYLabels{XYs: points}
	for i, c := range t.Curve {
		points[i] = plotter.XY{X: c.Cost, Y: c.Accuracy}
		labels.Labels = append(labels.Labels, fmt.Sprint(len(c.Fallback)))
	}
	if len(points) > 0 {
		walked, scatter, err := plotter.NewLinePoints(points)
		if err != nil {
			return "", err
		}
		walked.Color, scatter.Color, scatter.Shape = quiet, ink, draw.CircleGlyph{}
		names, err := plotter.NewLabels(labels)
		if err != nil {
			return "", err
		}
		for i := range names.TextStyle {
			names.TextStyle[i].Font.Variant = "Sans"
		}
		p.Add(walked, scatter, names)
	}
	if i := slices.IndexFunc(t.Curve, func(c quantize.TuningPoint) bool { return slices.Equal(c.Fallback, t.Fallback) }); i >= 0 {
		chosen, err := plotter.NewScatter(points[i : i+1])
		if err != nil {
			return "", err
		}
		chosen.GlyphStyle = draw.GlyphStyle{Color: signal, Radius: vg.Points(5), Shape: draw.RingGlyph{}}
		p.Add(chosen)
		p.Legend.Add("chosen", chosen)
	}
	target := plotter.NewFunction(func(float64) float64 { return t.Target })
	target.Color, target.Dashes = signal, []vg.Length{vg.Points(3), vg.Points(2)}
	p.Add(target)
	p.Legend.Add("target", target)
	p.Y.Min, p.Y.Max = min(p.Y.Min, t.Target), max(p.Y.Max, t.Target)
	return svg(p, 16*vg.Centimeter, 8*vg.Centimeter)
}
