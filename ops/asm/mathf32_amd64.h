// Vector functions of float32, for the vectors that simd_*_amd64.h names.

#include "mathcoef_f32.h"

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

CONST(expHi<>, EXP_HI)
CONST(expLo<>, EXP_LO)
CONST(expRound<>, EXP_ROUND)
CONST(expLog2e<>, EXP_LOG2E)
CONST(expLn2Hi<>, EXP_LN2_HI)
CONST(expLn2Lo<>, EXP_LN2_LO)
CONST(exp0<>, EXP0)
CONST(exp1<>, EXP1)
CONST(exp2<>, EXP2)
CONST(exp3<>, EXP3)
CONST(exp4<>, EXP4)

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
