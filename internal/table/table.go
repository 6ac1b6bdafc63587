// Package table aligns the columns of tables, and fits them to the width of a terminal.
package table

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// Writer aligns lines whose cells are parted by tabs, as a tabwriter with two spaces between columns. Where what it writes to
// knows its width (Width() int, in characters; 0: no bound), tables that are wider are fitted: names lose their middle, the
// text of the last column its end; and a table of numbers that is too wide nevertheless is turned, with a line for each column.
type Writer struct {
	w     io.Writer
	flags uint
	text  bytes.Buffer
}

// AlignRight is for tables of numbers, as that of tabwriter: the cells of all columns end under each other.
const AlignRight = tabwriter.AlignRight

// NewWriter returns a Writer to w; flags are 0 or AlignRight.
func NewWriter(w io.Writer, flags uint) *Writer { return &Writer{w: w, flags: flags} }

// Write takes text; it is written by Flush.
func (t *Writer) Write(text []byte) (int, error) { return t.text.Write(text) }

// Flush writes the tables.
func (t *Writer) Flush() error {
	lines := strings.SplitAfter(t.text.String(), "\n")
	t.text.Reset()
	width := 0
	if sized, ok := t.w.(interface{ Width() int }); ok {
		width = sized.Width()
	}
	out := tabwriter.NewWriter(t.w, 0, 0, gap, ' ', t.flags)
	for len(lines) > 0 {
		n := 1
		if cells := strings.Count(lines[0], "\t"); cells > 0 {
			for n < len(lines) && strings.Contains(lines[n], "\t") {
				n++
			}
			if width > 0 {
				t.fit(lines[:n], width)
			}
		}
		for _, line := range lines[:n] {
			if _, err := io.WriteString(out, line); err != nil {
				return err
			}
		}
		lines = lines[n:]
	}
	return out.Flush()
}

// The characters between columns, and the least that a cell is cut to.
const (
	gap   = 2
	least = 10
)

// fit makes the lines of a table, each with its newline, no wider than width where that is possible.
func (t *Writer) fit(lines []string, width int) {
	rows := make([][]string, len(lines))
	for i, line := range lines {
		rows[i] = strings.Split(strings.TrimSuffix(line, "\n"), "\t")
	}
	if total(widths(rows)) <= width {
		return
	}
	if turned := turn(rows); t.flags == AlignRight && len(turned[0]) < len(turned) && total(widths(turned)) <= width {
		rows = turned
	} else {
		shrink(rows, width)
	}
	// A turned table has other numbers of lines than before: all stand in the first place.
	var all strings.Builder
	for _, row := range rows {
		all.WriteString(strings.Join(row, "\t") + "\n")
	}
	clear(lines)
	lines[0] = all.String()
}

// widths returns those of the columns.
func widths(rows [][]string) []int {
	var w []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(w) {
				w = append(w, 0)
			}
			w[i] = max(w[i], utf8.RuneCountInString(cell))
		}
	}
	return w
}

// total is the width of a table with columns of these widths.
func total(w []int) int {
	n := gap * (len(w) - 1)
	for _, c := range w {
		n += c
	}
	return n
}

// turn makes a row of each column.
func turn(rows [][]string) [][]string {
	out := make([][]string, len(widths(rows)))
	for i := range out {
		for _, row := range rows {
			cell := ""
			if i < len(row) {
				cell = row[i]
			}
			out[i] = append(out[i], cell)
		}
		out[i] = append(out[i], "") // a cell ends with a tab
	}
	if last := out[len(out)-1]; strings.Join(last, "") == "" {
		out = out[:len(out)-1] // what follows the last tab
	}
	return out
}

// shrink cuts the widest columns of text until the rows are no wider than width, or none can be cut further.
func shrink(rows [][]string, width int) {
	w := widths(rows)
	for excess := total(w) - width; excess > 0; excess-- {
		widest := -1
		for i := range w {
			if w[i] > least && (widest < 0 || w[i] > w[widest]) && isText(rows, i) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		w[widest]--
	}
	for _, row := range rows {
		for i, cell := range row {
			row[i] = cut(cell, w[i], i == len(w)-1)
		}
	}
}

// isText reports whether a column has a cell below its title that is no number.
func isText(rows [][]string, column int) bool {
	return slices.ContainsFunc(rows[1:], func(row []string) bool {
		if column >= len(row) || row[column] == "" {
			return false
		}
		_, err := strconv.ParseFloat(strings.TrimSuffix(row[column], " %"), 64)
		return err != nil
	})
}

// cut leaves width characters of a cell: without its end, or without its middle.
func cut(cell string, width int, end bool) string {
	runes := []rune(cell)
	if len(runes) <= width {
		return cell
	}
	tail := (width - 1) / 2
	if end {
		tail = 0
	}
	return string(runes[:width-1-tail]) + "…" + string(runes[len(runes)-tail:])
}
