package script

// Walk calls visit with a node and, as long as that returns true, with the nodes
// inside it, in the order of the source. Types are not visited.
func Walk(n Node, visit func(Node) bool) {
	if n == nil || !visit(n) {
		return
	}
	exprs := func(list ...Expr) {
		for _, x := range list {
			if x != nil {
				Walk(x, visit)
			}
		}
	}
	stmts := func(list []Stmt) {
		for _, s := range list {
			Walk(s, visit)
		}
	}
	switch n := n.(type) {
	case *ClassDef:
		for _, a := range n.Attributes {
			exprs(a.Value)
		}
		for _, m := range n.Methods {
			Walk(m, visit)
		}
	case *FuncDef:
		for _, p := range n.Params {
			exprs(p.Default)
		}
		stmts(n.Body)
	case *Assign:
		exprs(n.Value)
		exprs(n.Targets...)
	case *AugAssign:
		exprs(n.Target, n.Value)
	case *ExprStmt:
		exprs(n.X)
	case *Return:
		exprs(n.Value)
	case *If:
		exprs(n.Cond)
		stmts(n.Then)
		stmts(n.Else)
	case *While:
		exprs(n.Cond)
		stmts(n.Body)
	case *For:
		exprs(n.Iter, n.Target)
		stmts(n.Body)
	case *With:
		for _, i := range n.Items {
			exprs(i.Value)
		}
		stmts(n.Body)
	case *Raise:
		exprs(n.Value)
	case *Assert:
		exprs(n.Cond, n.Message)
	case *Delete:
		exprs(n.Targets...)
	default:
		if x, ok := n.(Expr); ok {
			exprs(children(x)...)
		}
	}
}

// children returns the expressions an expression is made of.
func children(x Expr) []Expr {
	switch x := x.(type) {
	case *Attr:
		return []Expr{x.Value}
	case *Call:
		list := append([]Expr{x.Func}, x.Args...)
		for _, k := range x.Keywords {
			list = append(list, k.Value)
		}
		return list
	case *Index:
		return append([]Expr{x.Value}, x.Indices...)
	case *Slice:
		return []Expr{x.Low, x.High, x.Step}
	case *Tuple:
		return x.Elements
	case *List:
		return x.Elements
	case *Dict:
		var list []Expr
		for _, i := range x.Items {
			list = append(list, i.Key, i.Value)
		}
		return list
	case *ListComp:
		return []Expr{x.Iter, x.Target, x.Element}
	case *DictComp:
		return []Expr{x.Iter, x.Target, x.Key, x.Value}
	case *Unary:
		return []Expr{x.X}
	case *Binary:
		return []Expr{x.X, x.Y}
	case *Cond:
		return []Expr{x.If, x.Then, x.Else}
	case *Starred:
		return []Expr{x.X}
	case *Annotate:
		return []Expr{x.Value}
	case *UncheckedCast:
		return []Expr{x.Value}
	case *IsInstance:
		return []Expr{x.Value}
	}
	return nil
}
