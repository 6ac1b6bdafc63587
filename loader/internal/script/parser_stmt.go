package script

// parseBlock reads ":" and the statements under it: indented lines, or one
// statement on the same line.
func (p *parser) parseBlock() []Stmt {
	p.expect(tokColon, `":"`)
	if !p.enter() {
		return nil
	}
	defer p.leave()
	if !p.got(tokNewline) {
		switch p.tok.kind {
		case tokIf, tokWhile, tokFor, tokWith, tokDef:
			p.unexpected("a simple statement on the line of the block")
			return nil
		}
		return []Stmt{p.parseStmt()}
	}
	p.expect(tokIndent, "an indented block")
	var body []Stmt
	for p.err == nil {
		body = append(body, p.parseStmt())
		if p.got(tokDedent) {
			break
		}
	}
	return body
}

// parseStmt reads one statement with the end of its line.
func (p *parser) parseStmt() Stmt {
	start := stmtAt{at{p.tok.pos}}
	switch p.tok.kind {
	case tokIf:
		return p.parseIf()
	case tokWhile:
		p.advance()
		s := &While{stmtAt: start, Cond: p.parseExpr()}
		s.Body = p.parseBlock()
		return s
	case tokFor:
		p.advance()
		s := &For{stmtAt: start, Target: p.parseLoopTarget()}
		p.expect(tokIn, `"in"`)
		s.Iter = p.parseTupleOrExpr()
		s.Body = p.parseBlock()
		return s
	case tokWith:
		return p.parseWith()
	case tokDef:
		return p.parseFunc()
	}
	s := p.parseSimpleStmt(start)
	p.endOfLine()
	return s
}

func (p *parser) parseSimpleStmt(start stmtAt) Stmt {
	switch p.tok.kind {
	case tokReturn:
		p.advance()
		s := &Return{stmtAt: start}
		if p.tok.kind != tokNewline {
			s.Value = p.parseTupleOrExpr()
		}
		return s
	case tokRaise:
		p.advance()
		return &Raise{start, p.parseExpr()}
	case tokAssert:
		p.advance()
		s := &Assert{stmtAt: start, Cond: p.parseExpr()}
		if p.got(tokComma) {
			s.Message = p.parseExpr()
		}
		return s
	case tokDel:
		p.advance()
		s := &Delete{stmtAt: start}
		for p.err == nil {
			s.Targets = append(s.Targets, p.parseExpr())
			if !p.got(tokComma) || p.tok.kind == tokNewline {
				break
			}
		}
		return s
	case tokGlobal:
		p.advance()
		s := &Global{stmtAt: start, Names: []string{p.identifier()}}
		for p.got(tokComma) {
			s.Names = append(s.Names, p.identifier())
		}
		return s
	case tokPass:
		p.advance()
		return &Pass{start}
	case tokBreak:
		p.advance()
		return &Break{start}
	case tokContinue:
		p.advance()
		return &Continue{start}
	}
	return p.parseAssignOrExpr(start)
}

// parseIf reads an if statement from its if or elif.
func (p *parser) parseIf() Stmt {
	s := &If{stmtAt: stmtAt{at{p.tok.pos}}}
	if !p.enter() {
		return s
	}
	defer p.leave()
	p.advance()
	s.Cond = p.parseExpr()
	s.Then = p.parseBlock()
	switch p.tok.kind {
	case tokElif:
		s.Else = []Stmt{p.parseIf()}
	case tokElse:
		p.advance()
		s.Else = p.parseBlock()
	}
	return s
}

func (p *parser) parseWith() Stmt {
	s := &With{stmtAt: stmtAt{at{p.tok.pos}}}
	p.advance()
	for p.err == nil {
		item := WithItem{Value: p.parseExpr()}
		if p.got(tokAs) {
			item.Name = p.identifier()
		}
		s.Items = append(s.Items, item)
		if !p.got(tokComma) || p.tok.kind == tokColon {
			break
		}
	}
	s.Body = p.parseBlock()
	return s
}

// parseAssignOrExpr reads the statements that start with an expression.
func (p *parser) parseAssignOrExpr(start stmtAt) Stmt {
	x := p.parseTupleOrExpr()
	switch p.tok.kind {
	case tokColon:
		p.advance()
		p.checkTarget(x)
		s := &Assign{stmtAt: start, Targets: []Expr{x}, Type: p.parseType()}
		if p.got(tokAssign) {
			s.Value = p.parseTupleOrExpr()
		}
		if p.tok.kind == tokAssign {
			p.fail(p.tok.pos, "an assignment with a type has one target")
		}
		return s
	case tokAssign:
		s := &Assign{stmtAt: start, Value: x}
		for p.got(tokAssign) {
			p.checkTarget(s.Value)
			s.Targets = append(s.Targets, s.Value)
			s.Value = p.parseTupleOrExpr()
		}
		return s
	case tokAugAssign:
		if _, ok := x.(*Tuple); ok {
			p.fail(x.Pos(), "%s= has one target", p.tok.op)
		}
		p.checkTarget(x)
		op := p.tok.op
		p.advance()
		return &AugAssign{start, op, x, p.parseTupleOrExpr()}
	}
	return &ExprStmt{start, x}
}

// checkTarget rejects what cannot stand left of an assignment.
func (p *parser) checkTarget(x Expr) {
	switch x := x.(type) {
	case *Name, *Attr, *Index:
	case *Starred:
		p.checkTarget(x.X)
	case *Tuple:
		for _, e := range x.Elements {
			p.checkTarget(e)
		}
	case *List:
		for _, e := range x.Elements {
			p.checkTarget(e)
		}
	default:
		p.fail(x.Pos(), "this expression cannot be assigned to")
	}
}
