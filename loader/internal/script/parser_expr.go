package script

import (
	"math"
	"strconv"
	"strings"
)

// Binding strengths of operators, in PyTorch's order. An operator takes
// operands that bind tighter than itself.
const (
	precLowest  = 0
	precLogic   = 2 // and, or
	precNot     = 3 // not, ~
	precCompare = 4 // in, is, <, ==, ...: also the border of loop targets
	precOr      = 5
	precXor     = 6
	precAnd     = 7
	precShift   = 8
	precAdd     = 9
	precMul     = 10 // also unary -, *
	precPow     = 11
)

// binary returns the operator that a token is between operands.
func binary(k kind) (op BinaryOp, prec int) {
	switch k {
	case tokOr:
		return Or, precLogic
	case tokAnd:
		return And, precLogic
	case tokIn:
		return In, precCompare
	case tokIs:
		return Is, precCompare
	case tokLess:
		return Less, precCompare
	case tokLessEqual:
		return LessEqual, precCompare
	case tokGreater:
		return Greater, precCompare
	case tokGreaterEqual:
		return GreaterEqual, precCompare
	case tokEqual:
		return Equal, precCompare
	case tokNotEqual:
		return NotEqual, precCompare
	case tokPipe:
		return BitOr, precOr
	case tokCaret:
		return BitXor, precXor
	case tokAmpersand:
		return BitAnd, precAnd
	case tokShiftLeft:
		return ShiftLeft, precShift
	case tokShiftRight:
		return ShiftRight, precShift
	case tokPlus:
		return Add, precAdd
	case tokMinus:
		return Sub, precAdd
	case tokStar:
		return Mul, precMul
	case tokSlash:
		return Div, precMul
	case tokDoubleSlash:
		return FloorDiv, precMul
	case tokPercent:
		return Mod, precMul
	case tokAt:
		return MatMul, precMul
	case tokDoubleStar:
		return Pow, precPow
	}
	return 0, 0
}

// node starts an expression over children, of which some may be nil, and
// bounds the height of the tree.
func (p *parser) node(pos Pos, children ...Expr) base {
	tallest := 0
	for _, c := range children {
		if c != nil {
			tallest = max(tallest, c.height())
		}
	}
	if tallest >= p.limits.MaxDepth {
		p.failBudget(pos, "expression is nested deeper than %d", p.limits.MaxDepth)
	}
	return base{pos, int32(tallest + 1)}
}

// missing stands for an expression that an error left out.
func (p *parser) missing() Expr { return &NoneLit{base{p.tok.pos, 1}} }

// parseTupleOrExpr reads an expression, or several with commas as a tuple.
func (p *parser) parseTupleOrExpr() Expr {
	x := p.parseExpr()
	if p.tok.kind != tokComma {
		return x
	}
	elements := []Expr{x}
	for p.got(tokComma) {
		if p.endsTuple() {
			break
		}
		elements = append(elements, p.parseExpr())
	}
	return &Tuple{p.node(x.Pos(), elements...), elements}
}

// endsTuple reports whether a comma was the last of its tuple.
func (p *parser) endsTuple() bool {
	switch p.tok.kind {
	case tokNewline, tokAssign, tokAugAssign, tokRParen, tokColon, tokEOF:
		return true
	}
	return false
}

func (p *parser) parseExpr() Expr { return p.parseBinary(precLowest) }

// parseLoopTarget reads the names between for and in.
func (p *parser) parseLoopTarget() Expr {
	x := p.parseBinary(precCompare)
	if p.tok.kind == tokComma {
		elements := []Expr{x}
		for p.got(tokComma) && p.tok.kind != tokIn {
			elements = append(elements, p.parseBinary(precCompare))
		}
		x = &Tuple{p.node(x.Pos(), elements...), elements}
	}
	p.checkTarget(x)
	return x
}

// parseBinary reads the longest expression whose operators bind tighter than
// prec.
func (p *parser) parseBinary(prec int) Expr {
	if !p.enter() {
		return p.missing()
	}
	defer p.leave()
	x := p.parseUnary()
	for p.err == nil {
		if p.tok.kind == tokIf && prec < 1 {
			x = p.parseCond(x)
			continue
		}
		op, opPrec := binary(p.tok.kind)
		if p.tok.kind == tokNot && p.peek() == tokIn {
			op, opPrec = NotIn, precCompare
		}
		if opPrec <= prec {
			break
		}
		if op == NotIn {
			p.advance()
		}
		p.advance()
		if op == Is && p.got(tokNot) {
			op = IsNot
		}
		if op == Pow { // groups from the right
			opPrec--
		}
		y := p.parseBinary(opPrec)
		x = &Binary{p.node(x.Pos(), x, y), op, x, y}
	}
	return x
}

// parseCond reads "if c else y" after x.
func (p *parser) parseCond(x Expr) Expr {
	p.advance()
	c := p.parseExpr()
	p.expect(tokElse, `"else" of a conditional expression`)
	y := p.parseExpr()
	return &Cond{p.node(x.Pos(), c, x, y), c, x, y}
}

func (p *parser) parseUnary() Expr {
	pos := p.tok.pos
	switch p.tok.kind {
	case tokNot:
		p.advance()
		x := p.parseBinary(precNot)
		return &Unary{p.node(pos, x), Not, x}
	case tokTilde:
		p.advance()
		x := p.parseBinary(precNot)
		return &Unary{p.node(pos, x), BitNot, x}
	case tokStar:
		p.advance()
		x := p.parseBinary(precMul)
		return &Starred{p.node(pos, x), x}
	case tokMinus:
		p.advance()
		if t := p.tok; isNumber(t) {
			switch p.peek() {
			case tokDot, tokLParen, tokLBracket, tokDoubleStar: // bind tighter than the sign
			default:
				p.advance()
				return p.numberNode(pos, t, true)
			}
		}
		x := p.parseBinary(precMul)
		return &Unary{p.node(pos, x), Neg, x}
	}
	return p.parsePostfix(p.parsePrimary())
}

// isNumber reports whether a token is a number literal.
func isNumber(t token) bool {
	if t.kind == tokNumber {
		return true
	}
	if t.kind == tokName {
		switch t.text {
		case "inf", "nan", "infj", "nanj":
			return true
		}
	}
	return false
}

func (p *parser) numberNode(pos Pos, t token, negative bool) Expr {
	b := base{pos, 1}
	if t.kind == tokName {
		v := math.Inf(1)
		if strings.HasPrefix(t.text, "nan") {
			v = math.NaN()
		}
		if negative {
			v = -v
		}
		if strings.HasSuffix(t.text, "j") {
			return &ImaginaryLit{b, v}
		}
		return &FloatLit{b, v}
	}
	x, err := number(b, t.text, negative)
	if err != nil {
		p.fail(t.pos, "%v", err)
		return p.missing()
	}
	return x
}

// parsePostfix reads members, calls and subscripts after x.
func (p *parser) parsePostfix(x Expr) Expr {
	for p.err == nil {
		switch p.tok.kind {
		case tokDot:
			p.advance()
			x = &Attr{p.node(x.Pos(), x), x, p.member()}
		case tokLParen:
			x = p.parseCall(x)
		case tokLBracket:
			x = p.parseIndex(x)
		default:
			return x
		}
	}
	return x
}

func (p *parser) parsePrimary() Expr {
	t := p.tok
	switch t.kind {
	case tokName:
		p.advance()
		return p.parseName(t)
	case tokNumber:
		p.advance()
		return p.numberNode(t.pos, t, false)
	case tokString:
		return p.parseStrings()
	case tokTrue, tokFalse:
		p.advance()
		return &BoolLit{base{t.pos, 1}, t.kind == tokTrue}
	case tokNone:
		p.advance()
		return &NoneLit{base{t.pos, 1}}
	case tokEllipsis:
		p.advance()
		return &Ellipsis{base{t.pos, 1}}
	case tokLParen:
		p.advance()
		if p.got(tokRParen) {
			return &Tuple{base: base{t.pos, 1}}
		}
		x := p.parseTupleOrExpr()
		p.expect(tokRParen, `")"`)
		return x
	case tokLBracket:
		return p.parseList()
	case tokLBrace:
		return p.parseDict()
	}
	p.unexpected("an expression")
	return p.missing()
}

func (p *parser) parseStrings() Expr {
	pos := p.tok.pos
	s := p.stringValue(p.expect(tokString, "a string"))
	if p.tok.kind == tokString {
		var all strings.Builder
		all.WriteString(s)
		for p.tok.kind == tokString {
			all.WriteString(p.stringValue(p.expect(tokString, "a string")))
		}
		s = all.String()
	}
	return &StringLit{base{pos, 1}, s}
}

// parseName reads what a name begins: the reserved names and special forms
// have nodes of their own.
func (p *parser) parseName(t token) Expr {
	b := base{t.pos, 1}
	if isNumber(t) {
		return p.numberNode(t.pos, t, false)
	}
	switch t.text {
	case "Ellipsis":
		return &Ellipsis{b}
	case "torch":
		if p.got(tokDot) {
			return &Op{b, "aten", p.member()}
		}
	case "ops":
		if p.got(tokDot) {
			namespace := p.member()
			if p.got(tokDot) {
				return &Op{b, namespace, p.member()}
			}
			return &Attr{base{t.pos, 2}, &Name{b, t.text}, namespace}
		}
	case "CONSTANTS":
		if p.got(tokDot) {
			return p.parseConstant(b)
		}
	case "__torch__":
		if p.tok.kind == tokDot {
			return p.parseQualified(b)
		}
	case "annotate", "unchecked_cast", "uninitialized", "isinstance", "getattr":
		if p.tok.kind == tokLParen {
			return p.parseSpecial(t)
		}
	}
	return &Name{b, t.text}
}

func (p *parser) parseConstant(b base) Expr {
	pos := p.tok.pos
	name := p.member()
	index, err := strconv.ParseUint(strings.TrimPrefix(name, "c"), 10, 31)
	if err != nil || name[0] != 'c' {
		p.fail(pos, "%s names no constant: expected CONSTANTS.cN", clip(name))
		return p.missing()
	}
	return &Constant{b, int(index)}
}

func (p *parser) parseQualified(b base) Expr {
	name := p.dottedName("__torch__")
	class, isNew := strings.CutSuffix(name, ".__new__")
	if !isNew || p.tok.kind != tokLParen {
		return &Qualified{b, name}
	}
	p.advance()
	argument := p.tok.pos
	if p.dottedName(p.identifier()) != class {
		p.fail(argument, "__new__ of %s is called for another class", clip(class))
	}
	p.got(tokComma)
	p.expect(tokRParen, `")"`)
	return &NewObject{b, class}
}

// parseSpecial reads the arguments of a special form.
func (p *parser) parseSpecial(name token) Expr {
	p.advance()
	var x Expr
	switch name.text {
	case "annotate", "unchecked_cast":
		t := p.parseType()
		p.expect(tokComma, `","`)
		v := p.parseExpr()
		if name.text == "annotate" {
			x = &Annotate{p.node(name.pos, v), t, v}
		} else {
			x = &UncheckedCast{p.node(name.pos, v), t, v}
		}
	case "uninitialized":
		x = &Uninitialized{base{name.pos, 1}, p.parseType()}
	case "isinstance":
		v := p.parseExpr()
		p.expect(tokComma, `","`)
		x = &IsInstance{p.node(name.pos, v), v, p.parseTypeTuple()}
	case "getattr":
		v := p.parseExpr()
		p.expect(tokComma, `","`)
		attribute := p.stringValue(p.expect(tokString, "a string"))
		x = &Attr{p.node(name.pos, v), v, attribute}
	}
	p.got(tokComma)
	p.expect(tokRParen, `")"`)
	return x
}

// parseTypeTuple reads one type or several in parentheses.
func (p *parser) parseTypeTuple() []*Type {
	if !p.got(tokLParen) {
		return []*Type{p.parseType()}
	}
	var types []*Type
	for p.err == nil {
		types = append(types, p.parseType())
		if !p.got(tokComma) || p.tok.kind == tokRParen {
			break
		}
	}
	p.expect(tokRParen, `")"`)
	return types
}
