package report

import (
	_ "embed"
	"fmt"
	"html"
	"io"
	"strings"
)

//go:embed style.css
var style string

//go:embed script.js
var script string

// page is an HTML page in the making. A template engine would call methods by
// name, for which the linker keeps all methods of all types: 1.6 MB more.
type page struct{ strings.Builder }

func newPage(title string) *page {
	p := &page{}
	p.WriteString("<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n")
	p.element("title", "%s", title)
	fmt.Fprintf(p, "<style>\n%s</style>\n", style)
	p.WriteString("<main>\n")
	return p
}

// end writes the page, with the script that sorts and searches its tables.
func (p *page) end(w io.Writer) error {
	fmt.Fprintf(p, "</main>\n<script>\n%s</script>\n</html>\n", script)
	_, err := io.WriteString(w, p.String())
	return err
}

// element writes text within a tag, escaped. The tag may have attributes.
func (p *page) element(tag, format string, args ...any) {
	name, _, _ := strings.Cut(tag, " ")
	fmt.Fprintf(p, "<%s>%s</%s>\n", tag, html.EscapeString(fmt.Sprintf(format, args...)), name)
}

// head is that of a column.
type head struct {
	text string
	what string // said to who points at it; "" where the text says all
	// words are wrapped, and other cells are numbers; more are only shown when they are asked for.
	words, more bool
}

func (h head) class() string {
	switch {
	case h.words && h.more:
		return ` class="words more"`
	case h.words:
		return ` class="words"`
	case h.more:
		return ` class="more"`
	}
	return ""
}

// row is one of a table: its cells, and what tells it from others.
type row struct {
	id, class string
	cells     []string
}

// table writes rows of cells, escaped. One with an id can be sorted, and searched by the field for it.
func (p *page) table(id, caption string, heads []head, rows []row) {
	p.WriteString(`<div class="scroll"><table`)
	p.attribute("aria-label", caption)
	if id != "" {
		fmt.Fprintf(p, " class=\"sorts\" id=\"%s\"", id)
	}
	p.WriteString(">\n<thead><tr>")
	for _, h := range heads {
		fmt.Fprintf(p, "<th scope=\"col\"%s", h.class())
		p.attribute("title", h.what)
		text := html.EscapeString(h.text)
		if id != "" {
			text = "<button>" + text + "</button>"
		}
		fmt.Fprintf(p, ">%s", text)
	}
	p.WriteString("\n<tbody>\n")
	for _, r := range rows {
		p.WriteString("<tr")
		p.attribute("id", r.id)
		p.attribute("class", r.class)
		p.WriteString(">")
		for i, c := range r.cells {
			fmt.Fprintf(p, "<td%s>%s", heads[i].class(), html.EscapeString(c))
		}
		p.WriteString("\n")
	}
	p.WriteString("</table></div>\n")
}

// attribute writes one of an element's, unless it is empty.
func (p *page) attribute(name, value string) {
	if value != "" {
		fmt.Fprintf(p, " %s=\"%s\"", name, html.EscapeString(value))
	}
}

// search writes the field that searches a table, and the boxes that show more of it.
func (p *page) search(table, label string, boxes ...[2]string) {
	fmt.Fprintf(p, "<div class=\"controls\"><label>%s <input type=\"search\" data-table=\"%s\"></label>\n", html.EscapeString(label), table)
	for _, b := range boxes {
		fmt.Fprintf(p, "<label><input type=\"checkbox\" id=\"%s\"> %s</label>\n", b[0], html.EscapeString(b[1]))
	}
	p.WriteString("</div>\n")
}

// plot writes a plot that narrow screens scroll.
func (p *page) plot(svg string) { p.WriteString("<div class=\"scroll\">" + svg + "</div>\n") }
