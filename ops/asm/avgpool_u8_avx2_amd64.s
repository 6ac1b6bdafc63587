//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "tail_amd64.h"
#include "avgpool_u8_amd64.h"

// Blocks of 32 channels; Y(j) accumulates channels 4j to 4j+3 of the low lane and
// 16+4j to 16+4j+3 of the high one, an order that the packs undo.

// TAPS adds two taps, Y4 and b. Y14: ones, Y15: zero.
#define TAPS(b) \
	VPUNPCKLBW b, Y4, Y6; \
	VPUNPCKHBW b, Y4, Y7; \
	VPMADDUBSW Y14, Y6, Y6; \
	VPMADDUBSW Y14, Y7, Y7; \
	VPUNPCKLWD Y15, Y6, Y4; \
	VPUNPCKHWD Y15, Y6, Y5; \
	VPUNPCKLWD Y15, Y7, Y6; \
	VPUNPCKHWD Y15, Y7, Y7; \
	VPADDD     Y4, Y0, Y0; \
	VPADDD     Y5, Y1, Y1; \
	VPADDD     Y6, Y2, Y2; \
	VPADDD     Y7, Y3, Y3

// func avgpoolU8AVX2(args *AvgPoolU8Args)
TEXT ·avgpoolU8AVX2(SB), NOSPLIT, $32-8
	// Constants: Y8 -Offset, Y10 Lo, Y11 Mult, Y12 Hi-Zero, Y13 Zero, Y14 ones, Y15 zero.
	MOVQ         args+0(FP), DI
	VPXOR        X15, X15, X15
	VPCMPEQB     Y14, Y14, Y14
	VPABSB       Y14, Y14
	VPBROADCASTD AvgPoolU8Args_Offset(DI), Y8
	VPSUBD       Y8, Y15, Y8
	VPBROADCASTB AvgPoolU8Args_Lo(DI), Y10
	VBROADCASTSS AvgPoolU8Args_Mult(DI), Y11
	VPBROADCASTD AvgPoolU8Args_Hi(DI), Y12
	VPBROADCASTD AvgPoolU8Args_Zero(DI), Y13
	VPSUBD       Y13, Y12, Y12
	VCVTDQ2PS    Y12, Y12
	VPBROADCASTW AvgPoolU8Args_Zero(DI), Y13

	// R12: pixels left, R13: pointers of the pixel or its tap 0, R9: bytes to those of the
	// next pixel, R14: output, R15: whether taps have a stride, R11: that stride, CX: channels.
	MOVQ  AvgPoolU8Args_P(DI), R12
	MOVQ  AvgPoolU8Args_Out(DI), R14
	MOVQ  AvgPoolU8Args_C(DI), CX
	XORL  R15, R15
	MOVQ  AvgPoolU8Args_AStep(DI), R9
	SHLQ  $3, R9
	MOVQ  AvgPoolU8Args_A(DI), R13
	TESTQ R13, R13
	JNZ   pixel
	MOVQ  AvgPoolU8Args_Base(DI), R13
	MOVQ  AvgPoolU8Args_PixelStride(DI), R9
	MOVQ  AvgPoolU8Args_TapStride(DI), R11
	MOVL  $1, R15

pixel:
	XORL R10, R10

block:
	// R10: first channel; the last block ends at channel C and may overlap the one before.
	MOVQ    R13, SI
	VMOVDQA Y8, Y0
	VMOVDQA Y8, Y1
	VMOVDQA Y8, Y2
	VMOVDQA Y8, Y3
	MOVQ    AvgPoolU8Args_KS(DI), AX
	CMPQ    CX, $32
	JLT     few
	SUBQ    $2, AX
	JLT     lastTap

taps:
	POINTER(strided0, pointed0)
	VMOVDQU (R8)(R10*1), Y4
	POINTER(strided1, pointed1)
	VMOVDQU (R8)(R10*1), Y5
	TAPS(Y5)
	SUBQ    $2, AX
	JGE     taps

lastTap:
	TESTL   $1, AX
	JZ      quantize
	POINTER(strided2, pointed2)
	VMOVDQU (R8)(R10*1), Y4
	TAPS(Y15)

quantize:
	VCVTDQ2PS Y0, Y0
	VCVTDQ2PS Y1, Y1
	VCVTDQ2PS Y2, Y2
	VCVTDQ2PS Y3, Y3
	VMULPS    Y11, Y0, Y0
	VMULPS    Y11, Y1, Y1
	VMULPS    Y11, Y2, Y2
	VMULPS    Y11, Y3, Y3
	VMINPS    Y12, Y0, Y0
	VMINPS    Y12, Y1, Y1
	VMINPS    Y12, Y2, Y2
	VMINPS    Y12, Y3, Y3
	VCVTPS2DQ Y0, Y0
	VCVTPS2DQ Y1, Y1
	VCVTPS2DQ Y2, Y2
	VCVTPS2DQ Y3, Y3
	VPACKSSDW Y1, Y0, Y0
	VPACKSSDW Y3, Y2, Y2
	VPADDSW   Y13, Y0, Y0
	VPADDSW   Y13, Y2, Y2
	VPACKUSWB Y2, Y0, Y0
	VPMAXUB   Y10, Y0, Y0
	MOVQ      CX, AX
	SUBQ      $32, AX
	JLT       storeFew
	VMOVDQU   Y0, (R14)(R10*1)
	CMPQ      R10, AX
	JGE       stored
	ADDQ      $32, R10
	CMPQ      R10, AX
	CMOVQGT   AX, R10
	JMP       block

stored:
	ADDQ R9, R13
	ADDQ AvgPoolU8Args_OutStride(DI), R14
	DECQ R12
	JNZ  pixel
	VZEROUPPER
	RET

	// Fewer than 32 channels: each tap is copied to the stack.
few:
	POINTER(strided3, pointed3)
	LEAQ    tap-32(SP), BX
	COPY(R8, BX, CX, DX, X4, tap8, tap4, tap2, tap1, tapCopied)
	VMOVDQU tap-32(SP), Y4
	TAPS(Y15)
	DECQ    AX
	JNZ     few
	JMP     quantize

storeFew:
	VMOVDQU Y0, tap-32(SP)
	LEAQ    tap-32(SP), R8
	MOVQ    R14, BX
	COPY(R8, BX, CX, DX, X4, out8, out4, out2, out1, outCopied)
	JMP     stored
