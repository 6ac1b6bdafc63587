//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "narrow_avx512_amd64.h"

// func dequantizeI32F32AVX512(args *DequantizeI32F32Args)
TEXT ·dequantizeI32F32AVX512(SB), NOSPLIT, $0-8
	// SI, DX: row of Acc and Y; R8: row; R9: RowZero, R10: WSum, R11: RowScale, R12: Mult, R13: Bias.
	MOVQ args+0(FP), DI
	MOVQ DequantizeI32F32Args_Acc(DI), SI
	MOVQ DequantizeI32F32Args_Y(DI), DX
	MOVQ DequantizeI32F32Args_RowZero(DI), R9
	MOVQ DequantizeI32F32Args_WSum(DI), R10
	MOVQ DequantizeI32F32Args_RowScale(DI), R11
	MOVQ DequantizeI32F32Args_Mult(DI), R12
	MOVQ DequantizeI32F32Args_Bias(DI), R13
	XORL R8, R8

row:
	// Z8: RowZero, Z9: RowScale, CX: columns left, BX: column, K1: columns of the vector.
	TESTQ        R9, R9
	JZ           noZero
	VPBROADCASTD (R9)(R8*4), Z8

noZero:
	TESTQ        R11, R11
	JZ           noScale
	VBROADCASTSS (R11)(R8*4), Z9

noScale:
	XORL   BX, BX
	KXNORW K1, K1, K1
	MOVQ   DequantizeI32F32Args_N(DI), CX
	SUBQ   $16, CX
	JLT    tail

block:
	VMOVDQU32.Z (SI)(BX*4), K1, Z0
	TESTQ       R9, R9
	JZ          compensated
	VPMULLD.Z   (R10)(BX*4), Z8, K1, Z1
	VPSUBD      Z1, Z0, Z0

compensated:
	VCVTDQ2PS Z0, Z0
	VMOVUPS.Z (R12)(BX*4), K1, Z1
	TESTQ     R11, R11
	JZ        scaled
	VMULPS    Z9, Z1, Z1

scaled:
	VMULPS   Z1, Z0, Z0
	TESTQ    R13, R13
	JZ       biased
	VADDPS.Z (R13)(BX*4), Z0, K1, Z0

biased:
	VMOVUPS Z0, K1, (DX)(BX*4)
	ADDQ    $16, BX
	SUBQ    $16, CX
	JGE     block

tail:
	// The last vector is masked; no columns are left behind it.
	ADDQ $16, CX
	JZ   rowDone
	FIRSTLANES(CX, AX, K1)
	XORL CX, CX
	JMP  block

rowDone:
	ADDQ DequantizeI32F32Args_AccStride(DI), SI
	ADDQ DequantizeI32F32Args_YStride(DI), DX
	INCQ R8
	CMPQ R8, DequantizeI32F32Args_M(DI)
	JLT  row
	VZEROUPPER
	RET
