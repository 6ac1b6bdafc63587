package oip

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// maxDepth is how deep values may be nested that are not tensor data.
const maxDepth = 16

// scanner reads JSON (RFC 8259) from bytes in one pass. It exists for tensor data: encoding/json takes as long to decode the
// pixels of a small picture as a network takes to classify it.
type scanner struct {
	data   []byte
	at     int
	memory *Memory // of the tensors; nil: of their own
}

func (s *scanner) errorf(format string, args ...any) error {
	err := invalid("", format, args...).(*InvalidError)
	return invalid("", "invalid JSON at byte %d: %s", s.at, err.Reason)
}

// next skips blanks and returns the byte behind them, 0 at the end.
func (s *scanner) next() byte {
	for ; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// expect skips blanks and takes the given byte.
func (s *scanner) expect(want byte) error {
	if got := s.next(); got != want || s.at == len(s.data) {
		return s.errorf("%s where %q is needed", s.describe(), want)
	}
	s.at++
	return nil
}

// describe names what stands at the current place.
func (s *scanner) describe() string {
	if s.at >= len(s.data) {
		return "the end"
	}
	r, _ := utf8.DecodeRune(s.data[s.at:])
	return quote(string(r))
}

// end fails unless only blanks are left.
func (s *scanner) end() error {
	if s.next(); s.at < len(s.data) {
		return s.errorf("%s behind the value", s.describe())
	}
	return nil
}

// object reads an object. field reads the value of a key; a key that occurs twice is refused.
func (s *scanner) object(field func(key string) error) error {
	if err := s.expect('{'); err != nil {
		return err
	}
	if s.next() == '}' {
		s.at++
		return nil
	}
	seen := make(map[string]bool, 8)
	for {
		key, err := s.text()
		if err != nil {
			return err
		}
		if seen[key] {
			return s.errorf("key %s occurs twice", quote(key))
		}
		seen[key] = true
		if err := s.expect(':'); err != nil {
			return err
		}
		if err := field(key); err != nil {
			return err
		}
		if s.next() != ',' {
			return s.expect('}')
		}
		s.at++
	}
}

// array reads an array; element reads the element with the given index.
func (s *scanner) array(element func(i int) error) error {
	if err := s.expect('['); err != nil {
		return err
	}
	if s.next() == ']' {
		s.at++
		return nil
	}
	for i := 0; ; i++ {
		if err := element(i); err != nil {
			return err
		}
		if s.next() != ',' {
			return s.expect(']')
		}
		s.at++
	}
}

// text reads a string.
func (s *scanner) text() (string, error) {
	raw, escaped, err := s.rawText()
	if err != nil {
		return "", err
	}
	if !escaped {
		return string(raw[1 : len(raw)-1]), nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", s.errorf("a string with an escape that is not valid")
	}
	return text, nil
}

// rawText takes a string with its quotes and reports whether it has escapes, whose form is not checked.
func (s *scanner) rawText() (raw []byte, escaped bool, err error) {
	if err := s.expect('"'); err != nil {
		return nil, false, err
	}
	first := s.at - 1
	for ; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; {
		case c == '"':
			s.at++
			raw = s.data[first:s.at]
			if !utf8.Valid(raw) {
				return nil, false, s.errorf("a string that is not UTF-8")
			}
			return raw, escaped, nil
		case c == '\\':
			escaped = true
			s.at++
		case c < ' ':
			return nil, false, s.errorf("a control character in a string")
		}
	}
	s.at = len(s.data)
	return nil, false, s.errorf("a string without an end")
}

// number takes a number and reports whether it is written as an integer.
func (s *scanner) number() (raw []byte, integer bool, err error) {
	s.next()
	first, integer := s.at, true
	s.take('-')
	if !s.take('0') && s.digits() == 0 {
		s.at = first
		return nil, false, s.errorf("%s where a number is needed", s.describe())
	}
	if s.take('.') {
		integer = false
		if s.digits() == 0 {
			return nil, false, s.errorf("a number without digits behind its point")
		}
	}
	if s.take('e') || s.take('E') {
		integer = false
		_ = s.take('+') || s.take('-')
		if s.digits() == 0 {
			return nil, false, s.errorf("a number without digits in its exponent")
		}
	}
	return s.data[first:s.at], integer, nil
}

func (s *scanner) take(c byte) bool {
	if s.at < len(s.data) && s.data[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) digits() int {
	first := s.at
	for s.at < len(s.data) && s.data[s.at]-'0' <= 9 {
		s.at++
	}
	return s.at - first
}

// literal takes true, false or null.
func (s *scanner) literal() (string, error) {
	s.next()
	for _, word := range [...]string{"true", "false", "null"} {
		if bytes.HasPrefix(s.data[s.at:], []byte(word)) {
			s.at += len(word)
			return word, nil
		}
	}
	return "", s.errorf("%s where a value is needed", s.describe())
}

// skip takes a value nested at most depth deep and returns its bytes.
func (s *scanner) skip(depth int) ([]byte, error) {
	c := s.next()
	first := s.at
	err := s.skipValue(c, depth)
	return s.data[first:s.at], err
}

func (s *scanner) skipValue(c byte, depth int) (err error) {
	inner := func() error {
		_, err := s.skip(depth - 1)
		return err
	}
	switch {
	case c == '{' || c == '[':
		if depth == 0 {
			return s.errorf("values are nested too deep")
		}
		if c == '{' {
			return s.object(func(string) error { return inner() })
		}
		return s.array(func(int) error { return inner() })
	case c == '"':
		_, err = s.text()
	case c == '-' || c-'0' <= 9:
		_, _, err = s.number()
	default:
		_, err = s.literal()
	}
	return err
}
