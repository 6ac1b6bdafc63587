package text

import (
	"sort"
	"sync"
	"unicode"
)

// charSet is a set of characters: where it begins and ends, in turn.
type charSet func() []rune

// newCharSet reads lengths of what is outside and inside of a set, as varints. It does so when the set is first asked for.
func newCharSet(lengths string) charSet {
	return sync.OnceValue(func() []rune {
		var bounds []rune
		at, n, shift := rune(0), rune(0), 0
		for i := range len(lengths) {
			n |= rune(lengths[i]&127) << shift
			if shift += 7; lengths[i] < 128 {
				at += n
				bounds, n, shift = append(bounds, at), 0, 0
			}
		}
		return bounds
	})
}

func (s charSet) has(r rune) bool {
	bounds := s()
	return sort.Search(len(bounds), func(i int) bool { return bounds[i] > r })%2 == 1
}

func isSpace(r rune) bool { return unicode.IsSpace(r) }

// isPunctuation is char_is_punctuation of tokenizers: all signs of ASCII are.
func isPunctuation(r rune) bool {
	if r < 128 {
		return r > ' ' && r < 127 && !isWordASCII(r) || r == '_'
	}
	return punctuation.has(r)
}

func isWordASCII(r rune) bool {
	return '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' || r == '_'
}

// isWord reports whether \w of regular expressions has r.
func isWord(r rune) bool {
	if r < 128 {
		return isWordASCII(r)
	}
	return wordParts.has(r)
}

func isLetter(r rune) bool {
	if r < 128 {
		return isWordASCII(r) && r > '9' && r != '_'
	}
	return letters.has(r)
}

func isNumber(r rune) bool {
	if r < 128 {
		return '0' <= r && r <= '9'
	}
	return numbers.has(r)
}

func isNumeral(r rune) bool {
	if r < 128 {
		return '0' <= r && r <= '9'
	}
	return numerals.has(r)
}
