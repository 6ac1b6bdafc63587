package script

import (
	"strconv"
	"strings"
)

// Parse reads one source file. name is used in errors: the path of the file
// in its archive. The tree refers to a copy of src. Errors are [*Error].
func Parse(name string, src []byte, limits Limits) (*File, error) {
	p := newParser(name, src, limits)
	f := p.parseFile(name)
	if p.err != nil {
		return nil, p.err
	}
	return f, nil
}

// ParseExpr reads a source that is a single expression.
func ParseExpr(name string, src []byte, limits Limits) (Expr, error) {
	p := newParser(name, src, limits)
	x := p.parseTupleOrExpr()
	if p.tok.kind == tokNewline {
		p.advance()
	}
	p.expect(tokEOF, "end of file")
	if p.err != nil {
		return nil, p.err
	}
	return x, nil
}

// ParseType reads a source that is a single type annotation.
func ParseType(name string, src []byte, limits Limits) (*Type, error) {
	p := newParser(name, src, limits)
	t := p.parseType()
	if p.tok.kind == tokNewline {
		p.advance()
	}
	p.expect(tokEOF, "end of file")
	if p.err != nil {
		return nil, p.err
	}
	return t, nil
}

// parser is a recursive descent parser with one token of lookahead. Errors
// are kept by the lexer, which then yields end of file only: every loop here
// ends on it, and a tree built after an error is thrown away.
type parser struct {
	*lexer
	tok    token
	ahead  token
	peeked bool
	depth  int
}

func newParser(name string, src []byte, limits Limits) *parser {
	p := &parser{lexer: newLexer(name, src, limits.withDefaults())}
	p.advance()
	return p
}

func (p *parser) advance() {
	if p.peeked && p.err == nil {
		p.tok, p.peeked = p.ahead, false
		return
	}
	p.tok = p.next()
}

func (p *parser) peek() kind {
	if !p.peeked {
		p.ahead, p.peeked = p.next(), true
	}
	return p.ahead.kind
}

// fail records an error and ends the token stream.
func (p *parser) fail(at Pos, format string, args ...any) {
	p.lexer.fail(at, format, args...)
	p.tok = p.eof()
}

func (p *parser) failBudget(at Pos, format string, args ...any) {
	p.lexer.failBudget(at, format, args...)
	p.tok = p.eof()
}

// unexpected reports the current token.
func (p *parser) unexpected(wanted string) {
	p.fail(p.tok.pos, "expected %s but found %s", wanted, p.tok.describe())
}

func (p *parser) got(k kind) bool {
	if p.tok.kind != k {
		return false
	}
	p.advance()
	return true
}

// expect consumes a token of the kind; what names it in the error.
func (p *parser) expect(k kind, what string) token {
	t := p.tok
	if t.kind != k || p.err != nil {
		p.unexpected(what)
		return t
	}
	if k != tokEOF {
		p.advance()
	}
	return t
}

func (p *parser) identifier() string { return p.expect(tokName, "a name").text }

// member is a name after a dot, where keywords are names too.
func (p *parser) member() string {
	if p.tok.kind.isKeyword() {
		name := p.tok.text
		p.advance()
		return name
	}
	return p.identifier()
}

func (p *parser) endOfLine() { p.expect(tokNewline, "end of line") }

// enter counts a level of recursion. Each call is paired with leave.
func (p *parser) enter() bool {
	p.depth++
	if p.depth > p.limits.MaxDepth {
		p.failBudget(p.tok.pos, "source is nested deeper than %d", p.limits.MaxDepth)
		return false
	}
	return true
}

func (p *parser) leave() { p.depth-- }

func (p *parser) parseFile(name string) *File {
	f := &File{Name: name}
	if p.tok.kind == tokName && p.tok.text == "op_version_set" {
		p.advance()
		p.expect(tokAssign, `"="`)
		t := p.expect(tokNumber, "a version number")
		v, err := strconv.ParseUint(t.text, 10, 31)
		if err != nil {
			p.fail(t.pos, "malformed version number %s", clip(t.text))
		}
		f.Version = int(v)
		p.endOfLine()
	}
	for p.tok.kind != tokEOF {
		switch p.tok.kind {
		case tokImport:
			f.Imports = append(f.Imports, p.parseImport())
		case tokClass:
			f.Decls = append(f.Decls, p.parseClass())
		case tokDef:
			f.Decls = append(f.Decls, p.parseFunc())
		default:
			p.unexpected(`"import", "class" or "def"`)
		}
	}
	return f
}

func (p *parser) parseImport() *Import {
	i := &Import{at: at{p.tok.pos}}
	p.advance()
	i.Path = p.dottedName(p.identifier())
	p.endOfLine()
	return i
}

// dottedName adds .b.c to the name a that has been read.
func (p *parser) dottedName(first string) string {
	if p.tok.kind != tokDot {
		return first
	}
	parts := []string{first}
	for p.got(tokDot) {
		parts = append(parts, p.member())
	}
	return strings.Join(parts, ".")
}

func (p *parser) parseClass() *ClassDef {
	c := &ClassDef{at: at{p.tok.pos}}
	p.advance()
	c.Name = p.identifier()
	if p.got(tokLParen) {
		c.Base = p.dottedName(p.identifier())
		p.expect(tokRParen, `")"`)
	}
	p.expect(tokColon, `":"`)
	p.expect(tokNewline, "end of line")
	p.expect(tokIndent, "an indented class body")
	for !p.got(tokDedent) && p.err == nil {
		switch p.tok.kind {
		case tokDef:
			c.Methods = append(c.Methods, p.parseFunc())
		case tokPass:
			p.advance()
			p.endOfLine()
		case tokName:
			p.parseClassLine(c)
		default:
			p.unexpected("an attribute or a method")
		}
	}
	return c
}

// parseClassLine reads a line of a class body that starts with a name.
func (p *parser) parseClassLine(c *ClassDef) {
	a := &Attribute{at: at{p.tok.pos}}
	a.Name = p.identifier()
	switch p.tok.kind {
	case tokColon:
		p.advance()
		a.Type = p.parseType()
		if p.got(tokAssign) {
			a.Value = p.parseTupleOrExpr()
		}
		c.Attributes = append(c.Attributes, a)
	case tokAssign:
		p.advance()
		if list := c.nameList(a.Name); list != nil {
			*list = p.parseNames()
		} else if a.Name == "__annotations__" {
			p.parseEmptyAnnotations()
		} else {
			a.Value = p.parseTupleOrExpr()
			c.Attributes = append(c.Attributes, a)
		}
	case tokLBracket:
		if a.Name != "__annotations__" {
			p.unexpected(`":" or "="`)
			break
		}
		p.advance()
		a.Name = p.stringValue(p.expect(tokString, "a string"))
		p.expect(tokRBracket, `"]"`)
		p.expect(tokAssign, `"="`)
		a.Type = p.parseType()
		c.Attributes = append(c.Attributes, a)
	default:
		p.unexpected(`":" or "="`)
	}
	p.endOfLine()
}

// nameList is the field a line such as __parameters__ = [...] fills.
func (c *ClassDef) nameList(name string) *[]string {
	switch name {
	case "__parameters__":
		return &c.Parameters
	case "__buffers__":
		return &c.Buffers
	case "__constants__":
		return &c.Constants
	case "__forward_pre_hooks__":
		return &c.ForwardPreHooks
	case "__forward_hooks__":
		return &c.ForwardHooks
	}
	return nil
}

// parseNames reads a list of strings.
func (p *parser) parseNames() []string {
	names := []string{}
	p.expect(tokLBracket, `"["`)
	for p.tok.kind != tokRBracket && p.err == nil {
		names = append(names, p.stringValue(p.expect(tokString, "a string")))
		if !p.got(tokComma) {
			break
		}
	}
	p.expect(tokRBracket, `"]"`)
	return names
}

// parseEmptyAnnotations reads the [] or {} that starts a class's annotations.
func (p *parser) parseEmptyAnnotations() {
	if p.got(tokLBrace) {
		p.expect(tokRBrace, `"}"`)
		return
	}
	p.expect(tokLBracket, `"["`)
	p.expect(tokRBracket, `"]"`)
}

func (p *parser) stringValue(t token) string {
	if p.err != nil {
		return ""
	}
	s, err := unquote(t.text)
	if err != nil {
		p.fail(t.pos, "%v", err)
	}
	return s
}

func (p *parser) parseFunc() *FuncDef {
	f := &FuncDef{stmtAt: stmtAt{at{p.tok.pos}}}
	p.advance()
	f.Name = p.identifier()
	p.expect(tokLParen, `"("`)
	keywordOnly := false
	for p.tok.kind != tokRParen && p.err == nil {
		if !keywordOnly && p.got(tokStar) {
			keywordOnly = true
		} else {
			f.Params = append(f.Params, p.parseParam(keywordOnly))
		}
		if !p.got(tokComma) {
			break
		}
	}
	p.expect(tokRParen, `")" after the parameters`)
	if p.got(tokArrow) {
		f.Returns = p.parseType()
	}
	f.Body = p.parseBlock()
	return f
}

func (p *parser) parseParam(keywordOnly bool) *Param {
	q := &Param{at: at{p.tok.pos}, KeywordOnly: keywordOnly}
	q.Name = p.identifier()
	if p.got(tokColon) {
		q.Type = p.parseType()
	}
	if p.got(tokAssign) {
		q.Default = p.parseExpr()
	}
	return q
}

// parseType reads a type annotation.
func (p *parser) parseType() *Type {
	t := &Type{At: p.tok.pos}
	if !p.enter() {
		return t
	}
	defer p.leave()
	if p.got(tokNone) {
		t.Name = "NoneType"
		return t
	}
	if p.tok.kind != tokName {
		p.unexpected("a type")
		return t
	}
	t.Name = p.dottedName(p.identifier())
	if !p.got(tokLBracket) {
		return t
	}
	t.Args = []*Type{}
	if p.got(tokLParen) {
		p.expect(tokRParen, `")"`)
	} else {
		for p.err == nil {
			t.Args = append(t.Args, p.parseType())
			if !p.got(tokComma) || p.tok.kind == tokRBracket {
				break
			}
		}
	}
	p.expect(tokRBracket, `"]" after the type`)
	return t
}
