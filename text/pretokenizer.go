package text

import (
	"strings"
	"unicode/utf8"
)

// pretokenizer splits a part into those that the model takes one by one, until yield returns false; then it returns false itself.
type pretokenizer func(p part, yield func(part) bool) bool

// newPretokenizer makes the pre-tokenizer that a tokenizer.json describes; nil where there is none.
func newPretokenizer(c *component) (pretokenizer, error) {
	if c == nil {
		return nil, nil
	}
	switch c.Type {
	case "BertPreTokenizer":
		return chain(splitBy(findRunes(isSpace), removed), splitBy(findRunes(isPunctuation), isolated)), nil
	case "WhitespaceSplit":
		return splitBy(findRunes(isSpace), removed), nil
	case "Whitespace":
		return chain(splitBy(findRunes(isSpace), removed), splitBy(findWordRuns, isolated)), nil
	case "Punctuation":
		b, err := parseBehavior(c.Behavior)
		return splitBy(findRunes(isPunctuation), b), err
	case "Digits":
		if c.IndividualDigits {
			return splitBy(findRunes(isNumeral), isolated), nil
		}
		return splitBy(findRunes(isNumeral), contiguous), nil
	case "Split":
		find, err := c.Pattern.finder()
		if err != nil {
			return nil, err
		}
		b, err := parseBehavior(c.Behavior)
		return splitInverted(find, b, c.Invert), err
	case "ByteLevel":
		return byteLevel(c.AddPrefixSpace == nil || *c.AddPrefixSpace, c.UseRegex == nil || *c.UseRegex), nil
	case "Metaspace":
		return newMetaspace(c)
	case "Sequence":
		var steps []pretokenizer
		for _, c := range c.Pretokenizers {
			p, err := newPretokenizer(c)
			if err != nil {
				return nil, err
			}
			if p != nil {
				steps = append(steps, p)
			}
		}
		return chain(steps...), nil
	}
	return nil, &UnsupportedError{"pre-tokenizer", c.Type}
}

// chain gives the parts of each pre-tokenizer to the next.
func chain(steps ...pretokenizer) pretokenizer {
	if len(steps) == 0 {
		return func(p part, yield func(part) bool) bool { return yield(p) }
	}
	if len(steps) == 1 {
		return steps[0]
	}
	rest := chain(steps[1:]...)
	return func(p part, yield func(part) bool) bool {
		return steps[0](p, func(p part) bool { return rest(p, yield) })
	}
}

// behavior says what becomes of the places that a pattern matches.
type behavior string

const (
	removed    behavior = "Removed"
	isolated   behavior = "Isolated"
	previous   behavior = "MergedWithPrevious"
	next       behavior = "MergedWithNext"
	contiguous behavior = "Contiguous"
)

func parseBehavior(s string) (behavior, error) {
	switch b := behavior(s); b {
	case removed, isolated, previous, next, contiguous:
		return b, nil
	case "":
		return isolated, nil
	}
	return "", &UnsupportedError{"behavior of a split", s}
}

// splitBy splits at the places that find finds or, inverted, at what lies between them.
func splitBy(find finder, b behavior) pretokenizer { return splitInverted(find, b, false) }

func splitInverted(find finder, b behavior, invert bool) pretokenizer {
	return func(p part, yield func(part) bool) bool {
		s := splitter{part: p, behavior: b, yield: yield}
		last := 0
		find(p.text, func(from, to int) bool {
			s.segment(last, from, invert)
			s.segment(from, to, !invert)
			last = to
			return !s.ended
		})
		s.segment(last, len(p.text), invert)
		s.flush()
		return !s.ended
	}
}

// splitter puts the places that a pattern matches, and those between, together as the behavior says.
type splitter struct {
	part
	behavior behavior
	yield    func(part) bool
	from, to int // what was not yielded yet
	match    bool
	ended    bool
}

// segment takes in the next place, which may be empty.
func (s *splitter) segment(from, to int, match bool) {
	if from >= to {
		return
	}
	merge := false
	if s.from < s.to {
		switch s.behavior {
		case previous:
			merge = match && !s.match
		case next:
			merge = s.match && !match
		case contiguous:
			merge = match == s.match
		}
	}
	if !merge {
		s.flush()
		s.from = from
	}
	s.to, s.match = to, match
}

func (s *splitter) flush() {
	if s.from < s.to && !s.ended && !(s.match && s.behavior == removed) {
		s.ended = !s.yield(s.slice(s.from, s.to))
	}
	s.from = s.to
}

// findWordRuns finds runs of characters that are all parts of words, or all not.
func findWordRuns(s string, yield func(from, to int) bool) {
	for at := 0; at < len(s); {
		r, _ := utf8.DecodeRuneInString(s[at:])
		word := isWord(r)
		n := strings.IndexFunc(s[at:], func(r rune) bool { return isWord(r) != word })
		if n < 0 {
			n = len(s) - at
		}
		if !yield(at, at+n) {
			return
		}
		at += n
	}
}

// byteLevel is ByteLevel of tokenizers: the bytes of a text as characters that can be seen.
func byteLevel(prefix, words bool) pretokenizer {
	find := finder(findWords)
	if !words {
		find = func(string, func(from, to int) bool) {}
	}
	split := splitBy(find, isolated)
	return func(p part, yield func(part) bool) bool {
		if prefix && !strings.HasPrefix(p.text, " ") {
			p = prepend(p, " ")
		}
		return split(p, func(p part) bool { return yield(visible(p)) })
	}
}

// visible writes each byte of a part as the character that stands for it.
func visible(p part) part {
	out := part{text: "", at: make([]span, 0, len(p.text)+8), base: p.base, start: p.start}
	var text strings.Builder
	for i := range len(p.text) {
		r := byteRunes[p.text[i]]
		text.WriteRune(r)
		s := p.source(i, i+1)
		for range utf8.RuneLen(r) {
			out.at = append(out.at, s)
		}
	}
	out.text = text.String()
	return out
}

// byteRunes are the characters that stand for bytes, as GPT-2 has them: those that can be seen for themselves, others from U+0100 on.
var byteRunes = func() (table [256]rune) {
	other := rune(256)
	for b := range rune(256) {
		table[b] = b
		if !(b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae) {
			table[b] = other
			other++
		}
	}
	return table
}()

// newMetaspace makes Metaspace of tokenizers: words begin with the character that stands for a space.
func newMetaspace(c *component) (pretokenizer, error) {
	mark := c.Replacement
	if mark == "" {
		mark = "▁"
	}
	scheme := c.PrependScheme
	if scheme == "" {
		scheme = "always"
		if c.AddPrefixSpace != nil && !*c.AddPrefixSpace {
			scheme = "never"
		}
	}
	if scheme != "always" && scheme != "first" && scheme != "never" {
		return nil, &UnsupportedError{"prepend_scheme of Metaspace", scheme}
	}
	split := splitBy(findString(mark), next)
	if c.Split != nil && !*c.Split {
		split = chain()
	}
	return func(p part, yield func(part) bool) bool {
		p = replaceAll(p, findString(" "), mark)
		if !strings.HasPrefix(p.text, mark) && (scheme == "always" || scheme == "first" && p.start == 0) {
			p = prepend(p, mark)
		}
		return split(p, yield)
	}, nil
}
