package text

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// charsMap is the table of a SentencePiece model: a double array (Darts) of texts, and what each becomes.
type charsMap struct {
	units []uint32
	text  string // zero-terminated
}

func newCharsMap(encoded string) (normalizer, error) {
	b, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(b) < 4 {
		return nil, errors.New("precompiled_charsmap is no base64 of a table")
	}
	size := int(binary.LittleEndian.Uint32(b))
	if b = b[4:]; size < 4 || size%4 != 0 || size > len(b) {
		return nil, errors.New("precompiled_charsmap is cut short")
	}
	m := &charsMap{units: make([]uint32, size/4), text: string(b[size:])}
	for i := range m.units {
		m.units[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return m.normalize, nil
}

// shortest returns the value of the shortest text in the table that s begins with.
func (m *charsMap) shortest(s string) (value int, ok bool) {
	offset := func(unit uint32) int { return int(unit>>10<<((unit&(1<<9))>>6)) & (1<<31 - 1) }
	at := offset(m.units[0])
	for i := range len(s) {
		if s[i] == 0 {
			return 0, false
		}
		if at ^= int(s[i]); at >= len(m.units) || m.units[at]&(1<<31|0xff) != uint32(s[i]) {
			return 0, false
		}
		unit := m.units[at]
		if at ^= offset(unit); unit>>8&1 == 1 {
			if at >= len(m.units) {
				return 0, false
			}
			return int(m.units[at] & (1<<31 - 1)), true
		}
	}
	return 0, false
}

// look returns what a text becomes.
func (m *charsMap) look(s string) (string, bool) {
	at, ok := m.shortest(s)
	if !ok || at >= len(m.text) {
		return "", false
	}
	to, _, _ := strings.Cut(m.text[at:], "\x00")
	return to, utf8.ValidString(to)
}

// longestCluster is the number of bytes below which characters that are seen as one are looked up together.
const longestCluster = 6

func (m *charsMap) normalize(p part) part {
	e := newEditor(p)
	for rest := p.text; rest != ""; {
		n := cluster(rest)
		if n < longestCluster {
			if to, ok := m.look(rest[:n]); ok {
				e.replace(utf8.RuneCountInString(rest[:n]), to)
				rest = rest[n:]
				continue
			}
		}
		for _, r := range rest[:n] {
			if to, ok := m.look(string(r)); ok {
				e.replace(1, to)
			} else {
				e.put(r, 0)
			}
		}
		rest = rest[n:]
	}
	return e.result()
}

// cluster returns the bytes of the characters that s begins with and that are seen as one (Unicode, UAX 29). It tells only
// those apart that can be shorter than longestCluster.
func cluster(s string) int {
	r, n := utf8.DecodeRuneInString(s)
	if r == '\r' && len(s) > 1 && s[1] == '\n' {
		return 2
	}
	for n < len(s) && isPrefix(r) {
		next, size := utf8.DecodeRuneInString(s[n:])
		if isBreak(next) {
			return n
		}
		r, n = next, n+size
	}
	if isBreak(r) {
		return n
	}
	for n < len(s) {
		next, size := utf8.DecodeRuneInString(s[n:])
		if !isJoined(next) {
			break
		}
		n += size
	}
	return n
}

// isJoined reports whether r goes with what is before it: Extend, SpacingMark and ZWJ.
func isJoined(r rune) bool {
	return r >= 0x300 && (unicode.Is(unicode.M, r) && !unicode.Is(lonely, r) || r == 0x200c || r == 0x200d || r == 0xe33 || r == 0xeb3 ||
		r == 0xff9e || r == 0xff9f || r >= 0x1f3fb && r <= 0x1f3ff || r >= 0xe0020 && r <= 0xe007f)
}

// lonely are the spacing marks that go with nothing.
var lonely = &unicode.RangeTable{R16: []unicode.Range16{
	{0x102b, 0x102c, 1}, {0x1038, 0x1038, 1}, {0x1062, 0x1064, 1}, {0x1067, 0x106d, 1}, {0x1083, 0x1083, 1}, {0x1087, 0x108c, 1},
	{0x108f, 0x108f, 1}, {0x109a, 0x109c, 1}, {0x1a61, 0x1a61, 1}, {0x1a63, 0x1a64, 1}, {0xaa7b, 0xaa7b, 1}, {0xaa7d, 0xaa7d, 1},
}, R32: []unicode.Range32{{0x11720, 0x11721, 1}}}

// isPrefix reports whether r goes with what is behind it: Prepend.
func isPrefix(r rune) bool {
	return unicode.Is(unicode.Prepended_Concatenation_Mark, r) || r == 0xd4e || r == 0x111c2 || r == 0x111c3
}

// isBreak reports whether r goes with nothing: Control.
func isBreak(r rune) bool {
	return r < ' ' || unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) || unicode.Is(unicode.Cf, r) && !isPrefix(r) && !isJoined(r)
}
