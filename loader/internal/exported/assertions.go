package exported

import "slices"

// assertions makes conditions on shapes that a program of PyTorch 2.7 or earlier has as
// nodes, _assert_scalar of a symbolic bool, ones on the inputs: all symbols in them are extents.
func (c *Contract) assertions(g *Graph) {
	c.guards = slices.Clip(c.guards) // the program's
	seen := make(map[*Expr]bool)
	for i := range g.Nodes {
		cond := g.Nodes[i].assertion(g)
		if cond == nil || seen[cond] || !c.extentsOnly(cond) {
			continue
		}
		seen[cond] = true
		c.guards = append(c.guards, Guard{cond.String(), cond})
	}
}

// extentsOnly reports whether all symbols of an expression are extents or values of inputs.
func (c *Contract) extentsOnly(e *Expr) bool {
	ok := true
	e.Symbols(func(name string) { ok = ok && c.given[name] })
	return ok
}

// symbols returns those that are or stand in extents of inputs, or are values of inputs.
func (c *Contract) symbols() map[string]bool {
	out := make(map[string]bool)
	for _, in := range c.Inputs {
		if in.Meta == nil {
			if in.Expr != nil {
				out[in.Expr.Symbol] = true
			}
			continue
		}
		for _, e := range in.Meta.Sizes {
			if e.Expr != nil {
				e.Expr.Symbols(func(name string) { out[name] = true })
			}
		}
	}
	return out
}

// assertion returns the expression that a node asserts, nil of another node.
func (n *Node) assertion(g *Graph) *Expr {
	if operatorName(n.Target) != "aten::_assert_scalar" || len(n.Inputs) == 0 {
		return nil
	}
	if name, ok := n.Inputs[0].Arg.(Symbol); ok {
		return g.Symbols[string(name)]
	}
	return nil
}
