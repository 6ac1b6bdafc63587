//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func dequantizeU8F32AVX2(args *DequantizeU8F32Args)
TEXT ·dequantizeU8F32AVX2(SB), NOSPLIT, $0-8
	// Y8: Zero, Y9: Scale; SI: Q, DX: Y, CX: elements left.
	MOVQ         args+0(FP), DI
	VPBROADCASTD DequantizeU8F32Args_Zero(DI), Y8
	VBROADCASTSS DequantizeU8F32Args_Scale(DI), Y9
	MOVQ         DequantizeU8F32Args_Q(DI), SI
	MOVQ         DequantizeU8F32Args_Y(DI), DX
	MOVQ         DequantizeU8F32Args_N(DI), CX
	SUBQ         $16, CX
	JLT          tail

block:
	VPMOVZXBD 0(SI), Y0
	VPMOVZXBD 8(SI), Y1
	VPSUBD    Y8, Y0, Y0
	VPSUBD    Y8, Y1, Y1
	VCVTDQ2PS Y0, Y0
	VCVTDQ2PS Y1, Y1
	VMULPS    Y9, Y0, Y0
	VMULPS    Y9, Y1, Y1
	VMOVUPS   Y0, 0(DX)
	VMOVUPS   Y1, 32(DX)
	ADDQ      $16, SI
	ADDQ      $64, DX
	SUBQ      $16, CX
	JGE       block

tail:
	ADDQ $16, CX
	JZ   done

tailElement:
	MOVBLZX   (SI), AX
	VMOVD     AX, X0
	VPSUBD    X8, X0, X0
	VCVTDQ2PS X0, X0
	VMULSS    X9, X0, X0
	VMOVSS    X0, (DX)
	INCQ      SI
	ADDQ      $4, DX
	DECQ      CX
	JNZ       tailElement

done:
	VZEROUPPER
	RET
