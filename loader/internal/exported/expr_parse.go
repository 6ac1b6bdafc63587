package exported

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// The limits of an expression, far above what PyTorch prints.
const (
	maxExprBytes  = 1 << 16
	maxExprTokens = 1 << 13
	maxExprDepth  = 100
)

type tokenKind uint8

const (
	signToken tokenKind = iota
	nameToken
	numberToken
	stringToken
)

type exprToken struct {
	kind tokenKind
	text string // of a string, what it says
}

// exprParser reads an expression of tokens.
type exprParser struct {
	tokens []exprToken
	at     int
	depth  int
	guard  bool // inputs may be named, symbols not
}

// exprOperators are the signs, the longer ones first.
var exprOperators = []string{"**", "//", "==", "!=", "<=", ">=", "<<", ">>", "+", "-", "*", "/", "%", "<", ">", "(", ")", "[", "]", ",", ".", "="}

func (p *exprParser) scan(text string) error {
	if len(text) > maxExprBytes {
		return fmt.Errorf("%d bytes, at most %d are read", len(text), maxExprBytes)
	}
	for i := 0; i < len(text); {
		c := text[i]
		if c == ' ' {
			i++
			continue
		}
		if len(p.tokens) >= maxExprTokens {
			return fmt.Errorf("more than %d parts", maxExprTokens)
		}
		t, n, err := scanToken(text[i:])
		if err != nil {
			return err
		}
		p.tokens = append(p.tokens, t)
		i += n
	}
	return nil
}

func scanToken(s string) (t exprToken, n int, err error) {
	c := s[0]
	run := func(ok func(c byte) bool) int {
		i := 0
		for i < len(s) && ok(s[i]) {
			i++
		}
		return i
	}
	switch {
	case c >= '0' && c <= '9':
		n = run(func(c byte) bool { return c >= '0' && c <= '9' })
		if n < len(s) && (s[n] == '.' || s[n] == 'e') {
			n = floatEnd(s, n)
		}
		return exprToken{numberToken, s[:n]}, n, nil
	case c == '_' || c < 0x80 && unicode.IsLetter(rune(c)):
		n = run(func(c byte) bool {
			return c == '_' || c >= '0' && c <= '9' || c < 0x80 && unicode.IsLetter(rune(c))
		})
		return exprToken{nameToken, s[:n]}, n, nil
	case c == '\'' || c == '"':
		end := strings.IndexByte(s[1:], c)
		if end < 0 || strings.Contains(s[1:1+end], `\`) {
			return t, 0, fmt.Errorf("a string that does not end, or with an escape")
		}
		return exprToken{stringToken, s[1 : 1+end]}, end + 2, nil
	}
	for _, sign := range exprOperators {
		if strings.HasPrefix(s, sign) {
			return exprToken{signToken, sign}, len(sign), nil
		}
	}
	return t, 0, fmt.Errorf("%q in it", []rune(s)[0])
}

// floatEnd returns where a number with a fraction or an exponent ends, of which n digits are read.
func floatEnd(s string, n int) int {
	digits := func() {
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
	}
	if s[n] == '.' {
		n++
		digits()
	}
	if n+1 < len(s) && s[n] == 'e' {
		n++
		if s[n] == '-' || s[n] == '+' {
			n++
		}
		digits()
	}
	return n
}

// is reports whether the next token is a sign or word, and passes it.
func (p *exprParser) is(kind tokenKind, text string) bool {
	if p.at < len(p.tokens) && p.tokens[p.at] == (exprToken{kind, text}) {
		p.at++
		return true
	}
	return false
}

func (p *exprParser) sign(text string) bool { return p.is(signToken, text) }

func (p *exprParser) want(text string) error {
	if p.sign(text) {
		return nil
	}
	if p.at < len(p.tokens) {
		return fmt.Errorf("%q where %q should be", p.tokens[p.at].text, text)
	}
	return fmt.Errorf("it ends where %q should be", text)
}

// chain reads operands joined by a word.
func (p *exprParser) chain(word string, op exprOp, operand func() (*Expr, error)) (*Expr, error) {
	e, err := operand()
	if err != nil || !p.is(nameToken, word) {
		return e, err
	}
	all := &Expr{Op: op, Args: []*Expr{e}}
	for {
		if e, err = operand(); err != nil {
			return nil, err
		}
		all.Args = append(all.Args, e)
		if !p.is(nameToken, word) {
			return all, nil
		}
	}
}

func (p *exprParser) or() (*Expr, error) {
	if p.depth++; p.depth > maxExprDepth {
		return nil, fmt.Errorf("nested more than %d deep", maxExprDepth)
	}
	defer func() { p.depth-- }()
	return p.chain("or", opOr, func() (*Expr, error) { return p.chain("and", opAnd, p.not) })
}

func (p *exprParser) not() (*Expr, error) {
	nots := 0
	for p.is(nameToken, "not") {
		nots++
	}
	e, err := p.comparison()
	if err == nil && nots%2 == 1 {
		e = &Expr{Op: opNot, Args: []*Expr{e}}
	}
	return e, err
}

var exprComparisons = map[string]exprOp{"==": opEq, "!=": opNe, "<": opLt, "<=": opLe, ">": opGt, ">=": opGe}

// comparison reads a comparison; several in a row must all hold.
func (p *exprParser) comparison() (*Expr, error) {
	left, err := p.sum()
	if err != nil {
		return nil, err
	}
	var all []*Expr
	for p.at < len(p.tokens) && p.tokens[p.at].kind == signToken {
		op, ok := exprComparisons[p.tokens[p.at].text]
		if !ok {
			break
		}
		p.at++
		right, err := p.sum()
		if err != nil {
			return nil, err
		}
		all = append(all, &Expr{Op: op, Args: []*Expr{left, right}})
		left = right
	}
	switch len(all) {
	case 0:
		return left, nil
	case 1:
		return all[0], nil
	}
	return &Expr{Op: opAnd, Args: all}, nil
}

// infix reads operands joined by signs of one rank, from left to right.
func (p *exprParser) infix(signs map[string]exprOp, operand func() (*Expr, error)) (*Expr, error) {
	e, err := operand()
	for err == nil && p.at < len(p.tokens) && p.tokens[p.at].kind == signToken {
		op, ok := signs[p.tokens[p.at].text]
		if !ok {
			break
		}
		p.at++
		var right *Expr
		if right, err = operand(); err == nil {
			if e.Op == op && (op == opAdd || op == opMul) {
				e.Args = append(e.Args, right)
			} else {
				e = &Expr{Op: op, Args: []*Expr{e, right}}
			}
		}
	}
	return e, err
}

var (
	exprSums     = map[string]exprOp{"+": opAdd, "-": opSub}
	exprProducts = map[string]exprOp{"*": opMul, "/": opTrueDiv, "//": opFloorDiv, "%": opMod}
	exprShifts   = map[string]exprOp{"<<": opShiftLeft, ">>": opShiftRight}
)

func (p *exprParser) sum() (*Expr, error) {
	return p.infix(exprShifts, func() (*Expr, error) {
		return p.infix(exprSums, func() (*Expr, error) { return p.infix(exprProducts, p.unary) })
	})
}

func (p *exprParser) unary() (*Expr, error) {
	negative := false
	for {
		switch {
		case p.sign("-"):
			negative = !negative
			continue
		case p.sign("+"):
			continue
		}
		break
	}
	e, err := p.power()
	if err != nil || !negative {
		return e, err
	}
	if e.Op == opConst {
		switch c := e.Const.(type) {
		case int64:
			return &Expr{Op: opConst, Const: -c}, nil
		case float64:
			return &Expr{Op: opConst, Const: -c}, nil
		}
	}
	return &Expr{Op: opNeg, Args: []*Expr{e}}, nil
}

func (p *exprParser) power() (*Expr, error) {
	e, err := p.postfix()
	if err != nil || !p.sign("**") {
		return e, err
	}
	if p.depth++; p.depth > maxExprDepth {
		return nil, fmt.Errorf("nested more than %d deep", maxExprDepth)
	}
	defer func() { p.depth-- }()
	right, err := p.unary()
	if err != nil {
		return nil, err
	}
	return &Expr{Op: opPow, Args: []*Expr{e, right}}, nil
}

// postfix reads a number, a call, an input or an expression in brackets.
func (p *exprParser) postfix() (*Expr, error) {
	if p.at >= len(p.tokens) {
		return nil, fmt.Errorf("it ends where a number should be")
	}
	t := p.tokens[p.at]
	p.at++
	switch {
	case t.kind == numberToken:
		return parseConst(t.text)
	case t == exprToken{signToken, "("}:
		e, err := p.or()
		if err != nil {
			return nil, err
		}
		return e, p.want(")")
	case t.kind == nameToken && t.text == "L" && p.guard:
		return p.input()
	case t.kind == nameToken:
		return p.name(t.text)
	}
	return nil, fmt.Errorf("%q where a number should be", t.text)
}

func parseConst(text string) (*Expr, error) {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return &Expr{Op: opConst, Const: i}, nil
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !strings.ContainsAny(text, ".e") {
		return nil, fmt.Errorf("the number %s", text)
	}
	return &Expr{Op: opConst, Const: x}, nil
}

// name reads a constant or a call of a function.
func (p *exprParser) name(name string) (*Expr, error) {
	for p.sign(".") {
		if p.at >= len(p.tokens) || p.tokens[p.at].kind != nameToken {
			return nil, fmt.Errorf("%s has a dot and no name behind it", name)
		}
		name += "." + p.tokens[p.at].text
		p.at++
	}
	if !p.sign("(") {
		if c, ok := exprNames[name]; ok {
			return &Expr{Op: opConst, Const: c}, nil
		}
		return nil, fmt.Errorf("%s is no constant that is known", name)
	}
	switch name {
	case "Symbol", "Integer", "Float", "Rational":
		return p.atom(name)
	}
	f, ok := functions[name]
	if !ok {
		return nil, fmt.Errorf("the function %s is not known", name)
	}
	args, err := p.arguments()
	if err != nil {
		return nil, err
	}
	if len(args) < f.min || len(args) > f.min && !f.many {
		return nil, fmt.Errorf("%s with %d arguments", name, len(args))
	}
	if f.op == opSame || len(args) == 1 && f.many {
		return args[0], nil
	}
	return &Expr{Op: f.op, Args: args}, nil
}

func (p *exprParser) arguments() ([]*Expr, error) {
	var args []*Expr
	for !p.sign(")") {
		if len(args) > 0 {
			if err := p.want(","); err != nil {
				return nil, err
			}
		}
		e, err := p.or()
		if err != nil {
			return nil, err
		}
		args = append(args, e)
	}
	return args, nil
}

// atom reads the rest of one of SymPy's leaves: Symbol('s0', positive=True, integer=True), Integer(-1).
func (p *exprParser) atom(kind string) (*Expr, error) {
	var parts []exprToken
	for !p.sign(")") {
		if p.at >= len(p.tokens) {
			return nil, fmt.Errorf("it ends inside %s", kind)
		}
		t := p.tokens[p.at]
		p.at++
		switch {
		case t.kind == signToken && !slices.Contains([]string{",", "=", "-", "+"}, t.text):
			return nil, fmt.Errorf("%q inside %s", t.text, kind)
		default:
			parts = append(parts, t)
		}
	}
	text := ""
	for len(parts) > 0 && parts[0].kind == signToken && parts[0].text == "-" && text == "" {
		text, parts = "-", parts[1:]
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("%s without an argument", kind)
	}
	text += parts[0].text
	rest := parts[1:]
	switch {
	case kind == "Symbol" && parts[0].kind == stringToken && parts[0].text != "" && !p.guard:
		return &Expr{Op: opSymbol, Symbol: text}, nil
	case kind == "Integer" && parts[0].kind == numberToken && len(rest) == 0:
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("the integer %s", text)
		}
		return &Expr{Op: opConst, Const: i}, nil
	case kind == "Float" && (parts[0].kind == stringToken || parts[0].kind == numberToken):
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("the number %s", text)
		}
		return &Expr{Op: opConst, Const: x}, nil
	case kind == "Rational" && len(rest) == 2 && rest[1].kind == numberToken:
		a, err1 := strconv.ParseInt(text, 10, 64)
		b, err2 := strconv.ParseInt(rest[1].text, 10, 64)
		if err1 != nil || err2 != nil || b == 0 {
			return nil, fmt.Errorf("the fraction %s/%s", text, rest[1].text)
		}
		return &Expr{Op: opTrueDiv, Args: []*Expr{{Op: opConst, Const: a}, {Op: opConst, Const: b}}}, nil
	}
	return nil, fmt.Errorf("%s of %q", kind, text)
}

// input reads the rest of an input of a guard: ['x'].size()[0].
func (p *exprParser) input() (*Expr, error) {
	place := &Place{Text: "L"}
	for p.sign("[") {
		key, err := p.key()
		if err != nil {
			return nil, err
		}
		place.Path = append(place.Path, key)
		if s, ok := key.(string); ok {
			place.Text += "['" + s + "']"
		} else {
			place.Text += fmt.Sprintf("[%v]", key)
		}
	}
	if len(place.Path) == 0 {
		return nil, fmt.Errorf("an input without a name")
	}
	if !p.sign(".") {
		return &Expr{Op: opInput, Place: place}, nil
	}
	if p.at >= len(p.tokens) || p.tokens[p.at].kind != nameToken {
		return nil, fmt.Errorf("%s has a dot and no name behind it", place.Text)
	}
	attribute := p.tokens[p.at].text
	p.at++
	op, ok := map[string]exprOp{"size": opSize, "stride": opStride, "storage_offset": opOffset}[attribute]
	if !ok {
		return nil, fmt.Errorf("%s.%s is not known", place.Text, attribute)
	}
	if err := p.want("("); err != nil {
		return nil, err
	}
	if err := p.want(")"); err != nil {
		return nil, err
	}
	if op == opOffset {
		return &Expr{Op: op, Place: place}, nil
	}
	if err := p.want("["); err != nil {
		return nil, err
	}
	axis, err := p.key()
	if _, ok := axis.(int64); err != nil || !ok {
		return nil, fmt.Errorf("%s.%s()[%v]", place.Text, attribute, axis)
	}
	return &Expr{Op: op, Place: place, Args: []*Expr{{Op: opConst, Const: axis}}}, nil
}

// key reads a key and the bracket behind it.
func (p *exprParser) key() (any, error) {
	negative := p.sign("-")
	if p.at >= len(p.tokens) {
		return nil, fmt.Errorf("it ends inside brackets")
	}
	t := p.tokens[p.at]
	p.at++
	var key any = t.text
	switch {
	case t.kind == numberToken:
		i, err := strconv.ParseInt(t.text, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("the index %s", t.text)
		}
		if negative {
			i = -i
		}
		key = i
	case t.kind != stringToken || negative:
		return nil, fmt.Errorf("%q inside brackets", t.text)
	}
	return key, p.want("]")
}
