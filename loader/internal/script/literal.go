package script

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// unquote decodes a string literal with its quotes. The escapes are those
// PyTorch reads (\\ \' \" \a \b \f \n \v \t, an escaped line end, and three octal
// digits) and \r and \xHH besides; a literal is bytes, not necessarily UTF-8.
func unquote(literal string) (string, error) {
	quotes := 1
	if len(literal) >= 6 && strings.HasPrefix(literal, strings.Repeat(literal[:1], 3)) {
		quotes = 3
	}
	body := literal[quotes : len(literal)-quotes]
	if strings.IndexByte(body, '\\') < 0 {
		return body, nil
	}
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' {
			out = append(out, body[i])
			continue
		}
		i++
		if i == len(body) {
			return "", fmt.Errorf("string literal ends in a backslash")
		}
		switch c := body[i]; c {
		case '\\', '\'', '"', '\n':
			out = append(out, c)
		case 'a':
			out = append(out, '\a')
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'v':
			out = append(out, '\v')
		case 'x':
			v, ok := digits(body[i+1:], 2, 16)
			if !ok {
				return "", fmt.Errorf("a hexadecimal escape has two digits")
			}
			out = append(out, v)
			i += 2
		case '0', '1', '2', '3', '4', '5', '6', '7':
			v, ok := digits(body[i:], 3, 8)
			if !ok {
				return "", fmt.Errorf("an octal escape has three digits and is below 400")
			}
			out = append(out, v)
			i += 2
		default:
			return "", fmt.Errorf("a backslash before %q is no escape", c)
		}
	}
	return string(out), nil
}

// digits reads exactly n digits of the base as a byte.
func digits(s string, n, base int) (byte, bool) {
	if len(s) < n {
		return 0, false
	}
	v := 0
	for i := 0; i < n; i++ {
		var d int
		switch c := s[i]; {
		case isDigit(c):
			d = int(c - '0')
		case 'a' <= c && c <= 'f':
			d = int(c-'a') + 10
		case 'A' <= c && c <= 'F':
			d = int(c-'A') + 10
		default:
			return 0, false
		}
		if d >= base {
			return 0, false
		}
		v = v*base + d
	}
	return byte(v), v < 256
}

// quote writes a string as a literal that unquote and PyTorch both read.
func quote(s string) string {
	out := make([]byte, 0, len(s)+2)
	out = append(out, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\\', '"':
			out = append(out, '\\', c)
		case '\n':
			out = append(out, `\n`...)
		case '\t':
			out = append(out, `\t`...)
		default:
			if c < ' ' || c > '~' {
				out = append(out, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
				continue
			}
			out = append(out, c)
		}
	}
	return string(append(out, '"'))
}

// number makes the literal node of a number token, negated when a minus sign
// stands directly before it: the smallest int64 has no other spelling.
func number(b base, text string, negative bool) (Expr, error) {
	if negative {
		text = "-" + text
	}
	imaginary := strings.HasSuffix(text, "j")
	text = strings.TrimSuffix(text, "j")
	if !imaginary && !strings.ContainsAny(text, ".eE") {
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("integer %s does not fit in 64 bits", clip(text))
		}
		return &IntLit{b, v}, nil
	}
	// A literal beyond the range of float64 means infinity, as in Python.
	v, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(v, 0) {
		return nil, fmt.Errorf("malformed number %s", clip(text))
	}
	if imaginary {
		return &ImaginaryLit{b, v}, nil
	}
	return &FloatLit{b, v}, nil
}

// formatFloat writes a float so that it reads back as a float, bit for bit
// except for the payload of a NaN.
func formatFloat(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	}
	s := strconv.FormatFloat(v, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += "."
	}
	return s
}

func clip(s string) string {
	const longest = 40
	if len(s) > longest {
		return s[:longest] + "..."
	}
	return s
}
