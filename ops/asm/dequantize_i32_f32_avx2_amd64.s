//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func dequantizeI32F32AVX2(args *DequantizeI32F32Args)
TEXT ·dequantizeI32F32AVX2(SB), NOSPLIT, $0-8
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
	// Y8: RowZero, Y9: RowScale, CX: columns left, BX: column.
	TESTQ        R9, R9
	JZ           noZero
	VPBROADCASTD (R9)(R8*4), Y8

noZero:
	TESTQ        R11, R11
	JZ           noScale
	VBROADCASTSS (R11)(R8*4), Y9

noScale:
	XORL BX, BX
	MOVQ DequantizeI32F32Args_N(DI), CX
	SUBQ $8, CX
	JLT  tail

block:
	VMOVDQU (SI)(BX*4), Y0
	TESTQ   R9, R9
	JZ      compensated
	VPMULLD (R10)(BX*4), Y8, Y1
	VPSUBD  Y1, Y0, Y0

compensated:
	VCVTDQ2PS Y0, Y0
	VMOVUPS   (R12)(BX*4), Y1
	TESTQ     R11, R11
	JZ        scaled
	VMULPS    Y9, Y1, Y1

scaled:
	VMULPS Y1, Y0, Y0
	TESTQ  R13, R13
	JZ     biased
	VADDPS (R13)(BX*4), Y0, Y0

biased:
	VMOVUPS Y0, (DX)(BX*4)
	ADDQ    $8, BX
	SUBQ    $8, CX
	JGE     block

tail:
	ADDQ $8, CX
	JZ   rowDone

tailElement:
	VMOVD   (SI)(BX*4), X0
	TESTQ   R9, R9
	JZ      tailCompensated
	VMOVD   (R10)(BX*4), X1
	VPMULLD X8, X1, X1
	VPSUBD  X1, X0, X0

tailCompensated:
	VCVTDQ2PS X0, X0
	VMOVSS    (R12)(BX*4), X1
	TESTQ     R11, R11
	JZ        tailScaled
	VMULSS    X9, X1, X1

tailScaled:
	VMULSS X1, X0, X0
	TESTQ  R13, R13
	JZ     tailBiased
	VADDSS (R13)(BX*4), X0, X0

tailBiased:
	VMOVSS X0, (DX)(BX*4)
	INCQ   BX
	DECQ   CX
	JNZ    tailElement

rowDone:
	ADDQ DequantizeI32F32Args_AccStride(DI), SI
	ADDQ DequantizeI32F32Args_YStride(DI), DX
	INCQ R8
	CMPQ R8, DequantizeI32F32Args_M(DI)
	JLT  row
	VZEROUPPER
	RET
