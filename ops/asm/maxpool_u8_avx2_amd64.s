//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "tail_amd64.h"

// func maxpoolU8AVX2(args *MaxPoolU8Args)
TEXT ·maxpoolU8AVX2(SB), NOSPLIT, $32-8
	// R12: pixels left, R13: taps of the pixel, R14: its output, CX: channels.
	MOVQ args+0(FP), DI
	MOVQ MaxPoolU8Args_P(DI), R12
	MOVQ MaxPoolU8Args_A(DI), R13
	MOVQ MaxPoolU8Args_Out(DI), R14
	MOVQ MaxPoolU8Args_C(DI), CX
	MOVQ MaxPoolU8Args_KS(DI), R11
	CMPQ CX, $32
	JLT  few
	SUBQ $32, CX

pixel:
	XORL R10, R10

block:
	// R10: first channel; the last block ends at channel C and may overlap the one before.
	MOVQ    (R13), R8
	VMOVDQU (R8)(R10*1), Y0
	MOVL    $1, AX
	JMP     next

tap:
	MOVQ    (R13)(AX*8), R8
	VPMAXUB (R8)(R10*1), Y0, Y0
	INCQ    AX

next:
	CMPQ    AX, R11
	JLT     tap
	VMOVDQU Y0, (R14)(R10*1)
	CMPQ    R10, CX
	JGE     blocksDone
	ADDQ    $32, R10
	CMPQ    R10, CX
	CMOVQGT CX, R10
	JMP     block

blocksDone:
	MOVQ MaxPoolU8Args_AStep(DI), AX
	LEAQ (R13)(AX*8), R13
	ADDQ MaxPoolU8Args_OutStride(DI), R14
	DECQ R12
	JNZ  pixel
	VZEROUPPER
	RET

	// Fewer than 32 channels: each tap is copied to the stack.
few:
	VPXOR X0, X0, X0
	XORL  AX, AX

fewTap:
	MOVQ    (R13)(AX*8), R8
	LEAQ    tap-32(SP), R9
	COPY(R8, R9, CX, DX, X1, tap8, tap4, tap2, tap1, tapCopied)
	VPMAXUB tap-32(SP), Y0, Y0
	INCQ    AX
	CMPQ    AX, R11
	JLT     fewTap
	VMOVDQU Y0, tap-32(SP)
	LEAQ    tap-32(SP), R8
	MOVQ    R14, R9
	COPY(R8, R9, CX, DX, X1, out8, out4, out2, out1, outCopied)
	MOVQ    MaxPoolU8Args_AStep(DI), AX
	LEAQ    (R13)(AX*8), R13
	ADDQ    MaxPoolU8Args_OutStride(DI), R14
	DECQ    R12
	JNZ     few
	VZEROUPPER
	RET
