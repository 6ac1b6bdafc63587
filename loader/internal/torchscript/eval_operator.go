package torchscript

import (
	"errors"

	"github.com/octet-ml/octet/loader/internal/aten"
	"github.com/octet-ml/octet/loader/internal/script"
)

// The operators of the language itself, which archives hardly hold: PyTorch
// writes them as calls.
var operatorsOf = map[script.BinaryOp]string{
	script.Add: "aten::add", script.Sub: "aten::sub", script.Mul: "aten::mul", script.Div: "aten::div", script.FloorDiv: "aten::floordiv",
	script.Mod: "aten::remainder", script.Pow: "aten::pow", script.MatMul: "aten::matmul", script.Less: "aten::lt", script.LessEqual: "aten::le",
	script.Greater: "aten::gt", script.GreaterEqual: "aten::ge", script.Equal: "aten::eq", script.NotEqual: "aten::ne",
	script.BitAnd: "aten::__and__", script.BitOr: "aten::__or__", script.BitXor: "aten::__xor__",
	script.ShiftLeft: "aten::__lshift__", script.ShiftRight: "aten::__rshift__", script.Is: "aten::__is__", script.IsNot: "aten::__isnot__",
}

// binary computes an operator of two values.
func (m *machine) binary(op script.BinaryOp, x, y aten.Value) (aten.Value, error) {
	if aten.IsUnknown(x) || aten.IsUnknown(y) {
		return aten.Unknown{}, nil
	}
	switch op {
	case script.In:
		return m.Dispatch("aten::__contains__", []aten.Value{y, x}, nil)
	case script.NotIn:
		v, err := m.Dispatch("aten::__contains__", []aten.Value{y, x}, nil)
		if err != nil {
			return nil, err
		}
		return m.Dispatch("aten::__not__", []aten.Value{v}, nil)
	}
	name := operatorsOf[op]
	if name == "" {
		return nil, errors.New("this operator cannot be evaluated")
	}
	return m.Dispatch(name, []aten.Value{x, y}, nil)
}

// binaryExpr evaluates an operator of two expressions, of which and and or may leave
// the second.
func (m *machine) binaryExpr(f *frame, x *script.Binary) (aten.Value, error) {
	a, err := m.eval(f, x.X)
	if err != nil {
		return nil, err
	}
	if x.Op == script.And || x.Op == script.Or {
		if aten.IsUnknown(a) {
			return a, nil
		}
		yes, err := aten.Truth(m.Builder, a)
		if err != nil {
			return nil, err
		}
		if yes == (x.Op == script.Or) {
			return a, nil
		}
		return m.eval(f, x.Y)
	}
	b, err := m.eval(f, x.Y)
	if err != nil {
		return nil, err
	}
	return m.binary(x.Op, a, b)
}

// unaryExpr evaluates an operator of one expression.
func (m *machine) unaryExpr(f *frame, x *script.Unary) (aten.Value, error) {
	v, err := m.eval(f, x.X)
	if err != nil || aten.IsUnknown(v) {
		return v, err
	}
	return m.Dispatch(map[script.UnaryOp]string{script.Neg: "aten::neg", script.Not: "aten::__not__", script.BitNot: "aten::bitwise_not"}[x.Op], []aten.Value{v}, nil)
}
