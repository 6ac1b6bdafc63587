// Vector functions of float32, for the vectors that simd_*_amd64.h names. The
// coefficients come from testdata/gen/mathcoef.py.

#define CONST(name, v) \
	DATA name+0(SB)/4, v  \
	DATA name+4(SB)/4, v  \
	DATA name+8(SB)/4, v  \
	DATA name+12(SB)/4, v \
	DATA name+16(SB)/4, v \
	DATA name+20(SB)/4, v \
	DATA name+24(SB)/4, v \
	DATA name+28(SB)/4, v \
	DATA name+32(SB)/4, v \
	DATA name+36(SB)/4, v \
	DATA name+40(SB)/4, v \
	DATA name+44(SB)/4, v \
	DATA name+48(SB)/4, v \
	DATA name+52(SB)/4, v \
	DATA name+56(SB)/4, v \
	DATA name+60(SB)/4, v \
	GLOBL name(SB), RODATA|NOPTR, $64

CONST(mathOne<>, $0x3f800000)
CONST(mathTwo<>, $0x40000000)
CONST(mathThree<>, $0x40400000)
CONST(mathSix<>, $0x40c00000)
CONST(mathTen<>, $0x41200000)
CONST(mathSixteen<>, $0x41800000)
CONST(mathHalf<>, $0x3f000000)
CONST(mathMinusHalf<>, $0xbf000000)
CONST(mathMinusOne<>, $0xbf800000)
CONST(mathInf<>, $0x7f800000)
CONST(mathSign<>, $0x80000000)
CONST(mathAbs<>, $0x7fffffff)

CONST(expHi<>, $0x42b20000)    // 89: e^89 is infinite
CONST(expLo<>, $0xc2d10000)    // -104.5: e^-104.5 rounds to 0
CONST(expRound<>, $0x4b400000) // 1.5*2^23: adding it rounds to whole numbers
CONST(expLog2e<>, $0x3fb8aa3b)
CONST(expLn2Hi<>, $0x3f317200) // ln 2 with trailing zeros, so that a multiple of it is exact
CONST(expLn2Lo<>, $0x35bfbe8e)
CONST(exp0<>, $0x3efffffe)
CONST(exp1<>, $0x3e2aaa48)
CONST(exp2<>, $0x3d2aac7a)
CONST(exp3<>, $0x3c091d36)
CONST(exp4<>, $0x3ab511a9)

// EXPPARTS makes of x the parts r in [0.7, 1.42] and n, whole, of e^x = r*2^n. It spoils x.
// A NaN in x makes r NaN: VMINPS and VMAXPS return their first operand here. The last sum, 1 + (r + r^2*q), adds
// the rounding error of 1 + r.
#define EXPPARTS(x, n, r, t, u) \
	VMOVUPS      expHi<>(SB), t       \
	VMINPS       x, t, x              \
	VMOVUPS      expLo<>(SB), t       \
	VMAXPS       x, t, x              \
	VMOVUPS      expRound<>(SB), n    \
	VFMADD231PS  expLog2e<>(SB), x, n \
	VSUBPS       expRound<>(SB), n, n \
	VFNMADD231PS expLn2Hi<>(SB), n, x \
	VFNMADD231PS expLn2Lo<>(SB), n, x \
	VMOVUPS      exp4<>(SB), r        \
	VFMADD213PS  exp3<>(SB), x, r     \
	VFMADD213PS  exp2<>(SB), x, r     \
	VFMADD213PS  exp1<>(SB), x, r     \
	VFMADD213PS  exp0<>(SB), x, r     \
	VADDPS       mathOne<>(SB), x, t  \
	VMULPS       x, r, r              \
	VSUBPS       mathOne<>(SB), t, u  \
	VSUBPS       u, x, u              \
	VFMADD213PS  u, x, r              \
	VADDPS       t, r, r

// EXP makes r of e^x. It spoils x.
#define EXP(x, r, n, t, u) \
	EXPPARTS(x, n, r, t, u) \
	LDEXP(n, r, t)
