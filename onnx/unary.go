package onnx

import (
	"math"

	"github.com/octet-ml/octet/ops"
)

// unaryOps are functions that are one operator of ONNX.
var unaryOps = map[ops.UnaryFn]string{
	ops.ReLU: "Relu", ops.Neg: "Neg", ops.Abs: "Abs", ops.Sign: "Sign", ops.Floor: "Floor", ops.Ceil: "Ceil", ops.Round: "Round",
	ops.Exp: "Exp", ops.Log: "Log", ops.Sqrt: "Sqrt", ops.Reciprocal: "Reciprocal", ops.Sin: "Sin", ops.Cos: "Cos", ops.Tan: "Tan",
	ops.Asin: "Asin", ops.Acos: "Acos", ops.Atan: "Atan", ops.Sinh: "Sinh", ops.Cosh: "Cosh", ops.Tanh: "Tanh", ops.Asinh: "Asinh",
	ops.Acosh: "Acosh", ops.Atanh: "Atanh", ops.Erf: "Erf", ops.Sigmoid: "Sigmoid", ops.Softsign: "Softsign", ops.HardSwish: "HardSwish",
	ops.IsNaN: "IsNaN", ops.IsInf: "IsInf", ops.LogicalNot: "Not", ops.SELU: "Selu",
}

// parametricOps are functions that are one operator with a parameter.
var parametricOps = map[ops.UnaryFn][2]string{
	ops.ELU: {"Elu", "alpha"}, ops.CELU: {"Celu", "alpha"}, ops.LeakyReLU: {"LeakyRelu", "alpha"}, ops.Hardshrink: {"Shrink", "lambd"},
}

// activations are those that layers end with.
var activations = map[ops.Activation]ops.UnaryFn{
	ops.ActReLU: ops.ReLU, ops.ActReLU6: ops.ReLU6, ops.ActGELU: ops.GELU, ops.ActGELUTanh: ops.GELUTanh, ops.ActSiLU: ops.SiLU, ops.ActTanh: ops.Tanh,
}

// activation writes what a layer ends with.
func (e *exporter) activation(x string, a ops.Activation) (string, error) {
	if a == ops.NoActivation {
		return x, nil
	}
	fn, ok := activations[a]
	if !ok {
		return "", &ops.UnsupportedError{Op: a.String(), Reason: "ONNX: it is not written"}
	}
	return e.unary(ops.Unary{Fn: fn}, x)
}

// one adds a node of one input and returns its name, two one of two. They are not inlined, for the size of programs.
//
//go:noinline
func (e *exporter) one(kind, x string) string { return e.emit(kind, []string{x}) }

//go:noinline
func (e *exporter) two(kind, a, b string) string { return e.emit(kind, []string{a, b}) }

// unary writes a function of one element.
func (e *exporter) unary(op ops.Unary, x string) (string, error) {
	if kind, ok := unaryOps[op.Fn]; ok {
		return e.one(kind, x), nil
	}
	if kind, ok := parametricOps[op.Fn]; ok {
		return e.emit(kind[0], []string{x}, attribute{kind[1], float32(op.Alpha)}), nil
	}
	if op.Fn == ops.LogSigmoid { // -softplus(-x)
		return e.one("Neg", e.one("Softplus", e.one("Neg", x))), nil
	}
	inf := math.Inf(1)
	switch op.Fn {
	case ops.ReLU6:
		return e.clip(x, 0, 6), nil
	case ops.Clamp:
		return e.clip(x, op.Alpha, op.Beta), nil
	case ops.ClampMin:
		return e.clip(x, op.Alpha, inf), nil
	case ops.ClampMax:
		return e.clip(x, -inf, op.Alpha), nil
	case ops.IsFinite:
		return e.one("Not", e.two("Or", e.one("IsNaN", x), e.one("IsInf", x))), nil
	case ops.Trunc:
		return e.two("Mul", e.one("Sign", x), e.one("Floor", e.one("Abs", x))), nil
	case ops.Square:
		return e.two("Mul", x, x), nil
	case ops.Rsqrt:
		return e.one("Reciprocal", e.one("Sqrt", x)), nil
	case ops.SiLU:
		return e.two("Mul", x, e.one("Sigmoid", x)), nil
	case ops.HardSigmoid:
		return e.emit("HardSigmoid", []string{x}, attribute{"alpha", float32(1) / 6}, attribute{"beta", float32(0.5)}), nil
	case ops.Softplus: // ln(1+exp(a x))/a is x itself in float32 where a x > b, which is at least 20
		if op.Alpha == 1 && op.Beta >= 20 {
			return e.one("Softplus", x), nil
		}
	case ops.Mish: // x tanh(softplus(x))
		return e.two("Mul", x, e.one("Tanh", e.one("Softplus", x))), nil
	case ops.Threshold: // a NaN stays
		return e.emit("Where", []string{e.two("LessOrEqual", x, e.scalar(op.Alpha)), e.scalar(op.Beta), x}), nil
	case ops.Softshrink: // what is beyond the ends; a NaN stays, which Shrink makes 0
		return e.two("Sub", x, e.clip(x, -op.Alpha, op.Alpha)), nil
	case ops.Log2, ops.Log10: // ln(x)/ln(base)
		base := math.Ln2
		if op.Fn == ops.Log10 {
			base = math.Ln10
		}
		return e.two("Div", e.one("Log", x), e.scalar(base)), nil
	case ops.Exp2:
		return e.two("Pow", e.scalar(2), x), nil
	case ops.Log1p: // near 0, where 1+x has lost most of x, 2 artanh(x/(x+2))
		near := e.one("Atanh", e.two("Div", x, e.two("Add", x, e.scalar(2))))
		return e.nearZero(x, e.two("Add", near, near), e.one("Log", e.two("Add", x, e.scalar(1)))), nil
	case ops.Expm1: // near 0, where e^x-1 has lost most of x, 2 sinh(x/2) e^(x/2)
		half := e.two("Mul", x, e.scalar(0.5))
		near := e.two("Mul", e.one("Sinh", half), e.one("Exp", half))
		return e.nearZero(x, e.two("Add", near, near), e.two("Sub", e.one("Exp", x), e.scalar(1))), nil
	case ops.Erfc:
		return "", unsupported(op, "it has erf alone, and 1-erf(x) is 0 beyond x = 4: write that, where it does, as 1 - torch.erf(x)")
	case ops.GELU: // x/2 (1 + erf(x/sqrt 2))
		erf := e.one("Erf", e.two("Mul", x, e.scalar(1/math.Sqrt2)))
		return e.two("Mul", e.two("Mul", x, e.scalar(0.5)), e.two("Add", erf, e.scalar(1))), nil
	case ops.GELUTanh: // x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
		cube := e.two("Mul", e.two("Mul", e.two("Mul", x, x), x), e.scalar(0.044715))
		tanh := e.one("Tanh", e.two("Mul", e.two("Add", x, cube), e.scalar(math.Sqrt(2/math.Pi))))
		return e.two("Mul", e.two("Mul", x, e.scalar(0.5)), e.two("Add", tanh, e.scalar(1))), nil
	}
	return "", unsupported(op, "it is not written")
}

// nearZero writes near where |x| < 1/2, and far elsewhere and for a NaN.
func (e *exporter) nearZero(x, near, far string) string {
	return e.emit("Where", []string{e.two("Less", e.one("Abs", x), e.scalar(0.5)), near, far})
}
