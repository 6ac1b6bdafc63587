//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "narrow_avx512_amd64.h"

// func dequantizeU8F32AVX512(args *DequantizeU8F32Args)
TEXT ·dequantizeU8F32AVX512(SB), NOSPLIT, $0-8
	// Z8: Zero, Z9: Scale; SI: Q, DX: Y, CX: elements left, K1: those of the vector.
	MOVQ         args+0(FP), DI
	VPBROADCASTD DequantizeU8F32Args_Zero(DI), Z8
	VBROADCASTSS DequantizeU8F32Args_Scale(DI), Z9
	MOVQ         DequantizeU8F32Args_Q(DI), SI
	MOVQ         DequantizeU8F32Args_Y(DI), DX
	MOVQ         DequantizeU8F32Args_N(DI), CX
	KXNORW       K1, K1, K1
	SUBQ         $16, CX
	JLT          tail

block:
	VPMOVZXBD.Z (SI), K1, Z0
	VPSUBD      Z8, Z0, Z0
	VCVTDQ2PS   Z0, Z0
	VMULPS      Z9, Z0, Z0
	VMOVUPS     Z0, K1, (DX)
	ADDQ        $16, SI
	ADDQ        $64, DX
	SUBQ        $16, CX
	JGE         block

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
