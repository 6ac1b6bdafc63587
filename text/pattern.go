package text

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// finder calls yield with each place of a text that a pattern matches, until that returns false. Places are not empty, and do not overlap.
type finder func(s string, yield func(from, to int) bool)

// pattern is a literal text or a regular expression.
type pattern struct {
	String *string
	Regex  *string
}

func (p *pattern) finder() (finder, error) {
	switch {
	case p == nil || p.String == nil && p.Regex == nil:
		return nil, &UnsupportedError{"pattern", "neither String nor Regex"}
	case p.String != nil:
		return findString(*p.String), nil
	case *p.Regex == gpt2Pattern:
		return findWords, nil
	}
	translated, ok := translate(*p.Regex)
	re, err := regexp.Compile(translated)
	if !ok || err != nil {
		return nil, &UnsupportedError{"regular expression", *p.Regex}
	}
	return func(s string, yield func(from, to int) bool) {
		at := 0
		for at <= len(s) {
			m := re.FindStringIndex(s[at:])
			if m == nil {
				return
			}
			if m[0] == m[1] {
				_, n := utf8.DecodeRuneInString(s[at+m[1]:])
				at += m[1] + max(n, 1)
				continue
			}
			if !yield(at+m[0], at+m[1]) {
				return
			}
			at += m[1]
		}
	}, nil
}

func findString(what string) finder {
	return func(s string, yield func(from, to int) bool) {
		for at := 0; what != ""; {
			i := strings.Index(s[at:], what)
			if i < 0 || !yield(at+i, at+i+len(what)) {
				return
			}
			at += i + len(what)
		}
	}
}

// findRunes finds single characters.
func findRunes(is func(rune) bool) finder {
	return func(s string, yield func(from, to int) bool) {
		for i, r := range s {
			if is(r) && !yield(i, i+utf8.RuneLen(r)) {
				return
			}
		}
	}
}

// The classes of Oniguruma, which are Unicode's, in the syntax of package regexp.
const (
	spaces   = `\t-\r\x{85}\p{Z}`
	digits   = `\p{Nd}`
	wordList = `\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}`
)

// translate returns a regular expression of Oniguruma in the syntax of package regexp, false where that cannot say the same.
func translate(re string) (string, bool) {
	var out strings.Builder
	class := false
	for i := 0; i < len(re); i++ {
		c := re[i]
		switch {
		case c == '[' && class, c == '&' && class && strings.HasPrefix(re[i:], "&&"), c == '(' && strings.HasPrefix(re[i:], "(?") && !plainGroup(re[i:]):
			return "", false
		case c == '[' || c == ']':
			class = c == '['
		case c == '+' && i > 0 && strings.ContainsRune("+*?}", rune(re[i-1])) && !class && (i < 2 || re[i-2] != '\\'):
			return "", false // possessive
		case c == '\\' && i+1 < len(re):
			i++
			set, negated := escapes[re[i]], ""
			switch {
			case strings.IndexByte("bBGZAzKRX", re[i]) >= 0 || '1' <= re[i] && re[i] <= '9':
				return "", false
			case set == "":
				out.WriteString(re[i-1 : i+1])
			case class && re[i] < 'a':
				return "", false
			case class:
				out.WriteString(set)
			default:
				if re[i] < 'a' {
					negated = "^"
				}
				out.WriteString("[" + negated + set + "]")
			}
			continue
		}
		out.WriteByte(c)
	}
	return out.String(), true
}

var escapes = map[byte]string{'s': spaces, 'S': spaces, 'd': digits, 'D': digits, 'w': wordList, 'W': wordList}

// plainGroup reports whether a group in parentheses only groups.
func plainGroup(re string) bool { return strings.HasPrefix(re, "(?:") || strings.HasPrefix(re, "(?i:") }

// gpt2Pattern is the regular expression that ByteLevel splits by.
const gpt2Pattern = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

// findWords finds what gpt2Pattern does, which is every character of a text.
func findWords(s string, yield func(from, to int) bool) {
	for at := 0; at < len(s); {
		n := wordLength(s[at:])
		if !yield(at, at+n) {
			return
		}
		at += n
	}
}

// wordLength returns the bytes of the match of gpt2Pattern that s begins with.
func wordLength(s string) int {
	for _, c := range [...]string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"} {
		if strings.HasPrefix(s, c) {
			return len(c)
		}
	}
	rest, space := strings.CutPrefix(s, " ")
	before := len(s) - len(rest)
	if r, _ := utf8.DecodeRuneInString(rest); rest != "" && !isSpace(r) {
		kind := kindOf(r)
		for i, r := range rest {
			if isSpace(r) || kindOf(r) != kind {
				return before + i
			}
		}
		return len(s)
	} else if rest == "" && space {
		return 1
	}
	// White space: all but the last where a word follows, which a space goes to.
	last := 0
	for i, r := range s {
		if !isSpace(r) {
			if last > 0 {
				return last
			}
			return i
		}
		last = i
	}
	return len(s)
}

// kindOf tells letters, numbers and others apart.
func kindOf(r rune) int {
	switch {
	case isLetter(r):
		return 1
	case isNumber(r):
		return 2
	}
	return 0
}
