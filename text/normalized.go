package text

import (
	"unicode/utf8"
)

// span is bytes [from, to) of the text that was given.
type span struct{ from, to int32 }

// part is a part of a text after what normalizers have done to it.
type part struct {
	text string
	// at says where each byte comes from; nil where text is what was given, from the byte base on.
	at    []span
	base  int
	start int // where what it is cut out of begins in the text that was given
}

// source returns what the bytes [from, to) come from; a character counts as a whole.
func (p *part) source(from, to int) span {
	if from >= to {
		return span{int32(p.base), int32(p.base)}
	}
	if p.at != nil {
		return span{p.at[from].from, p.at[to-1].to}
	}
	for from > 0 && !utf8.RuneStart(p.text[from]) {
		from--
	}
	for to < len(p.text) && !utf8.RuneStart(p.text[to]) {
		to++
	}
	return span{int32(p.base + from), int32(p.base + to)}
}

// slice returns the bytes [from, to) as a part.
func (p *part) slice(from, to int) part {
	s := part{text: p.text[from:to], base: p.base + from, start: p.start}
	if from < to {
		s.start = int(p.source(from, from+1).from)
	}
	if p.at != nil {
		s.at = p.at[from:to]
	}
	return s
}

// editor makes a part of another one, character by character. What a new character comes from follows the rules of
// NormalizedString of tokenizers: one in the place of others comes from the first of them, an additional one from what the
// character before it does.
type editor struct {
	from part
	pos  int // in it
	text []byte
	at   []span
}

func newEditor(p part) *editor {
	return &editor{from: p, text: make([]byte, 0, len(p.text)+16), at: make([]span, 0, len(p.text)+16)}
}

// put writes r in the place of the next character and of drop more.
func (e *editor) put(r rune, drop int) {
	s := e.here()
	for ; drop >= 0; drop-- {
		e.skip()
	}
	e.write(r, s)
}

// add writes r in addition.
func (e *editor) add(r rune) {
	s := span{int32(e.from.base), int32(e.from.base)}
	if e.pos > 0 {
		s = e.from.source(e.pos-1, e.pos)
	}
	e.write(r, s)
}

// here returns what the next character comes from.
func (e *editor) here() span {
	if e.pos >= len(e.from.text) {
		end := e.from.source(0, len(e.from.text)).to
		return span{end, end}
	}
	return e.from.source(e.pos, e.pos+1)
}

// skip leaves out the next character.
func (e *editor) skip() {
	_, n := utf8.DecodeRuneInString(e.from.text[e.pos:])
	e.pos += n
}

func (e *editor) write(r rune, s span) {
	before := len(e.text)
	e.text = utf8.AppendRune(e.text, r)
	for range len(e.text) - before {
		e.at = append(e.at, s)
	}
}

// replace writes new in the place of the next n characters, as a normalizer of tokenizers that knows how many they become.
func (e *editor) replace(n int, new string) {
	count := utf8.RuneCountInString(new)
	i := 0
	for _, r := range new {
		switch i++; {
		case i > n:
			e.add(r)
		case i == count:
			e.put(r, n-count)
		default:
			e.put(r, 0)
		}
	}
	if count == 0 {
		for range n {
			e.skip()
		}
	}
}

// result returns the part that was written.
func (e *editor) result() part {
	return part{text: string(e.text), at: e.at, base: e.from.base, start: e.from.start}
}

// mapRunes returns a part in which each character is what f makes of it: itself, another one, or -1 for none.
func mapRunes(p part, f func(rune) rune) part {
	first := -1
	for i, r := range p.text {
		if f(r) != r {
			first = i
			break
		}
	}
	if first < 0 {
		return p
	}
	e := newEditor(p)
	for _, r := range p.text {
		if to := f(r); to < 0 {
			e.skip()
		} else {
			e.put(to, 0)
		}
	}
	return e.result()
}

// valid returns a part with U+FFFD in the place of each byte that is not UTF-8.
func valid(text string) part {
	p := part{text: text}
	if utf8.ValidString(text) {
		return p
	}
	e := newEditor(p)
	for i, r := range text {
		from := int32(i)
		_, n := utf8.DecodeRuneInString(text[i:])
		e.write(r, span{from, from + int32(n)})
	}
	return e.result()
}
