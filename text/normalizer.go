package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// normalizer changes a text before it is split.
type normalizer func(part) part

// newNormalizer makes the normalizer that a tokenizer.json describes; nil where there is none.
func newNormalizer(c *component) (normalizer, error) {
	if c == nil {
		return nil, nil
	}
	switch c.Type {
	case "BertNormalizer":
		strip := c.Lowercase
		if c.StripAccents != nil {
			strip = *c.StripAccents
		}
		return bertNormalizer(c.CleanText, c.Chinese, strip, c.Lowercase), nil
	case "Lowercase":
		return lowercase, nil
	case "NFC", "NFD", "NFKC", "NFKD":
		return unicodeForm(strings.HasSuffix(c.Type, "C"), strings.Contains(c.Type, "K")), nil
	case "StripAccents":
		return func(p part) part { return remove(p, func(r rune) bool { return r > 127 && marks.has(r) }) }, nil
	case "Strip":
		return strip(c.StripLeft, c.StripRight), nil
	case "Prepend":
		return func(p part) part { return prepend(p, c.Prepend) }, nil
	case "Replace":
		find, err := c.Pattern.finder()
		if err != nil {
			return nil, err
		}
		return func(p part) part { return replaceAll(p, find, c.Content) }, nil
	case "Precompiled":
		return newCharsMap(c.CharsMap)
	case "Sequence":
		return normalizerSequence(c.Normalizers)
	}
	return nil, &UnsupportedError{"normalizer", c.Type}
}

func normalizerSequence(list []*component) (normalizer, error) {
	var steps []normalizer
	for _, c := range list {
		n, err := newNormalizer(c)
		if err != nil {
			return nil, err
		}
		if n != nil {
			steps = append(steps, n)
		}
	}
	return func(p part) part {
		for _, n := range steps {
			p = n(p)
		}
		return p
	}, nil
}

// bertNormalizer is BertNormalizer of tokenizers.
func bertNormalizer(clean, chinese, accents, lower bool) normalizer {
	return func(p part) part {
		if clean {
			p = mapRunes(p, cleanRune)
		}
		if chinese {
			p = surround(p)
		}
		if accents {
			p = remove(unicodeForm(false, false)(p), func(r rune) bool { return r > 127 && nonspacing.has(r) })
		}
		if lower {
			p = lowercase(p)
		}
		return p
	}
}

// cleanRune makes a space of each white space, and nothing of control characters.
func cleanRune(r rune) rune {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return ' '
	case r < 127 && r >= ' ':
		return r
	case cleaned.has(r):
		return -1
	case isSpace(r):
		return ' '
	}
	return r
}

// surround puts spaces around ideographs.
func surround(p part) part {
	is := func(r rune) bool { return r > 0x2fff && ideographs.has(r) }
	if strings.IndexFunc(p.text, is) < 0 {
		return p
	}
	e := newEditor(p)
	for _, r := range p.text {
		if !is(r) {
			e.put(r, 0)
			continue
		}
		e.put(' ', 0)
		e.add(r)
		e.add(' ')
	}
	return e.result()
}

// remove takes characters out.
func remove(p part, is func(rune) bool) part {
	return mapRunes(p, func(r rune) rune {
		if is(r) {
			return -1
		}
		return r
	})
}

// lowercase makes small letters, without regard to what is around them.
func lowercase(p part) part {
	if !strings.ContainsRune(p.text, 'İ') {
		return mapRunes(p, unicode.ToLower)
	}
	e := newEditor(p)
	for _, r := range p.text {
		if r == 'İ' { // the one letter that becomes two
			e.put('i', 0)
			e.add('\u0307')
			continue
		}
		e.put(unicode.ToLower(r), 0)
	}
	return e.result()
}

func strip(left, right bool) normalizer {
	return func(p part) part {
		from, to := 0, len(p.text)
		if left {
			from = to - len(strings.TrimLeftFunc(p.text, isSpace))
		}
		if right {
			to = from + len(strings.TrimRightFunc(p.text[from:], isSpace))
		}
		return p.slice(from, to)
	}
}

// prepend puts s in front of a text that is not empty.
func prepend(p part, s string) part {
	if p.text == "" || s == "" {
		return p
	}
	first := p.source(0, 1)
	at := make([]span, len(s), len(s)+len(p.text))
	for i := range at {
		at[i] = first
	}
	return part{text: s + p.text, at: append(at, p.sources()...), base: p.base, start: p.start}
}

// sources returns where each byte comes from.
func (p *part) sources() []span {
	if p.at != nil {
		return p.at
	}
	at := make([]span, 0, len(p.text))
	for i, r := range p.text {
		s := span{int32(p.base + i), int32(p.base + i + utf8.RuneLen(r))}
		for range utf8.RuneLen(r) {
			at = append(at, s)
		}
	}
	return at
}

// replaceAll puts content in the place of what find finds. It comes from the last character that it replaces.
func replaceAll(p part, find finder, content string) part {
	var text strings.Builder
	var at []span
	last := 0
	find(p.text, func(from, to int) bool {
		if at == nil {
			at = make([]span, 0, len(p.text)+16)
			p.at = p.sources()
		}
		text.WriteString(p.text[last:from])
		at = append(at, p.at[last:from]...)
		var s span
		if to > 0 {
			s = p.at[to-1]
		}
		text.WriteString(content)
		for range len(content) {
			at = append(at, s)
		}
		last = to
		return true
	})
	if at == nil {
		return p
	}
	text.WriteString(p.text[last:])
	return part{text: text.String(), at: append(at, p.at[last:]...), base: p.base, start: p.start}
}
