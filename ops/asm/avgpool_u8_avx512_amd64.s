//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "narrow_avx512_amd64.h"
#include "avgpool_u8_amd64.h"

// Blocks of 64 channels; lane l of Z(j) accumulates channels 16l+4j to 16l+4j+3,
// an order that the packs undo.

// TAPS adds two taps, Z4 and b. Z26: ones, Z31: zero.
#define TAPS(b) \
	VPUNPCKLBW b, Z4, Z6; \
	VPUNPCKHBW b, Z4, Z7; \
	VPMADDUBSW Z26, Z6, Z6; \
	VPMADDUBSW Z26, Z7, Z7; \
	VPUNPCKLWD Z31, Z6, Z4; \
	VPUNPCKHWD Z31, Z6, Z5; \
	VPUNPCKLWD Z31, Z7, Z6; \
	VPUNPCKHWD Z31, Z7, Z7; \
	VPADDD     Z4, Z0, Z0; \
	VPADDD     Z5, Z1, Z1; \
	VPADDD     Z6, Z2, Z2; \
	VPADDD     Z7, Z3, Z3

// func avgpoolU8AVX512(args *AvgPoolU8Args)
TEXT ·avgpoolU8AVX512(SB), NOSPLIT, $0-8
	// Constants: Z24 -Offset, Z25 Mult, Z26 ones, Z28 Hi-Zero, Z29 Zero, Z30 Lo, Z31 zero.
	MOVQ         args+0(FP), DI
	VPXORD       Z31, Z31, Z31
	MOVL         $1, AX
	VPBROADCASTB AX, Z26
	VPBROADCASTD AvgPoolU8Args_Offset(DI), Z24
	VPSUBD       Z24, Z31, Z24
	VBROADCASTSS AvgPoolU8Args_Mult(DI), Z25
	VPBROADCASTD AvgPoolU8Args_Hi(DI), Z28
	VPBROADCASTD AvgPoolU8Args_Zero(DI), Z29
	VPSUBD       Z29, Z28, Z28
	VCVTDQ2PS    Z28, Z28
	VPBROADCASTW AvgPoolU8Args_Zero(DI), Z29
	VPBROADCASTB AvgPoolU8Args_Lo(DI), Z30
	XORL         R10, R10

block:
	// R10: first channel of the block, K5: its channels.
	MOVQ AvgPoolU8Args_C(DI), CX
	SUBQ R10, CX
	CHANNELS64(CX, AX)

	// R12: pixels left, R13: pointers of the pixel or its tap 0, R9: bytes to those of the
	// next pixel, R14: output, R15: whether taps have a stride, R11: that stride.
	MOVQ  AvgPoolU8Args_P(DI), R12
	MOVQ  AvgPoolU8Args_Out(DI), R14
	ADDQ  R10, R14
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
	MOVQ      R13, SI
	VMOVDQA64 Z24, Z0
	VMOVDQA64 Z24, Z1
	VMOVDQA64 Z24, Z2
	VMOVDQA64 Z24, Z3
	MOVQ      AvgPoolU8Args_KS(DI), AX
	SUBQ      $2, AX
	JLT       lastTap

taps:
	POINTER(strided0, pointed0)
	VMOVDQU8.Z (R8)(R10*1), K5, Z4
	POINTER(strided1, pointed1)
	VMOVDQU8.Z (R8)(R10*1), K5, Z5
	TAPS(Z5)
	SUBQ       $2, AX
	JGE        taps

lastTap:
	TESTL      $1, AX
	JZ         quantize
	POINTER(strided2, pointed2)
	VMOVDQU8.Z (R8)(R10*1), K5, Z4
	TAPS(Z31)

quantize:
	NARROW64(Z25, Z25, Z25, Z25)
	VMOVDQU8 Z0, K5, (R14)
	ADDQ     R9, R13
	ADDQ     AvgPoolU8Args_OutStride(DI), R14
	DECQ     R12
	JNZ      pixel

	ADDQ $64, R10
	CMPQ R10, AvgPoolU8Args_C(DI)
	JLT  block
	VZEROUPPER
	RET
