// Vector functions of float32, on pairs of vectors. The coefficients are those of mathf32_amd64.h and unary_f32_body_amd64.h.

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
CONST(expHi, $0x42b20000) // 89: e^89 is infinite
CONST(expLo, $0xc2d10000) // -104.5: e^-104.5 rounds to 0
CONST(expLog2e, $0x3fb8aa3b)
CONST(expLn2Hi, $0x3f317200) // ln 2 with trailing zeros, so that a multiple of it is exact
CONST(expLn2Lo, $0x35bfbe8e)
CONST(exp0, $0x3efffffe)
CONST(exp1, $0x3e2aaa48)
CONST(exp2, $0x3d2aac7a)
CONST(exp3, $0x3c091d36)
CONST(exp4, $0x3ab511a9)
CONST(tanhSplit, $0x3f200000) // 0.625
CONST(tanh0, $0xbeaaaa99)
CONST(tanh1, $0x3e088393)
CONST(tanh2, $0xbd5c1e2d)
CONST(tanh3, $0x3ca9134c)
CONST(tanh4, $0xbbbaf0e1)
CONST(erf0, $0x3e0375d4)
CONST(erf1, $0xbec0939f)
CONST(erf2, $0x3de7167c)
CONST(erf3, $0xbcdbfc87)
CONST(erf4, $0x3baa02d9)
CONST(erf5, $0xba51fb80)
CONST(erf6, $0x38a4b519)
CONST(erfSqrt2, $0x3fb504f3)
CONST(tailSlope, $0x3fa00000) // 1.25
CONST(tailLow, $0x32da8d4b) // what the constant coefficient misses
CONST(tailInverse, $0x3feccccd) // 1.85, about 1/q
CONST(tail0, $0x3f13c2ce)
CONST(tail1, $0xbd8d6e31)
CONST(tail2, $0xbd525100)
CONST(tail3, $0x3d8b4863)
CONST(tail4, $0xbcf545dc)
CONST(tail5, $0x3a3c3754)
CONST(tail6, $0x3b827b6e)
CONST(tail7, $0xb9b3ce91)
CONST(tail8, $0xba20c6c0)
CONST(tail9, $0x36becfcd)
CONST(tail10, $0x38794201)
CONST(halfInverse, $0x3fbb645a) // 1.464: 1.464 - s/2 is 1/s within 8 % for s in [1, 2]
CONST(softInverse, $0x3f51eb85) // 0.82: 2/s within 23 % for s in [2, 3]
CONST(log0, $0x3f2aaaac)
CONST(log1, $0x3ecccb58)
CONST(log2, $0x3e928458)
CONST(log3, $0x3e5b7366)
CONST(log4, $0x3e78b9a3)
CONST(logMin, $0x00800000) // the smallest normal number
CONST(logScale, $0x4b800000) // 2^24
CONST(logShift, $0x41c00000) // 24
CONST(logSqrtHalf, $0x3f3504f3)
CONST(gelu1Hi, $0x3fcc422a) // 2*sqrt(2/pi)
CONST(gelu1Lo, $0xb342bc9b)
CONST(gelu3Hi, $0x3d922279) // 2*sqrt(2/pi)*0.044715
CONST(gelu3Lo, $0x3124d8b5)

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
