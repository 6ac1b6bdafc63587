package script

import "strconv"

// Pos is a position in a source file. Line and Column count from 1; Column
// counts bytes.
type Pos struct {
	Line, Column int32
}

type kind uint8

const (
	tokEOF kind = iota
	tokNewline
	tokIndent
	tokDedent
	tokName
	tokNumber
	tokString

	tokLParen
	tokRParen
	tokLBracket
	tokRBracket
	tokLBrace
	tokRBrace
	tokComma
	tokColon
	tokDot
	tokEllipsis
	tokArrow
	tokAssign
	tokAugAssign // token.op holds the operator

	// Operators that stand between or before expressions.
	tokPlus
	tokMinus
	tokStar
	tokSlash
	tokDoubleSlash
	tokPercent
	tokAt
	tokDoubleStar
	tokAmpersand
	tokPipe
	tokCaret
	tokTilde
	tokShiftLeft
	tokShiftRight
	tokLess
	tokGreater
	tokLessEqual
	tokGreaterEqual
	tokEqual
	tokNotEqual

	tokAnd
	tokAs
	tokAssert
	tokBreak
	tokClass
	tokContinue
	tokDef
	tokDel
	tokElif
	tokElse
	tokFalse
	tokFor
	tokGlobal
	tokIf
	tokImport
	tokIn
	tokIs
	tokNone
	tokNot
	tokOr
	tokPass
	tokRaise
	tokReturn
	tokTrue
	tokWhile
	tokWith
)

func (k kind) isKeyword() bool { return k >= tokAnd }

// keyword returns the kind of a word: its keyword, or tokName.
func keyword(word string) kind {
	switch word {
	case "and":
		return tokAnd
	case "as":
		return tokAs
	case "assert":
		return tokAssert
	case "break":
		return tokBreak
	case "class":
		return tokClass
	case "continue":
		return tokContinue
	case "def":
		return tokDef
	case "del":
		return tokDel
	case "elif":
		return tokElif
	case "else":
		return tokElse
	case "False":
		return tokFalse
	case "for":
		return tokFor
	case "global":
		return tokGlobal
	case "if":
		return tokIf
	case "import":
		return tokImport
	case "in":
		return tokIn
	case "is":
		return tokIs
	case "None":
		return tokNone
	case "not":
		return tokNot
	case "or":
		return tokOr
	case "pass":
		return tokPass
	case "raise":
		return tokRaise
	case "return":
		return tokReturn
	case "True":
		return tokTrue
	case "while":
		return tokWhile
	case "with":
		return tokWith
	}
	return tokName
}

type token struct {
	kind kind
	op   BinaryOp // of tokAugAssign
	pos  Pos
	text string
}

// describe names a token in an error message.
func (t token) describe() string {
	switch t.kind {
	case tokEOF:
		return "end of file"
	case tokNewline:
		return "end of line"
	case tokIndent:
		return "more indentation"
	case tokDedent:
		return "less indentation"
	}
	text := t.text
	const longest = 40
	if len(text) > longest {
		text = text[:longest] + "..."
	}
	return strconv.Quote(text)
}
