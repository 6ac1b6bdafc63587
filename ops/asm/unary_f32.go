package asm

import (
	"math"
	"unsafe"
)

// UnaryOp is an elementwise function of one float32, with up to two parameters p and q.
type UnaryOp uint8

// The functions. Where a bound in ulp (units in the last place of the result) is given, it
// is the measured error of the assembly tiers against the exact result; a result below
// 2^-118 may be off by 2^-142 instead. The plain Go kernels round a float64
// result. NaN gives NaN.
const (
	UnaryClamp       UnaryOp = iota // min(max(x, p), q); 0 and +Inf is ReLU, 0 and 6 ReLU6
	UnaryLeakyReLU                  // x > 0 ? x : p*x
	UnaryHardSwish                  // x * min(max(x+3, 0), 6) / 6
	UnaryHardSigmoid                // min(max(x+3, 0), 6) / 6
	UnaryExp                        // e^x; 1 ulp
	UnaryLog                        // natural logarithm; -Inf for 0, NaN below; 1 ulp
	UnarySigmoid                    // 1 / (1 + e^-x); 1.5 ulp
	UnarySiLU                       // x / (1 + e^-x); 1.75 ulp
	UnaryTanh                       // tanh(x); 1.5 ulp
	UnaryErf                        // erf(x); 1.5 ulp
	UnaryGELU                       // x * P(X <= x) of the standard normal distribution: torch.nn.GELU(); 2.5 ulp; NaN at -Inf, as PyTorch has it
	UnaryGELUTanh                   // x / (1 + e^(-2u)), u = sqrt(2/pi)*(x + 0.044715*x^3): torch.nn.GELU("tanh"); 2.5 ulp
	UnarySoftplus                   // log(1 + e^x); 1.75 ulp
	numUnary
)

var unaryNames = [numUnary]string{
	"clamp_f32", "leaky_relu_f32", "hardswish_f32", "hardsigmoid_f32", "exp_f32", "log_f32", "sigmoid_f32", "silu_f32",
	"tanh_f32", "erf_f32", "gelu_f32", "gelu_tanh_f32", "softplus_f32",
}

// String returns the name in the kernel table.
func (o UnaryOp) String() string { return unaryNames[o] }

// UnaryF32 is a kernel of one such function.
type UnaryF32 struct {
	Info
	run func(dst, src *float32, n int, p, q float32)
}

// Run computes dst[i] = f(src[i]) for every i of dst; src is at least as long. dst may be src.
func (k *UnaryF32) Run(dst, src []float32, p, q float32) {
	k.run(unsafe.SliceData(dst), unsafe.SliceData(src), len(dst), p, q)
}

// UnaryF32For returns the kernel of a function for a CPU of the given tier.
func UnaryF32For(op UnaryOp, tier Tier) *UnaryF32 { return pick(unaryF32Tables[op], tier) }

var unaryF32Tables = [numUnary][]UnaryF32{
	UnaryClamp:       unaryGeneric(UnaryClamp, clampF32),
	UnaryLeakyReLU:   unaryGeneric(UnaryLeakyReLU, leakyReLUF32),
	UnaryHardSwish:   unaryGeneric(UnaryHardSwish, func(x, _, _ float32) float32 { return float32(x*clampF32(x+3, 0, 6)) / 6 }),
	UnaryHardSigmoid: unaryGeneric(UnaryHardSigmoid, func(x, _, _ float32) float32 { return clampF32(x+3, 0, 6) / 6 }),
	UnaryExp:         unaryGeneric64(UnaryExp, math.Exp),
	UnaryLog:         unaryGeneric64(UnaryLog, math.Log),
	UnarySigmoid:     unaryGeneric64(UnarySigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }),
	UnarySiLU:        unaryGeneric64(UnarySiLU, func(x float64) float64 { return x / (1 + math.Exp(-x)) }),
	UnaryTanh:        unaryGeneric64(UnaryTanh, math.Tanh),
	UnaryErf:         unaryGeneric64(UnaryErf, math.Erf),
	UnaryGELU:        unaryGeneric64(UnaryGELU, func(x float64) float64 { return x * math.Erfc(-x/math.Sqrt2) / 2 }),
	UnaryGELUTanh:    unaryGeneric64(UnaryGELUTanh, geluTanh64),
	UnarySoftplus:    unaryGeneric64(UnarySoftplus, func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }),
}

func leakyReLUF32(x, p, _ float32) float32 {
	if x > 0 {
		return x
	}
	return p * x
}

func geluTanh64(x float64) float64 {
	return x / (1 + math.Exp(-2*math.Sqrt(2/math.Pi)*(x+float64(0.044715*x*x*x))))
}

func unaryGeneric64(op UnaryOp, f func(float64) float64) []UnaryF32 {
	return unaryGeneric(op, func(x, _, _ float32) float32 { return float32(f(float64(x))) })
}

func unaryGeneric(op UnaryOp, f func(x, p, q float32) float32) []UnaryF32 {
	run := func(dst, src *float32, n int, p, q float32) {
		d := unsafe.Slice(dst, n)
		for i, x := range unsafe.Slice(src, n) {
			d[i] = f(x, p, q)
		}
	}
	return []UnaryF32{{Info: Info{Op: op.String(), Tier: Generic}, run: run}}
}
