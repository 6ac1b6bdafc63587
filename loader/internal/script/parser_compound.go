package script

func (p *parser) parseCall(f Expr) Expr {
	p.advance()
	c := &Call{base: p.node(f.Pos(), f), Func: f}
	for p.tok.kind != tokRParen && p.err == nil {
		if p.tok.kind == tokName && p.peek() == tokAssign {
			k := Keyword{At: p.tok.pos, Name: p.tok.text}
			p.advance()
			p.advance()
			k.Value = p.parseExpr()
			c.Keywords = append(c.Keywords, k)
			c.base = p.taller(c.base, k.Value)
		} else {
			if len(c.Keywords) > 0 {
				p.fail(p.tok.pos, "positional argument after keyword argument")
			}
			x := p.parseExpr()
			c.Args = append(c.Args, x)
			c.base = p.taller(c.base, x)
		}
		if !p.got(tokComma) {
			break
		}
	}
	p.expect(tokRParen, `")" after the arguments`)
	return c
}

// taller adds a child to a node.
func (p *parser) taller(b base, child Expr) base {
	return base{b.pos, max(b.tall, p.node(b.pos, child).tall)}
}

func (p *parser) parseIndex(value Expr) Expr {
	p.advance()
	x := &Index{base: p.node(value.Pos(), value), Value: value}
	for p.err == nil {
		i := p.parseSlice()
		x.Indices = append(x.Indices, i)
		x.base = p.taller(x.base, i)
		if !p.got(tokComma) || p.tok.kind == tokRBracket {
			break
		}
	}
	p.expect(tokRBracket, `"]" after the index`)
	return x
}

// parseSlice reads an index: an expression, or a slice with up to three parts.
func (p *parser) parseSlice() Expr {
	pos := p.tok.pos
	var part [3]Expr
	colons := 0
	for {
		switch p.tok.kind {
		case tokColon, tokComma, tokRBracket:
		default:
			part[colons] = p.parseExpr()
		}
		if colons == 2 || !p.got(tokColon) {
			break
		}
		colons++
	}
	if colons > 0 {
		return &Slice{p.node(pos, part[:]...), part[0], part[1], part[2]}
	}
	if part[0] == nil {
		p.unexpected("an index")
		return p.missing()
	}
	return part[0]
}

func (p *parser) parseList() Expr {
	pos := p.tok.pos
	p.advance()
	var elements []Expr
	for p.tok.kind != tokRBracket && p.err == nil {
		elements = append(elements, p.parseExpr())
		if p.tok.kind == tokFor && len(elements) == 1 {
			target, iter := p.parseComprehension()
			p.expect(tokRBracket, `"]"`)
			return &ListComp{p.node(pos, elements[0], target, iter), elements[0], target, iter}
		}
		if !p.got(tokComma) {
			break
		}
	}
	p.expect(tokRBracket, `"]" after the list`)
	return &List{p.node(pos, elements...), elements}
}

func (p *parser) parseDict() Expr {
	pos := p.tok.pos
	p.advance()
	d := &Dict{base: base{pos, 1}}
	for p.tok.kind != tokRBrace && p.err == nil {
		key := p.parseExpr()
		p.expect(tokColon, `":"`)
		value := p.parseExpr()
		if p.tok.kind == tokFor && len(d.Items) == 0 {
			target, iter := p.parseComprehension()
			p.expect(tokRBrace, `"}"`)
			return &DictComp{p.node(pos, key, value, target, iter), key, value, target, iter}
		}
		d.Items = append(d.Items, DictItem{key, value})
		d.base = p.taller(p.taller(d.base, key), value)
		if !p.got(tokComma) {
			break
		}
	}
	p.expect(tokRBrace, `"}" after the dict`)
	return d
}

func (p *parser) parseComprehension() (target, iter Expr) {
	p.advance()
	target = p.parseLoopTarget()
	p.expect(tokIn, `"in"`)
	return target, p.parseExpr()
}
