package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/octet-ml/octet/quantize"
)

// column is one of the table of operators, the same on a terminal and on a page.
// What does not exist leaves its cell empty.
type column struct {
	head
	cell func(r *Report, l *quantize.Layer) string
}

// columns are ordered so that those that matter most come first. Units stand in the
// head: a terminal has no room to repeat them.
var columns = []column{
	{head{text: "module", words: true}, func(_ *Report, l *quantize.Layer) string { return l.Name }},
	{head{text: "operator"}, func(_ *Report, l *quantize.Layer) string { return l.Op }},
	{head{text: "type"}, func(_ *Report, l *quantize.Layer) string { return l.Precision }},
	{head{text: "out dB", what: "SQNR of the output to the float model's"}, measured(func(m *quantize.Measured) string { return decibel(m.SQNR, m.Elements > 0) })},
	{head{text: "cosine", what: "of the output and the float model's", more: true}, measured(func(m *quantize.Measured) string {
		if m.Elements == 0 {
			return ""
		}
		return fmt.Sprintf("%.5f", m.Cosine)
	})},
	{head{text: "wt dB", what: "SQNR of the weight", more: true}, func(_ *Report, l *quantize.Layer) string { return decibel(l.SQNR, l.WeightScaleMax > 0) }},
	{head{text: "scale", what: "of the output", more: true}, func(r *Report, l *quantize.Layer) string {
		if v := r.value(l.Output); v != nil {
			return fmt.Sprintf("%.4g", v.Scale)
		}
		return ""
	}},
	{head{text: "zero", what: "zero point of the output", more: true}, func(r *Report, l *quantize.Layer) string {
		if v := r.value(l.Output); v != nil {
			return fmt.Sprint(v.ZeroPoint)
		}
		return ""
	}},
	{head{text: "clip in %", what: "share of the values beyond the range of an input"}, func(r *Report, l *quantize.Layer) string { return percent(r.worst(clipped, l.Inputs...)) }},
	{head{text: "out %", what: "share of the values beyond the range of the output"}, func(r *Report, l *quantize.Layer) string { return percent(r.worst(clipped, l.Output)) }},
	{head{text: "sat %", what: "share of the integers at an end of the range", more: true}, func(r *Report, l *quantize.Layer) string { return percent(r.worst(saturated, l.Output)) }},
	{head{text: "pairs %", what: "share of the outputs that adding pairs of products in 16 bits would spoil", more: true}, func(_ *Report, l *quantize.Layer) string { return pairs(l) }},
	{head{text: "safe", what: "panels of 16 channels without such pairs, of all", more: true}, func(_ *Report, l *quantize.Layer) string {
		if l.Panels == 0 {
			return ""
		}
		return fmt.Sprintf("%d/%d", l.SafePanels, l.Panels)
	}},
	{head{text: "bytes", what: "of constants"}, func(_ *Report, l *quantize.Layer) string { return count(l.Bytes) }},
	{head{text: "of", what: "bytes of constants in float"}, func(_ *Report, l *quantize.Layer) string { return count(l.FloatBytes) }},
	{head{text: "ms", what: "of a run"}, measured(func(m *quantize.Measured) string { return milliseconds(m.Ms) })},
	{head{text: "float", what: "ms in float"}, measured(func(m *quantize.Measured) string { return milliseconds(m.FloatMs) })},
	{head{text: "why not int8", words: true}, func(_ *Report, l *quantize.Layer) string { return l.Reason }},
}

// legend explains the heads of columns.
const legend = "out dB, cosine: the output against the float model's; wt dB: the weight; scale, zero: of the output; clip in, out: share of values beyond " +
	"the range of input and output; sat: integers at an end of it; pairs: outputs that adding pairs of products in 16 bits would spoil; safe: panels of 16 channels that have none whatever the inputs are; bytes of constants, of those in float; ms, float: a run"

// measured makes a cell of what a comparison saw.
func measured(cell func(*quantize.Measured) string) func(*Report, *quantize.Layer) string {
	return func(_ *Report, l *quantize.Layer) string {
		if l.Measured == nil {
			return ""
		}
		return cell(l.Measured)
	}
}

func layerHeads() []head {
	heads := make([]head, len(columns))
	for i, c := range columns {
		heads[i] = c.head
	}
	return heads
}

// layerRows returns the table of operators: a row for each, with the cells of all columns.
func (r *Report) layerRows() []row {
	rows := make([]row, len(r.Layers))
	for i := range rows {
		for _, c := range columns {
			rows[i].cells = append(rows[i].cells, c.cell(r, &r.Layers[i]))
		}
	}
	return rows
}

// filled leaves out the columns in which no row has anything.
func filled(heads []head, rows []row) ([]head, []row) {
	for c := len(heads) - 1; c >= 0; c-- {
		if slices.ContainsFunc(rows, func(r row) bool { return r.cells[c] != "" }) {
			continue
		}
		heads = slices.Delete(heads, c, c+1)
		for i := range rows {
			rows[i].cells = slices.Delete(rows[i].cells, c, c+1)
		}
	}
	return heads, rows
}

// isShape reports whether an operator only gives its input another shape, or computes shapes: it has no constants, and takes no time where
// times were measured, or has no floats to compare.
func (r *Report) isShape(l *quantize.Layer) bool {
	if l.FloatBytes > 0 || l.Measured == nil {
		return false
	}
	return l.Measured.Elements == 0 || r.Quantized.Ms > 0 && l.Measured.Ms == 0 && l.Measured.FloatMs == 0
}

// layerName is the module of an operator, or the operator where it is part of none.
func layerName(l *quantize.Layer) string {
	if l.Name == "" {
		return l.Op
	}
	return l.Name
}

// layerID is the name of an operator's row on the page.
func layerID(i int) string { return fmt.Sprintf("operator-%d", i+1) }

// layerDecibel is the SQNR at an operator's output, NaN where there is none.
func layerDecibel(l *quantize.Layer) float64 {
	if l.Measured == nil || l.Measured.Elements == 0 {
		return math.NaN()
	}
	return float64(l.Measured.SQNR)
}
