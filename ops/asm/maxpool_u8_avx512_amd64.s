//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "narrow_avx512_amd64.h"

// func maxpoolU8AVX512(args *MaxPoolU8Args)
TEXT ·maxpoolU8AVX512(SB), NOSPLIT, $0-8
	// R10: first channel of the block, K5: its channels, R11: taps.
	MOVQ args+0(FP), DI
	MOVQ MaxPoolU8Args_KS(DI), R11
	XORL R10, R10

block:
	MOVQ MaxPoolU8Args_C(DI), CX
	SUBQ R10, CX
	CHANNELS64(CX, AX)

	// R12: pixels left, R13: taps of the pixel, R14: its output, R9: bytes to the next one's taps.
	MOVQ MaxPoolU8Args_P(DI), R12
	MOVQ MaxPoolU8Args_A(DI), R13
	MOVQ MaxPoolU8Args_Out(DI), R14
	ADDQ R10, R14
	MOVQ MaxPoolU8Args_AStep(DI), R9
	SHLQ $3, R9

pixel:
	MOVQ       (R13), R8
	VMOVDQU8.Z (R8)(R10*1), K5, Z0
	MOVL       $1, AX
	JMP        next

tap:
	MOVQ      (R13)(AX*8), R8
	VPMAXUB.Z (R8)(R10*1), Z0, K5, Z0
	INCQ      AX

next:
	CMPQ     AX, R11
	JLT      tap
	VMOVDQU8 Z0, K5, (R14)
	ADDQ     R9, R13
	ADDQ     MaxPoolU8Args_OutStride(DI), R14
	DECQ     R12
	JNZ      pixel

	ADDQ $64, R10
	CMPQ R10, MaxPoolU8Args_C(DI)
	JLT  block
	VZEROUPPER
	RET
