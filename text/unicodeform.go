package text

import (
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// change is a character after normalization: in the place of another one and of drop more, or in addition.
type change struct {
	r     rune
	class uint8 // its canonical combining class
	extra int   // 1: in addition; 0 and less: in the place of 1-extra characters
}

// unicodeForm is one of the four normalization forms of Unicode.
func unicodeForm(compose, compatible bool) normalizer {
	whole, parts := norm.NFD, norm.NFD
	switch {
	case compose && compatible:
		whole, parts = norm.NFKC, norm.NFKD
	case compose:
		whole = norm.NFC
	case compatible:
		whole, parts = norm.NFKD, norm.NFKD
	}
	return func(p part) part {
		if whole.IsNormalString(p.text) {
			return p
		}
		e := newEditor(p)
		var run []change // characters that nothing behind them goes together with, once they end
		for _, r := range p.text {
			if r < 0x80 || whole.PropertiesString(string(r)).BoundaryBefore() {
				e.putRun(run, compose)
				run = run[:0]
			}
			run = decompose(run, r, parts)
		}
		e.putRun(run, compose)
		return e.result()
	}
}

// decompose appends what a character is made of.
func decompose(run []change, r rune, form norm.Form) []change {
	if r < 0x80 || undivided.has(r) {
		return append(run, change{r: r})
	}
	extra := 0
	for _, d := range form.String(string(r)) {
		run = append(run, change{d, class(d), extra})
		extra = 1
	}
	return run
}

// putRun writes characters whose marks are not in order yet.
func (e *editor) putRun(run []change, compose bool) {
	for i := 0; i < len(run); i++ {
		first := i
		for i < len(run) && run[i].class != 0 {
			i++
		}
		slices.SortStableFunc(run[first:i], func(a, b change) int { return int(a.class) - int(b.class) })
	}
	if compose {
		run = composed(run)
	}
	for _, c := range run {
		if c.extra > 0 {
			e.add(c.r)
		} else {
			e.put(c.r, -c.extra)
		}
	}
}

func class(r rune) uint8 { return norm.NFD.PropertiesString(string(r)).CCC() }

// composed puts characters together that have a character of their own (Unicode, D117).
func composed(run []change) []change {
	out := run[:0]
	starter, last := -1, -1 // place of the last starter; class of the last mark behind it, -1 without
	for _, c := range run {
		k := c.class
		if starter >= 0 && (last < int(k) || last < 0) {
			if r := pair(out[starter].r, c.r); r != 0 {
				out[starter].r = r
				out[starter].extra += c.extra - 1
				continue
			}
		}
		out = append(out, c)
		if last = int(k); k == 0 {
			starter, last = len(out)-1, -1
		}
	}
	return out
}

// pair returns the character that a and b make together, 0 where there is none.
func pair(a, b rune) rune {
	s := norm.NFC.String(string(a) + string(b))
	if r, n := utf8.DecodeRuneInString(s); n == len(s) {
		return r
	}
	return 0
}
