package script

import (
	"bytes"
	"fmt"
	"io"
)

// Print writes a node as source that parses to an equal tree, which holds the parser to what it read: a file, class,
// function, statement, expression or type. Positions are not kept, and the
// output of printing, parsing and printing again is the same text. Because
// operands are put in parentheses, the text may nest deeper than the source
// the node came from.
func Print(w io.Writer, node Node) error {
	p := &printer{}
	switch n := node.(type) {
	case *File:
		p.file(n)
	case *ClassDef:
		p.class(n)
	case *Import:
		p.line("import ", n.Path)
	case Stmt:
		p.stmt(n)
	case Expr:
		p.expr(n)
	case *Type:
		p.typ(n)
	default:
		p.fail(node)
	}
	if p.err != nil {
		return p.err
	}
	_, err := w.Write(p.out.Bytes())
	return err
}

type printer struct {
	out    bytes.Buffer
	indent int
	err    error
}

func (p *printer) fail(n any) {
	if p.err == nil {
		p.err = fmt.Errorf("script: cannot print %T", n)
	}
}

func (p *printer) text(s ...string) {
	for _, t := range s {
		p.out.WriteString(t)
	}
}

// begin starts a line and end ends it.
func (p *printer) begin(s ...string) {
	for range p.indent {
		p.text("  ")
	}
	p.text(s...)
}

func (p *printer) end(s ...string) {
	p.text(s...)
	p.text("\n")
}

func (p *printer) line(s ...string) {
	p.begin(s...)
	p.end()
}

func (p *printer) file(f *File) {
	if f.Version != 0 {
		p.line("op_version_set = ", fmt.Sprint(f.Version))
	}
	for _, i := range f.Imports {
		p.line("import ", i.Path)
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ClassDef:
			p.class(d)
		case *FuncDef:
			p.stmt(d)
		default:
			p.fail(d)
		}
	}
}

func (p *printer) class(c *ClassDef) {
	if c.Base == "" {
		p.line("class ", c.Name, ":")
	} else {
		p.line("class ", c.Name, "(", c.Base, "):")
	}
	p.indent++
	start := p.out.Len()
	p.names("__parameters__", c.Parameters)
	p.names("__buffers__", c.Buffers)
	p.names("__constants__", c.Constants)
	p.names("__forward_pre_hooks__", c.ForwardPreHooks)
	p.names("__forward_hooks__", c.ForwardHooks)
	for _, a := range c.Attributes {
		p.attribute(a)
	}
	for _, m := range c.Methods {
		p.stmt(m)
	}
	if p.out.Len() == start {
		p.line("pass")
	}
	p.indent--
}

func (p *printer) names(field string, names []string) {
	if names == nil {
		return
	}
	p.begin(field, " = [")
	for _, n := range names {
		p.text(quote(n), ", ")
	}
	p.end("]")
}

func (p *printer) attribute(a *Attribute) {
	switch {
	case a.Type == nil:
		p.begin(a.Name)
	case isIdentifier(a.Name) && keyword(a.Name) == tokName:
		p.begin(a.Name, " : ")
		p.typ(a.Type)
	default:
		p.begin("__annotations__[", quote(a.Name), "] = ")
		p.typ(a.Type)
	}
	if a.Value != nil {
		p.text(" = ")
		p.expr(a.Value)
	}
	p.end()
}

func (p *printer) params(params []*Param) {
	keywordOnly := false
	for i, q := range params {
		if i > 0 {
			p.text(", ")
		}
		if q.KeywordOnly && !keywordOnly {
			keywordOnly = true
			p.text("*, ")
		}
		p.text(q.Name)
		if q.Type != nil {
			p.text(": ")
			p.typ(q.Type)
		}
		if q.Default != nil {
			p.text("=")
			p.expr(q.Default)
		}
	}
}

func (p *printer) block(body []Stmt) {
	p.end(":")
	p.indent++
	if len(body) == 0 {
		p.line("pass")
	}
	for _, s := range body {
		p.stmt(s)
	}
	p.indent--
}

func (p *printer) stmt(s Stmt) {
	switch s := s.(type) {
	case *FuncDef:
		p.begin("def ", s.Name, "(")
		p.params(s.Params)
		p.text(")")
		if s.Returns != nil {
			p.text(" -> ")
			p.typ(s.Returns)
		}
		p.block(s.Body)
	case *If:
		p.begin("if ")
		p.ifTail(s)
	case *While:
		p.begin("while ")
		p.expr(s.Cond)
		p.block(s.Body)
	case *For:
		p.begin("for ")
		p.target(s.Target)
		p.text(" in ")
		p.expr(s.Iter)
		p.block(s.Body)
	case *With:
		p.begin("with ")
		for i := range s.Items {
			if i > 0 {
				p.text(", ")
			}
			p.expr(s.Items[i].Value)
			if s.Items[i].Name != "" {
				p.text(" as ", s.Items[i].Name)
			}
		}
		p.block(s.Body)
	default:
		p.begin()
		p.simpleStmt(s)
		p.end()
	}
}

// ifTail prints an if from its condition, and an if alone in the else branch
// as elif.
func (p *printer) ifTail(s *If) {
	p.expr(s.Cond)
	p.block(s.Then)
	if len(s.Else) == 0 {
		return
	}
	if next, ok := s.Else[0].(*If); ok && len(s.Else) == 1 {
		p.begin("elif ")
		p.ifTail(next)
		return
	}
	p.begin("else")
	p.block(s.Else)
}

func (p *printer) simpleStmt(s Stmt) {
	switch s := s.(type) {
	case *Assign:
		for i, t := range s.Targets {
			if i > 0 {
				p.text(" = ")
			}
			p.target(t)
		}
		if s.Type != nil {
			p.text(" : ")
			p.typ(s.Type)
		}
		if s.Value != nil {
			p.text(" = ")
			p.expr(s.Value)
		}
	case *AugAssign:
		p.target(s.Target)
		p.text(" ", s.Op.String(), "= ")
		p.expr(s.Value)
	case *ExprStmt:
		p.expr(s.X)
	case *Return:
		p.text("return")
		if s.Value != nil {
			p.text(" ")
			p.expr(s.Value)
		}
	case *Raise:
		p.text("raise ")
		p.expr(s.Value)
	case *Assert:
		p.text("assert ")
		p.expr(s.Cond)
		if s.Message != nil {
			p.text(", ")
			p.expr(s.Message)
		}
	case *Delete:
		p.text("del ")
		p.list(s.Targets)
	case *Global:
		p.text("global ")
		for i, n := range s.Names {
			if i > 0 {
				p.text(", ")
			}
			p.text(n)
		}
	case *Pass:
		p.text("pass")
	case *Break:
		p.text("break")
	case *Continue:
		p.text("continue")
	default:
		p.fail(s)
	}
}

// target prints the left side of an assignment: a tuple without parentheses,
// with a comma after each element as PyTorch writes an unpacking.
func (p *printer) target(x Expr) {
	t, ok := x.(*Tuple)
	if !ok || len(t.Elements) == 0 {
		p.element(x)
		return
	}
	for i, e := range t.Elements {
		if i > 0 {
			p.text(" ")
		}
		p.element(e)
		p.text(",")
	}
}

// element prints a target, or one of several.
func (p *printer) element(x Expr) {
	if s, ok := x.(*Starred); ok {
		p.expr(s)
		return
	}
	p.operand(x)
}

func (p *printer) typ(t *Type) {
	if t == nil {
		p.fail(t)
		return
	}
	p.text(t.Name)
	if t.Args == nil {
		return
	}
	p.text("[")
	for i, a := range t.Args {
		if i > 0 {
			p.text(", ")
		}
		p.typ(a)
	}
	if len(t.Args) == 0 {
		p.text("()")
	}
	p.text("]")
}
