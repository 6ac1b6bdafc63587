package report

import (
	"cmp"
	"fmt"
	"html"
	"maps"
	"math"
	"strconv"
	"strings"

	"github.com/octet-ml/octet/internal/sorting"
)

// axis maps the values from lo to hi, lo < hi, to the pixels between from and to.
type axis struct {
	lo, hi   float64
	from, to float64
}

// newAxis returns an axis that holds all finite values given, with a margin of that share of their range at each end.
func newAxis(values []float64, margin, from, to float64) axis {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if finite(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	switch {
	case lo > hi:
		lo, hi = 0, 1
	case lo == hi:
		pad := math.Abs(lo) / 10
		if pad == 0 {
			pad = 0.5
		}
		lo, hi = lo-pad, hi+pad
	default:
		// Each by itself: the range of two finite values may overflow.
		pad := hi*margin - lo*margin
		lo, hi = max(lo-pad, -math.MaxFloat64), min(hi+pad, math.MaxFloat64)
	}
	return axis{lo: lo, hi: hi, from: from, to: to}
}

// at returns the pixel of a value.
func (a axis) at(v float64) float64 {
	// Halves do not overflow.
	share := (v/2 - a.lo/2) / (a.hi/2 - a.lo/2)
	return a.from + share*(a.to-a.from)
}

// ticks returns round values on the axis, at most n+1 of them, and their texts.
func (a axis) ticks(n int) (values []float64, labels []string) {
	step := tickStep(a.hi/float64(n) - a.lo/float64(n))
	first := math.Ceil(a.lo / step)
	for i := range n + 1 {
		v := (first + float64(i)) * step
		if v > a.hi || !finite(v) {
			break
		}
		values = append(values, v)
		labels = append(labels, strconv.FormatFloat(v, 'g', 4, 64))
	}
	return values, labels
}

// tickStep returns the least of 1, 2 and 5 times a power of ten that is not below least.
func tickStep(least float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, times := range []float64{1, 2, 5} {
		if step := times * power; step >= least*(1-1e-9) {
			return step
		}
	}
	return 10 * power
}

func finite(v float64) bool { return v-v == 0 }

// plot is an SVG element in the making: a frame with two axes, and what is drawn in it. Colours, fonts and dashes
// are those of the page's style, by class.
type plot struct {
	strings.Builder
	x, y          axis
	width, height float64
	legendEnd     float64 // where the next entry of the legend ends
}

// plotTexts are the texts around a plot, and what its axes show.
type plotTexts struct {
	title, x, y string
	// xNames are the names of places on the x axis, which then has no numbers.
	xNames map[float64]string
	// rows says that the y axis has a name for each row, which the caller writes, and no numbers.
	rows bool
}

// The margins of the frame, in pixels; those of names are wider.
const (
	left, right = 52, 14
	top, bottom = 30, 40
	nameWidth   = 230
	nameHeight  = 134
)

// newPlot begins a plot of the given size in pixels, whose axes hold the values given.
func newPlot(width, height float64, texts plotTexts, xs, ys []float64) *plot {
	p := &plot{width: width, height: height, legendEnd: width - right}
	below, beside := float64(bottom), float64(left)
	switch {
	case texts.xNames != nil:
		below = nameHeight
	case texts.x == "":
		below -= 14
	}
	if texts.rows {
		beside = nameWidth
	}
	p.x = newAxis(xs, 0.02, beside, width-right)
	p.y = newAxis(ys, 0.05, height-below, top)
	if texts.rows {
		p.x.lo, p.y.lo, p.y.hi = 0, 0, max(1, ys[len(ys)-1])
	}
	fmt.Fprintf(p, "<svg class=\"plot\" role=\"img\" aria-label=\"%s\" width=\"%g\" height=\"%g\" viewBox=\"0 0 %g %g\">\n", html.EscapeString(texts.title), width, height, width, height)
	p.text("title start", beside, 16, texts.title)
	if texts.x != "" {
		p.text("label", (p.x.from+p.x.to)/2, height-6, texts.x)
	}
	if texts.y != "" {
		fmt.Fprintf(p, "<text class=\"label\" transform=\"translate(12 %.1f) rotate(-90)\">%s</text>\n", (p.y.from+p.y.to)/2, html.EscapeString(texts.y))
	}
	p.grid(texts)
	return p
}

// grid draws the lines of both axes' ticks, with their values or names.
func (p *plot) grid(texts plotTexts) {
	if texts.xNames != nil {
		p.names(texts.xNames)
	} else {
		values, labels := p.x.ticks(int(p.width / 60))
		for i, v := range values {
			p.line("grid", v, p.y.lo, v, p.y.hi)
			p.text("tick", p.x.at(v), p.y.from+14, labels[i])
		}
	}
	if !texts.rows {
		values, labels := p.y.ticks(int(p.height / 45))
		for i, v := range values {
			p.line("grid", p.x.lo, v, p.x.hi, v)
			p.text("tick end", p.x.from-6, p.y.at(v)+4, labels[i])
		}
	}
	p.line("axis", p.x.lo, p.y.lo, p.x.hi, p.y.lo)
	p.line("axis", p.x.lo, p.y.lo, p.x.lo, p.y.hi)
}

// names writes names of places below the x axis, upright, as many as there is room for.
func (p *plot) names(names map[float64]string) {
	const room = 14 // pixels
	last := math.Inf(-1)
	for _, v := range sorting.Collected(maps.Keys(names), cmp.Compare) {
		x := p.x.at(v)
		if x < last+room {
			continue
		}
		last = x
		p.line("grid", v, p.y.lo, v, p.y.hi)
		fmt.Fprintf(p, "<text class=\"tick end\" transform=\"translate(%.1f %.1f) rotate(-90)\">%s</text>\n", x+4, p.y.from+6, html.EscapeString(shortened(names[v], 19)))
	}
}

// bar draws a bar from 0 to a value of the x axis, at a height in pixels.
func (p *plot) bar(class string, y, height, v float64, name string) {
	fmt.Fprintf(p, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%g\"><title>%s</title></rect>\n",
		class, p.x.at(0), y, p.x.at(v)-p.x.at(0), height, html.EscapeString(name))
}

// text writes a text at a pixel.
func (p *plot) text(class string, x, y float64, text string) {
	fmt.Fprintf(p, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", class, x, y, html.EscapeString(text))
}

// line draws a line between two points of the axes.
func (p *plot) line(class string, x0, y0, x1, y1 float64) {
	fmt.Fprintf(p, "<path class=\"%s\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n", class, p.x.at(x0), p.y.at(y0), p.x.at(x1), p.y.at(y1))
}

// point is one of the axes, with what a reader is told who points at it.
type point struct {
	x, y float64
	name string
}

// points draws points as discs of the given radius in pixels.
func (p *plot) points(class string, radius float64, all []point) {
	for _, at := range all {
		fmt.Fprintf(p, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%g\"><title>%s</title></circle>\n",
			class, p.x.at(at.x), p.y.at(at.y), radius, html.EscapeString(at.name))
	}
}

// curve draws the lines from each point to the next.
func (p *plot) curve(class string, all []point) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(p, "<path class=\"%s\" d=\"", class)
	for i, at := range all {
		letter := 'L'
		if i == 0 {
			letter = 'M'
		}
		fmt.Fprintf(p, "%c%.1f %.1f", letter, p.x.at(at.x), p.y.at(at.y))
	}
	p.WriteString("\"/>\n")
}

// legend says what the points or lines of a class are: above the frame, from the right.
func (p *plot) legend(class, name string, asLine bool) {
	x, y := p.legendEnd, 12.0
	if asLine {
		fmt.Fprintf(p, "<path class=\"%s\" d=\"M%.1f %.1fh-16\"/>\n", class, x, y)
	} else {
		fmt.Fprintf(p, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>\n", class, x-8, y)
	}
	p.text("tick end", x-22, y+4, name)
	const letter = 6.5 // about the width of one
	p.legendEnd -= 40 + letter*float64(len(name))
}

// end returns the finished element.
func (p *plot) end() string {
	p.WriteString("</svg>\n")
	return p.String()
}
