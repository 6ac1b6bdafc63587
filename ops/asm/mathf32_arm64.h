// Vector functions of float32, on pairs of vectors.

#include "mathcoef_f32.h"

// The constants are a table of vectors, which R9 points to: a name is the place of one.
#define mathOne 0
#define mathTwo 1
#define mathThree 2
#define mathSix 3
#define mathTen 4
#define mathSixteen 5
#define mathHalf 6
#define mathMinusHalf 7
#define mathInf 8
#define mathMinusInf 9
#define mathNaN 10
#define mathSign 11
#define expHi 12
#define expLo 13
#define expLog2e 14
#define expLn2Hi 15
#define expLn2Lo 16
#define exp0 17
#define exp1 18
#define exp2 19
#define exp3 20
#define exp4 21
#define tanhSplit 22
#define tanh0 23
#define tanh1 24
#define tanh2 25
#define tanh3 26
#define tanh4 27
#define erf0 28
#define erf1 29
#define erf2 30
#define erf3 31
#define erf4 32
#define erf5 33
#define erf6 34
#define erfSqrt2 35
#define tailSlope 36
#define tailLow 37
#define tailInverse 38
#define tail0 39
#define tail1 40
#define tail2 41
#define tail3 42
#define tail4 43
#define tail5 44
#define tail6 45
#define tail7 46
#define tail8 47
#define tail9 48
#define tail10 49
#define halfInverse 50
#define softInverse 51
#define log0 52
#define log1 53
#define log2 54
#define log3 55
#define log4 56
#define logMin 57
#define logScale 58
#define logShift 59
#define logSqrtHalf 60
#define gelu1Hi 61
#define gelu1Lo 62
#define gelu3Hi 63
#define gelu3Lo 64

#define CONST(at, v) \
	DATA mathf32<>+(16*at)(SB)/4, v   \
	DATA mathf32<>+(16*at+4)(SB)/4, v \
	DATA mathf32<>+(16*at+8)(SB)/4, v \
	DATA mathf32<>+(16*at+12)(SB)/4, v

CONST(mathOne, $0x3f800000)
CONST(mathTwo, $0x40000000)
CONST(mathThree, $0x40400000)
CONST(mathSix, $0x40c00000)
CONST(mathTen, $0x41200000)
CONST(mathSixteen, $0x41800000)
CONST(mathHalf, $0x3f000000)
CONST(mathMinusHalf, $0xbf000000)
CONST(mathInf, $0x7f800000)
CONST(mathMinusInf, $0xff800000)
CONST(mathNaN, $0x7fc00000)
CONST(mathSign, $0x80000000)
CONST(expHi, EXP_HI)
CONST(expLo, EXP_LO)
CONST(expLog2e, EXP_LOG2E)
CONST(expLn2Hi, EXP_LN2_HI)
CONST(expLn2Lo, EXP_LN2_LO)
CONST(exp0, EXP0)
CONST(exp1, EXP1)
CONST(exp2, EXP2)
CONST(exp3, EXP3)
CONST(exp4, EXP4)
CONST(tanhSplit, TANH_SPLIT)
CONST(tanh0, TANH0)
CONST(tanh1, TANH1)
CONST(tanh2, TANH2)
CONST(tanh3, TANH3)
CONST(tanh4, TANH4)
CONST(erf0, ERF0)
CONST(erf1, ERF1)
CONST(erf2, ERF2)
CONST(erf3, ERF3)
CONST(erf4, ERF4)
CONST(erf5, ERF5)
CONST(erf6, ERF6)
CONST(erfSqrt2, ERF_SQRT2)
CONST(tailSlope, TAIL_SLOPE)
CONST(tailLow, TAIL_LOW)
CONST(tailInverse, TAIL_INVERSE)
CONST(tail0, TAIL0)
CONST(tail1, TAIL1)
CONST(tail2, TAIL2)
CONST(tail3, TAIL3)
CONST(tail4, TAIL4)
CONST(tail5, TAIL5)
CONST(tail6, TAIL6)
CONST(tail7, TAIL7)
CONST(tail8, TAIL8)
CONST(tail9, TAIL9)
CONST(tail10, TAIL10)
CONST(halfInverse, HALF_INVERSE)
CONST(softInverse, SOFT_INVERSE)
CONST(log0, LOG0)
CONST(log1, LOG1)
CONST(log2, LOG2)
CONST(log3, LOG3)
CONST(log4, LOG4)
CONST(logMin, LOG_MIN)
CONST(logScale, LOG_SCALE)
CONST(logShift, LOG_SHIFT)
CONST(logSqrtHalf, LOG_SQRT_HALF)
CONST(gelu1Hi, GELU1_HI)
CONST(gelu1Lo, GELU1_LO)
CONST(gelu3Hi, GELU3_HI)
CONST(gelu3Lo, GELU3_LO)

GLOBL mathf32<>(SB), RODATA|NOPTR, $1040

// LOADC loads a constant into V(c), LOADC2 into both vectors of a pair.
#define LOADC(c, const) LDR_Q(c, 9, const)

#define LOADC2(d, const) \
	LDR_Q(d, 9, const); \
	LDR_Q(16+d, 9, const)

// HORNER makes d of s*x + const.
#define HORNER(d, s, x, const) \
	LOADC2(d, const); \
	FMLA2(d, s, x)

// EXPPARTS makes of x the parts r in [0.7, 1.42] and n, whole, of e^x = r*2^n. V29 is 1. It spoils x, t, u, V15 and
// V31. A NaN in x makes r NaN. The last sum, 1 + (x + x^2*q), adds the rounding error of 1 + x.
#define EXPPARTS(x, n, r, t, u) \
	LOADC(15, expHi);     \
	LOADC(31, expLo);     \
	FMINC2(x, x, 15);     \
	FMAXC2(x, x, 31);     \
	LOADC(15, expLog2e);  \
	FMULC2(n, x, 15);     \
	LOADC(31, expLn2Hi);  \
	LOADC(15, expLn2Lo);  \
	FRINTN2(n, n);        \
	FMLSC2(x, n, 31);     \
	FMLSC2(x, n, 15);     \
	LOADC2(r, exp4);      \
	HORNER(t, r, x, exp3); \
	HORNER(r, t, x, exp2); \
	HORNER(t, r, x, exp1); \
	HORNER(r, t, x, exp0); \
	FADDC2(t, x, 29);     \
	FMUL2(r, r, x);       \
	FSUBC2(u, t, 29);     \
	FSUB2(u, x, u);       \
	FMLA2(u, r, x);       \
	FADD2(r, t, u)

// LDEXP multiplies v by 2 to the power n, n whole and in [-252, 252], with one rounding. It spoils n and t.
#define LDEXP(n, v, t) \
	FCVTNS2(n, n);    \
	SSHR2(t, n, 1);   \
	SUB2(n, n, t);    \
	SHL2(t, t, 23);   \
	SHL2(n, n, 23);   \
	ADDC2(t, t, 29);  \
	ADDC2(n, n, 29);  \
	FMUL2(v, v, t);   \
	FMUL2(v, v, n)

// EXP makes r of e^x. It spoils x, n, t and u, V15 and V31.
#define EXP(x, r, n, t, u) \
	EXPPARTS(x, n, r, t, u); \
	LDEXP(n, r, t)
