package cli

import (
	"bytes"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// plainWriter writes text for people, in which names and messages of files stand: what would steer a terminal, or turn
// text around, is written as an escape sequence of Go, and lines are bounded.
type plainWriter struct {
	w      io.Writer
	column int  // bytes of the line so far
	width  int  // of the terminal in characters; 0: none
	color  bool // whether paint colors
}

// Width is what tables are fitted to; 0 is no bound.
func (p *plainWriter) Width() int { return p.width }

// paint writes text in a color of the terminal, where it takes colors.
func (p *plainWriter) paint(color, text string) {
	if p.color {
		_, _ = io.WriteString(p.w, "\x1b["+color+"m") // what cannot be written fails again below
	}
	fmt.Fprint(p, text)
	if p.color {
		_, _ = io.WriteString(p.w, "\x1b[0m")
	}
}

// maxLine is more than any line has that is to be read.
const maxLine = 16 << 10

func (p *plainWriter) Write(text []byte) (int, error) {
	out := make([]byte, 0, len(text)+16)
	for rest := text; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		before := len(out)
		switch {
		case r == '\n':
			out, p.column = append(out, '\n'), 0
			rest = rest[n:]
			continue
		case p.column > maxLine:
			if i := bytes.IndexByte(rest, '\n'); i >= 0 {
				n = i
			} else {
				n = len(rest)
			}
		case r == utf8.RuneError && n == 1:
			out = fmt.Appendf(out, `\x%02x`, rest[0])
		case r == '\t', unicode.IsGraphic(r):
			out = append(out, rest[:n]...)
		case r < 0x80:
			out = fmt.Appendf(out, `\x%02x`, r)
		case r < 0x10000:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = fmt.Appendf(out, `\U%08x`, r)
		}
		rest = rest[n:]
		was := p.column
		if p.column += len(out) - before; was <= maxLine && p.column > maxLine {
			out = append(out, "..."...)
		}
	}
	if _, err := p.w.Write(out); err != nil {
		return 0, err
	}
	return len(text), nil
}
