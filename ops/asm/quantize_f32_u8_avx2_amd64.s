//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "tail_amd64.h"

// SCALE multiplies, makes NaN 0, bounds from above and rounds.
#define SCALE(y, t) \
	VMULPS    Y10, y, y; \
	VCMPPS    $7, y, y, t; \
	VANDPS    t, y, y; \
	VMINPS    Y12, y, y; \
	VCVTPS2DQ y, y

// func quantizeF32U8AVX2(args *QuantizeF32U8Args)
TEXT ·quantizeF32U8AVX2(SB), NOSPLIT, $80-8
	// Y10: Inv, Y12: Hi-Zero, Y13: Zero, X14: Lo; SI: X, DX: Q, CX: elements left.
	MOVQ         args+0(FP), DI
	VBROADCASTSS QuantizeF32U8Args_Inv(DI), Y10
	VPBROADCASTD QuantizeF32U8Args_Hi(DI), Y12
	VPBROADCASTD QuantizeF32U8Args_Zero(DI), Y13
	VPSUBD       Y13, Y12, Y12
	VCVTDQ2PS    Y12, Y12
	VPBROADCASTW QuantizeF32U8Args_Zero(DI), Y13
	VPBROADCASTB QuantizeF32U8Args_Lo(DI), X14
	MOVQ         QuantizeF32U8Args_X(DI), SI
	MOVQ         QuantizeF32U8Args_Q(DI), DX
	MOVQ         QuantizeF32U8Args_N(DI), CX
	XORL         R9, R9
	SUBQ         $16, CX
	JLT          tail

block:
	VMOVUPS 0(SI), Y0
	VMOVUPS 32(SI), Y1
	SCALE(Y0, Y2)
	SCALE(Y1, Y3)
	PACK16(Y0, Y1, X0, X1, Y13, X14)
	VMOVDQU X0, (DX)
	TESTQ   R9, R9
	JNZ     tailDone
	ADDQ    $64, SI
	ADDQ    $16, DX
	SUBQ    $16, CX
	JGE     block

	// The last R9 elements pass through the stack, whole dwords first.
tail:
	ADDQ $16, CX
	JZ   done
	MOVQ CX, R9
	MOVQ DX, R10
	LEAQ x-80(SP), BX
	MOVQ BX, DX

tailFloat:
	MOVL (SI), AX
	MOVL AX, (DX)
	ADDQ $4, SI
	ADDQ $4, DX
	DECQ CX
	JNZ  tailFloat
	MOVQ BX, SI
	LEAQ q-16(SP), DX
	JMP  block

tailDone:
	COPY(DX, R10, R9, AX, X0, q8, q4, q2, q1, copied)

done:
	VZEROUPPER
	RET
