//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "narrow_avx512_amd64.h"

// func quantizeF32U8AVX512(args *QuantizeF32U8Args)
TEXT ·quantizeF32U8AVX512(SB), NOSPLIT, $0-8
	// Z10: Inv, Z12: Hi-Zero, Z13: Zero, Z14: Lo; SI: X, DX: Q, CX: elements left, K1: those of the vector.
	MOVQ         args+0(FP), DI
	VBROADCASTSS QuantizeF32U8Args_Inv(DI), Z10
	VPBROADCASTD QuantizeF32U8Args_Hi(DI), Z12
	VPBROADCASTD QuantizeF32U8Args_Zero(DI), Z13
	VPSUBD       Z13, Z12, Z12
	VCVTDQ2PS    Z12, Z12
	VPBROADCASTD QuantizeF32U8Args_Lo(DI), Z14
	MOVQ         QuantizeF32U8Args_X(DI), SI
	MOVQ         QuantizeF32U8Args_Q(DI), DX
	MOVQ         QuantizeF32U8Args_N(DI), CX
	KXNORW       K1, K1, K1
	SUBQ         $16, CX
	JLT          tail

block:
	// What is not ordered, NaN, becomes 0, which may lie above the bound, too.
	VMULPS.Z  (SI), Z10, K1, Z0
	VCMPPS    $7, Z0, Z0, K2
	VMOVAPS.Z Z0, K2, Z0
	VMINPS    Z12, Z0, Z0
	VCVTPS2DQ Z0, Z0
	NARROW16(Z0, Z13, Z14, K1, (DX))
	ADDQ      $64, SI
	ADDQ      $16, DX
	SUBQ      $16, CX
	JGE       block

tail:
	// The last vector is masked; no elements are left behind it.
	ADDQ $16, CX
	JZ   done
	FIRSTLANES(CX, AX, K1)
	XORL CX, CX
	JMP  block

done:
	VZEROUPPER
	RET
