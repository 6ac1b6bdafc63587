package script

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// lexer turns source into tokens, with the line structure (end of line, more
// and less indentation) as tokens of their own. After the first error it
// reports that error and yields end of file for ever, so that its callers
// unwind without checking each token.
type lexer struct {
	file   string
	src    string
	limits Limits

	at        int // next byte
	line      int32
	lineStart int // offset of the current line
	tokens    int

	nesting   int  // open brackets; line ends inside them do not count
	lineOpen  bool // the current logical line has tokens
	lineBegin bool // indentation of the next token is to be compared
	indents   []int
	dedents   int // tokDedent still to be delivered

	err *Error
}

func newLexer(file string, src []byte, limits Limits) *lexer {
	l := &lexer{file: file, limits: limits, line: 1, lineBegin: true, indents: []int{0}}
	if len(src) > limits.MaxBytes {
		l.failBudget(Pos{1, 1}, "source has %d bytes, over the limit of %d", len(src), limits.MaxBytes)
		return l
	}
	l.src = string(src)
	return l
}

func (l *lexer) pos() Pos { return Pos{l.line, int32(l.at-l.lineStart) + 1} }

// fail records the first error and drops the rest of the input.
func (l *lexer) fail(at Pos, format string, args ...any) {
	l.failCause(nil, at, format, args...)
}

func (l *lexer) failBudget(at Pos, format string, args ...any) {
	l.failCause(ErrBudget, at, format, args...)
}

func (l *lexer) failCause(cause error, at Pos, format string, args ...any) {
	if l.err != nil {
		return
	}
	l.err = &Error{File: l.file, Line: int(at.Line), Column: int(at.Column),
		Msg: fmt.Sprintf(format, args...), cause: cause}
}

func (l *lexer) eof() token { return token{kind: tokEOF, pos: l.pos()} }

func (l *lexer) next() token {
	if l.err != nil {
		return l.eof()
	}
	l.tokens++
	if l.tokens > l.limits.MaxTokens {
		l.failBudget(l.pos(), "source has more than %d tokens", l.limits.MaxTokens)
		return l.eof()
	}
	if l.dedents > 0 {
		l.dedents--
		return token{kind: tokDedent, pos: l.pos()}
	}
	if newline, ok := l.skipBlank(); ok {
		return newline
	}
	if l.lineBegin {
		l.lineBegin = false
		if t, ok := l.indentation(); ok {
			return t
		}
	}
	if l.at == len(l.src) {
		return l.eof()
	}
	l.lineOpen = true
	t := l.scan()
	if l.err != nil {
		return l.eof()
	}
	return t
}

// skipBlank passes over blanks, comments and line ends. It returns the end
// of line token when it ends a logical line, at a line end or at the end of
// the source.
func (l *lexer) skipBlank() (token, bool) {
	for l.at < len(l.src) {
		switch c := l.src[l.at]; c {
		case ' ', '\t', '\r', '\v', '\f':
			l.at++
		case '#':
			if i := strings.IndexByte(l.src[l.at:], '\n'); i >= 0 {
				l.at += i
			} else {
				l.at = len(l.src)
			}
		case '\\':
			n := 1
			if strings.HasPrefix(l.src[l.at+1:], "\r") {
				n++
			}
			if l.at+n >= len(l.src) || l.src[l.at+n] != '\n' {
				return token{}, false
			}
			l.at += n
			l.newLine()
		case '\n':
			t := token{kind: tokNewline, pos: l.pos()}
			l.newLine()
			if l.nesting > 0 {
				continue
			}
			l.lineBegin = true
			if l.lineOpen {
				l.lineOpen = false
				return t, true
			}
		default:
			return token{}, false
		}
	}
	if l.nesting > 0 {
		l.fail(l.pos(), "end of file inside brackets")
		return l.eof(), true
	}
	l.lineBegin = true
	if l.lineOpen {
		l.lineOpen = false
		return token{kind: tokNewline, pos: l.pos()}, true
	}
	return token{}, false
}

// newLine consumes the line end at l.at.
func (l *lexer) newLine() {
	l.at++
	l.line++
	l.lineStart = l.at
}

// indentation compares the first token's column with the open blocks.
func (l *lexer) indentation() (token, bool) {
	width := l.at - l.lineStart
	if l.at == len(l.src) {
		width = 0
	}
	top := l.indents[len(l.indents)-1]
	if width == top {
		return token{}, false
	}
	if width > top {
		if len(l.indents) > l.limits.MaxDepth {
			l.failBudget(l.pos(), "blocks are nested deeper than %d", l.limits.MaxDepth)
			return l.eof(), true
		}
		l.indents = append(l.indents, width)
		return token{kind: tokIndent, pos: l.pos()}, true
	}
	for width < l.indents[len(l.indents)-1] {
		l.indents = l.indents[:len(l.indents)-1]
		l.dedents++
	}
	if width != l.indents[len(l.indents)-1] {
		l.fail(l.pos(), "indentation matches no enclosing block")
		return l.eof(), true
	}
	l.dedents--
	return token{kind: tokDedent, pos: l.pos()}, true
}

// scan reads the token that starts at l.at, which is not blank.
func (l *lexer) scan() token {
	start, pos := l.at, l.pos()
	c := l.src[start]
	switch {
	case isLetter(c):
		end := start + 1
		for end < len(l.src) && (isLetter(l.src[end]) || isDigit(l.src[end])) {
			end++
		}
		l.at = end
		word := l.src[start:end]
		return token{kind: keyword(word), pos: pos, text: word}
	case isDigit(c) || c == '.' && start+1 < len(l.src) && isDigit(l.src[start+1]):
		return l.scanNumber()
	case c == '"' || c == '\'':
		return l.scanString()
	}
	t := l.scanOperator()
	t.pos = pos
	t.text = l.src[start:l.at]
	return t
}

// scanNumber reads digits, fraction, exponent and the imaginary suffix.
func (l *lexer) scanNumber() token {
	start, pos := l.at, l.pos()
	end := start
	digits := func() bool {
		from := end
		for end < len(l.src) && isDigit(l.src[end]) {
			end++
		}
		return end > from
	}
	digits()
	if end < len(l.src) && l.src[end] == '.' {
		end++
		digits()
	}
	if end < len(l.src) && (l.src[end] == 'e' || l.src[end] == 'E') {
		mantissa := end
		end++
		if end < len(l.src) && (l.src[end] == '+' || l.src[end] == '-') {
			end++
		}
		if !digits() {
			end = mantissa
		}
	}
	if end < len(l.src) && l.src[end] == 'j' {
		end++
	}
	l.at = end
	if end < len(l.src) && isLetter(l.src[end]) {
		l.fail(pos, "number %s is followed by %q", clip(l.src[start:end]), l.src[end])
	}
	return token{kind: tokNumber, pos: pos, text: l.src[start:end]}
}

// scanString reads a literal with its quotes; unquote decodes it.
func (l *lexer) scanString() token {
	start, pos := l.at, l.pos()
	quote := l.src[start : start+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(l.src[start:], triple) {
		quote = triple
	}
	for at := start + len(quote); at < len(l.src); at++ {
		switch c := l.src[at]; {
		case c == quote[0] && strings.HasPrefix(l.src[at:], quote):
			l.at = at + len(quote)
			return token{kind: tokString, pos: pos, text: l.src[start:l.at]}
		case c == '\n' && len(quote) == 1:
			l.fail(pos, "string literal is not closed on its line")
			return l.eof()
		case c == '\\' && at+1 < len(l.src):
			at++
			if l.src[at] == '\n' {
				l.line++
				l.lineStart = at + 1
			}
		case c == '\n':
			l.line++
			l.lineStart = at + 1
		}
	}
	l.fail(pos, "string literal is not closed")
	return l.eof()
}

// operators lists the longer spellings before their prefixes.
var operators = [...]struct {
	text string
	kind kind
	op   BinaryOp
}{
	{"**=", tokAugAssign, Pow}, {"//=", tokAugAssign, FloorDiv},
	{"<<=", tokAugAssign, ShiftLeft}, {">>=", tokAugAssign, ShiftRight},
	{"...", tokEllipsis, 0},
	{"+=", tokAugAssign, Add}, {"-=", tokAugAssign, Sub}, {"*=", tokAugAssign, Mul},
	{"/=", tokAugAssign, Div}, {"%=", tokAugAssign, Mod}, {"@=", tokAugAssign, MatMul},
	{"&=", tokAugAssign, BitAnd}, {"|=", tokAugAssign, BitOr}, {"^=", tokAugAssign, BitXor},
	{"->", tokArrow, 0}, {"**", tokDoubleStar, 0}, {"//", tokDoubleSlash, 0},
	{"<<", tokShiftLeft, 0}, {">>", tokShiftRight, 0}, {"<=", tokLessEqual, 0},
	{">=", tokGreaterEqual, 0}, {"==", tokEqual, 0}, {"!=", tokNotEqual, 0},
	{"+", tokPlus, 0}, {"-", tokMinus, 0}, {"*", tokStar, 0}, {"/", tokSlash, 0},
	{"%", tokPercent, 0}, {"@", tokAt, 0}, {"&", tokAmpersand, 0}, {"|", tokPipe, 0},
	{"^", tokCaret, 0}, {"~", tokTilde, 0}, {"<", tokLess, 0}, {">", tokGreater, 0},
	{"=", tokAssign, 0},
}

func (l *lexer) scanOperator() token {
	// Brackets, commas and dots are most of the operators in serialized code.
	k := tokEOF
	switch l.src[l.at] {
	case '(':
		k = tokLParen
		l.nesting++
	case '[':
		k = tokLBracket
		l.nesting++
	case '{':
		k = tokLBrace
		l.nesting++
	case ')':
		k = tokRParen
		l.nesting--
	case ']':
		k = tokRBracket
		l.nesting--
	case '}':
		k = tokRBrace
		l.nesting--
	case ',':
		k = tokComma
	case ':':
		k = tokColon
	case '.':
		if !strings.HasPrefix(l.src[l.at:], "...") {
			k = tokDot
		}
	}
	if k != tokEOF {
		if l.nesting < 0 {
			l.fail(l.pos(), "%q closes nothing", l.src[l.at])
		}
		l.at++
		return token{kind: k}
	}
	for i := range operators {
		if o := &operators[i]; strings.HasPrefix(l.src[l.at:], o.text) {
			l.at += len(o.text)
			return token{kind: o.kind, op: o.op}
		}
	}
	r, _ := utf8.DecodeRuneInString(l.src[l.at:])
	l.fail(l.pos(), "unexpected character %q", r)
	return l.eof()
}

func isLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isIdentifier reports whether a name can be written after a dot.
func isIdentifier(name string) bool {
	if name == "" || !isLetter(name[0]) {
		return false
	}
	for i := 1; i < len(name); i++ {
		if !isLetter(name[i]) && !isDigit(name[i]) {
			return false
		}
	}
	return true
}
