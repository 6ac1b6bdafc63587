package report

import (
	"fmt"

	"github.com/octet-ml/octet/quantize"
)

// column is one of the table of operators, the same on a terminal and on a page.
// What does not exist leaves its cell empty.
type column struct {
	head string
	cell func(r *Report, l *quantize.Layer) string
}

// columns are ordered so that those that matter most come first. Units stand in the
// head: a terminal has no room to repeat them.
var columns = []column{
	{"module", func(_ *Report, l *quantize.Layer) string { return l.Name }},
	{"operator", func(_ *Report, l *quantize.Layer) string { return l.Op }},
	{"type", func(_ *Report, l *quantize.Layer) string { return l.Precision }},
	{"out dB", measured(func(m *quantize.Measured) string { return decibel(m.SQNR, m.Elements > 0) })},
	{"cosine", measured(func(m *quantize.Measured) string {
		if m.Elements == 0 {
			return ""
		}
		return fmt.Sprintf("%.5f", m.Cosine)
	})},
	{"wt dB", func(_ *Report, l *quantize.Layer) string { return decibel(l.SQNR, l.WeightScaleMax > 0) }},
	{"scale", func(r *Report, l *quantize.Layer) string {
		if v := r.value(l.Output); v != nil {
			return fmt.Sprintf("%.4g", v.Scale)
		}
		return ""
	}},
	{"zero", func(r *Report, l *quantize.Layer) string {
		if v := r.value(l.Output); v != nil {
			return fmt.Sprint(v.ZeroPoint)
		}
		return ""
	}},
	{"clip in %", func(r *Report, l *quantize.Layer) string { return percent(r.worst(clipped, l.Inputs...)) }},
	{"out %", func(r *Report, l *quantize.Layer) string { return percent(r.worst(clipped, l.Output)) }},
	{"sat %", func(r *Report, l *quantize.Layer) string { return percent(r.worst(saturated, l.Output)) }},
	{"pairs %", func(_ *Report, l *quantize.Layer) string { return pairs(l) }},
	{"safe", func(_ *Report, l *quantize.Layer) string {
		if l.Panels == 0 {
			return ""
		}
		return fmt.Sprintf("%d/%d", l.SafePanels, l.Panels)
	}},
	{"bytes", func(_ *Report, l *quantize.Layer) string { return count(l.Bytes) }},
	{"of", func(_ *Report, l *quantize.Layer) string { return count(l.FloatBytes) }},
	{"ms", measured(func(m *quantize.Measured) string { return milliseconds(m.Ms) })},
	{"float", measured(func(m *quantize.Measured) string { return milliseconds(m.FloatMs) })},
	{"why not int8", func(_ *Report, l *quantize.Layer) string { return l.Reason }},
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

// layerRows returns the table of operators: its head, and a row for each.
// Columns in which no row has anything are left out.
func (r *Report) layerRows() (head []string, rows [][]string) {
	rows = make([][]string, len(r.Layers))
	for _, c := range columns {
		cells := make([]string, len(r.Layers))
		empty := true
		for i := range r.Layers {
			cells[i] = c.cell(r, &r.Layers[i])
			empty = empty && cells[i] == ""
		}
		if empty {
			continue
		}
		head = append(head, c.head)
		for i, cell := range cells {
			rows[i] = append(rows[i], cell)
		}
	}
	return head, rows
}
