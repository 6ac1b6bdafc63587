package script

import (
	"math"
	"strconv"
	"strings"
)

// expr prints an expression where no operator stands beside it.
func (p *printer) expr(x Expr) {
	switch x := x.(type) {
	case *IntLit:
		p.text(strconv.FormatInt(x.Value, 10))
	case *FloatLit:
		p.text(formatFloat(x.Value))
	case *ImaginaryLit:
		p.text(formatFloat(x.Value), "j")
	case *StringLit:
		p.text(quote(x.Value))
	case *BoolLit:
		if x.Value {
			p.text("True")
		} else {
			p.text("False")
		}
	case *NoneLit:
		p.text("None")
	case *Ellipsis:
		p.text("...")
	case *Name:
		p.text(x.Name)
	case *Op:
		if x.Namespace == "aten" {
			p.text("torch.", x.Name)
		} else {
			p.text("ops.", x.Namespace, ".", x.Name)
		}
	case *Constant:
		p.text("CONSTANTS.c", strconv.Itoa(x.Index))
	case *Qualified:
		p.text(x.Name)
	case *Attr:
		p.attr(x)
	case *Call:
		p.call(x)
	case *Index:
		p.atom(x.Value)
		p.text("[")
		p.list(x.Indices)
		p.text("]")
	case *Slice:
		p.slice(x)
	case *Tuple:
		p.text("(")
		p.list(x.Elements)
		if len(x.Elements) == 1 {
			p.text(",")
		}
		p.text(")")
	case *List:
		p.text("[")
		p.list(x.Elements)
		p.text("]")
	case *Dict:
		p.text("{")
		for i := range x.Items {
			if i > 0 {
				p.text(", ")
			}
			p.expr(x.Items[i].Key)
			p.text(": ")
			p.expr(x.Items[i].Value)
		}
		p.text("}")
	case *ListComp:
		p.text("[")
		p.operand(x.Element)
		p.comprehension(x.Target, x.Iter)
		p.text("]")
	case *DictComp:
		p.text("{")
		p.operand(x.Key)
		p.text(": ")
		p.operand(x.Value)
		p.comprehension(x.Target, x.Iter)
		p.text("}")
	case *Unary:
		p.text(x.Op.String())
		if x.Op == Not {
			p.text(" ")
		}
		p.atom(x.X)
	case *Binary:
		p.leftOperand(x.Op, x.X)
		p.text(" ", x.Op.String(), " ")
		p.operand(x.Y)
	case *Cond:
		p.operand(x.Then)
		p.text(" if ")
		p.operand(x.If)
		p.text(" else ")
		p.operand(x.Else)
	case *Starred:
		p.text("*")
		p.operand(x.X)
	default:
		p.special(x)
	}
}

func (p *printer) special(x Expr) {
	switch x := x.(type) {
	case *Annotate:
		p.text("annotate(")
		p.typ(x.Type)
		p.text(", ")
		p.expr(x.Value)
	case *UncheckedCast:
		p.text("unchecked_cast(")
		p.typ(x.Type)
		p.text(", ")
		p.expr(x.Value)
	case *Uninitialized:
		p.text("uninitialized(")
		p.typ(x.Type)
	case *IsInstance:
		p.text("isinstance(")
		p.expr(x.Value)
		p.text(", ")
		if len(x.Types) == 1 {
			p.typ(x.Types[0])
			break
		}
		p.text("(")
		for i, t := range x.Types {
			if i > 0 {
				p.text(", ")
			}
			p.typ(t)
		}
		p.text(")")
	case *NewObject:
		p.text(x.Class, ".__new__(", x.Class)
	default:
		p.fail(x)
		return
	}
	p.text(")")
}

func (p *printer) attr(x *Attr) {
	if isIdentifier(x.Name) {
		p.selected(x.Value)
		p.text(".", x.Name)
		return
	}
	p.text("getattr(")
	p.expr(x.Value)
	p.text(", ", quote(x.Name), ")")
}

func (p *printer) call(c *Call) {
	p.callee(c.Func)
	p.text("(")
	p.list(c.Args)
	for i := range c.Keywords {
		if i > 0 || len(c.Args) > 0 {
			p.text(", ")
		}
		p.text(c.Keywords[i].Name, "=")
		p.expr(c.Keywords[i].Value)
	}
	p.text(")")
}

func (p *printer) slice(s *Slice) {
	if s.Low != nil {
		p.expr(s.Low)
	}
	p.text(":")
	if s.High != nil {
		p.expr(s.High)
	}
	if s.Step != nil {
		p.text(":")
		p.expr(s.Step)
	}
}

func (p *printer) comprehension(target, iter Expr) {
	p.text(" for ")
	p.operand(target)
	p.text(" in ")
	p.operand(iter)
}

func (p *printer) list(xs []Expr) {
	for i, x := range xs {
		if i > 0 {
			p.text(", ")
		}
		p.expr(x)
	}
}

// operand prints an expression beside an operator.
func (p *printer) operand(x Expr) {
	switch x := x.(type) {
	case *Unary, *Binary, *Cond, *Starred:
		p.parenthesized(x)
	case *IntLit, *FloatLit, *ImaginaryLit:
		if isNegative(x) {
			p.parenthesized(x)
		} else {
			p.expr(x)
		}
	default:
		p.expr(x)
	}
}

// atom prints an expression where even a number needs parentheses: after a
// sign, which would become part of it, and before a dot.
func (p *printer) atom(x Expr) {
	switch x.(type) {
	case *IntLit, *FloatLit, *ImaginaryLit:
		p.parenthesized(x)
	default:
		p.operand(x)
	}
}

func isNegative(x Expr) bool {
	switch x := x.(type) {
	case *IntLit:
		return x.Value < 0
	case *FloatLit:
		return math.Signbit(x.Value)
	case *ImaginaryLit:
		return math.Signbit(x.Value)
	}
	return false
}

// leftOperand leaves out the parentheses of a chain that groups from the left.
func (p *printer) leftOperand(op BinaryOp, x Expr) {
	if inner, ok := x.(*Binary); ok && op != Pow && precedence(inner.Op) == precedence(op) {
		p.expr(x)
		return
	}
	p.operand(x)
}

func precedence(op BinaryOp) int {
	switch op {
	case Or, And:
		return precLogic
	case BitOr:
		return precOr
	case BitXor:
		return precXor
	case BitAnd:
		return precAnd
	case ShiftLeft, ShiftRight:
		return precShift
	case Add, Sub:
		return precAdd
	case Mul, Div, FloorDiv, Mod, MatMul:
		return precMul
	case Pow:
		return precPow
	}
	return precCompare
}

// selected prints an expression before a dot, where a reserved name would
// begin another construct.
func (p *printer) selected(x Expr) {
	switch n := x.(type) {
	case *Name:
		switch n.Name {
		case "torch", "ops", "CONSTANTS", "__torch__":
			p.parenthesized(x)
			return
		}
	case *Qualified:
		p.parenthesized(x)
		return
	}
	p.atom(x)
}

// callee prints an expression before its arguments, where the name of a
// special form would begin that form.
func (p *printer) callee(x Expr) {
	switch n := x.(type) {
	case *Name:
		switch n.Name {
		case "annotate", "unchecked_cast", "uninitialized", "isinstance", "getattr":
			p.parenthesized(x)
			return
		}
	case *Qualified:
		if strings.HasSuffix(n.Name, ".__new__") {
			p.parenthesized(x)
			return
		}
	}
	p.atom(x)
}

func (p *printer) parenthesized(x Expr) {
	p.text("(")
	p.expr(x)
	p.text(")")
}
