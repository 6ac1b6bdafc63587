//go:build !purego

#include "textflag.h"

// MINMAX folds 8 floats in; where one is NaN the minimum and maximum give
// their last operand, which is the value so far. Y15 collects the NaNs.
#define MINMAX(off, lo, hi, x) \
	VMOVUPS off(SI), x; \
	VMINPS  lo, x, lo; \
	VMAXPS  hi, x, hi; \
	VCMPPS  $3, x, x, x; \
	VORPS   x, Y15, Y15

// FOLD reduces eight values to one.
#define FOLD(op, y, x, t) \
	VEXTRACTF128 $1, y, t; \
	op           t, x, x; \
	VPSHUFD      $0x4e, x, t; \
	op           t, x, x; \
	VPSHUFD      $0xb1, x, t; \
	op           t, x, x

// func minmaxF32AVX2(x *float32, n int) (lo, hi float32, nan bool)
TEXT ·minmaxF32AVX2(SB), NOSPLIT, $0-25
	// Y0, Y2: minimum from +Inf, Y1, Y3: maximum from -Inf, CX: floats left.
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), CX
	MOVL         $0x7f800000, AX
	VMOVD        AX, X0
	VPBROADCASTD X0, Y0
	VMOVDQA      Y0, Y2
	MOVL         $0xff800000, AX
	VMOVD        AX, X1
	VPBROADCASTD X1, Y1
	VMOVDQA      Y1, Y3
	VPXOR        X15, X15, X15
	SUBQ         $16, CX
	JLT          fold

block:
	MINMAX(0, Y0, Y1, Y4)
	MINMAX(32, Y2, Y3, Y5)
	ADDQ $64, SI
	SUBQ $16, CX
	JGE  block

fold:
	VMINPS    Y2, Y0, Y0
	VMAXPS    Y3, Y1, Y1
	FOLD(VMINPS, Y0, X0, X4)
	FOLD(VMAXPS, Y1, X1, X4)
	VMOVMSKPS Y15, AX
	ADDQ      $16, CX
	JZ        done

tail:
	VMOVSS   (SI), X4
	VMINSS   X0, X4, X0
	VMAXSS   X1, X4, X1
	VUCOMISS X4, X4
	SETPS    BX
	ORB      BX, AX
	ADDQ     $4, SI
	DECQ     CX
	JNZ      tail

done:
	VMOVSS X0, lo+16(FP)
	VMOVSS X1, hi+20(FP)
	TESTB  AX, AX
	SETNE  nan+24(FP)
	VZEROUPPER
	RET
