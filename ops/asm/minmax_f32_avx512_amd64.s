//go:build !purego

#include "textflag.h"
#include "narrow_avx512_amd64.h"

// MINMAX folds 16 floats in; where one is NaN the minimum and maximum give
// their last operand, which is the value so far. K3 collects the NaNs.
#define MINMAX(off, lo, hi, x) \
	VMOVUPS off(SI), x; \
	VMINPS  lo, x, lo; \
	VMAXPS  hi, x, hi; \
	VCMPPS  $3, x, x, K2; \
	KORW    K2, K3, K3

// FOLD reduces sixteen values to one.
#define FOLD(op, z, y, x, ty, t) \
	VEXTRACTF64X4 $1, z, ty; \
	op            ty, y, y; \
	VEXTRACTF128  $1, y, t; \
	op            t, x, x; \
	VPSHUFD       $0x4e, x, t; \
	op            t, x, x; \
	VPSHUFD       $0xb1, x, t; \
	op            t, x, x

// func minmaxF32AVX512(x *float32, n int) (lo, hi float32, nan bool)
TEXT ·minmaxF32AVX512(SB), NOSPLIT, $0-25
	// Z0, Z2: minimum from +Inf, Z1, Z3: maximum from -Inf, CX: floats left.
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	MOVL         $0x7f800000, AX
	VPBROADCASTD AX, Z0
	VMOVDQA64    Z0, Z2
	MOVL         $0xff800000, AX
	VPBROADCASTD AX, Z1
	VMOVDQA64    Z1, Z3
	KXORW        K3, K3, K3
	SUBQ         $32, CX
	JLT          last

block:
	MINMAX(0, Z0, Z1, Z4)
	MINMAX(64, Z2, Z3, Z5)
	ADDQ $128, SI
	SUBQ $32, CX
	JGE  block

last:
	// Up to 31 more.
	ADDQ $16, CX
	JLT  tail
	MINMAX(0, Z0, Z1, Z4)
	ADDQ $64, SI
	SUBQ $16, CX

tail:
	ADDQ      $16, CX
	FIRSTLANES(CX, AX, K1)
	VMOVUPS.Z (SI), K1, Z4
	VMINPS    Z2, Z4, K1, Z2
	VMAXPS    Z3, Z4, K1, Z3
	VCMPPS    $3, Z4, Z4, K2
	KORW      K2, K3, K3

	VMINPS   Z2, Z0, Z0
	VMAXPS   Z3, Z1, Z1
	FOLD(VMINPS, Z0, Y0, X0, Y4, X4)
	FOLD(VMAXPS, Z1, Y1, X1, Y4, X4)
	VMOVSS   X0, lo+16(FP)
	VMOVSS   X1, hi+20(FP)
	KORTESTW K3, K3
	SETNE    nan+24(FP)
	VZEROUPPER
	RET
