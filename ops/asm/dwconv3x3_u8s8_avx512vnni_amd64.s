//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "narrow_avx512_amd64.h"

// A 3 x 3 window, whose taps come column by column. The three bytes of a column are
// interleaved, with a fourth of 0, to what VPDPBUSD takes, once for all pixels that share it.
//
// Z8 to Z11, Z12 to Z15 and Z16 to Z19 hold the columns in use, Z20 to Z23 and Z24 to Z27 the weights of the
// first and the second, those of the third are at 512(R11). Z28: zero, Z29: Zero as words, Z30: Lo, Z31: Hi as
// bytes. The stack holds bias and multipliers in the order of the accumulators.

#define FULLTAP(at, z) \
	MOVQ     at(SI), R8; \
	VMOVDQU8 (R8)(R10*1), z
#define PARTTAP(at, z) \
	MOVQ       at(SI), R8; \
	VMOVDQU8.Z (R8)(R10*1), K5, z

#define FULLSTORE VMOVDQU8 Z0, (R14)
#define PARTSTORE VMOVDQU8 Z0, K5, (R14)

// COLUMN3 interleaves the taps at SI+at.
#define COLUMN3(tap, at, c0, c1, c2, c3) \
	tap(at, Z4); \
	tap(at+8, Z5); \
	tap(at+16, Z6); \
	VPUNPCKLBW Z5, Z4, Z7; \
	VPUNPCKHBW Z5, Z4, Z4; \
	VPUNPCKLBW Z28, Z6, Z5; \
	VPUNPCKHBW Z28, Z6, Z6; \
	VPUNPCKLWD Z5, Z7, c0; \
	VPUNPCKHWD Z5, Z7, c1; \
	VPUNPCKLWD Z6, Z4, c2; \
	VPUNPCKHWD Z6, Z4, c3

#define COLUMNA(tap, at) COLUMN3(tap, at, Z8, Z9, Z10, Z11)
#define COLUMNB(tap, at) COLUMN3(tap, at, Z12, Z13, Z14, Z15)
#define COLUMNC(tap, at) COLUMN3(tap, at, Z16, Z17, Z18, Z19)

// OUTPUT3 is a pixel of three columns; it goes to done after the last one.
#define OUTPUT3(store, a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, done) \
	VMOVDQU64 bias-512(SP), Z0; \
	VMOVDQU64 bias-448(SP), Z1; \
	VMOVDQU64 bias-384(SP), Z2; \
	VMOVDQU64 bias-320(SP), Z3; \
	VPDPBUSD  Z20, a0, Z0; \
	VPDPBUSD  Z21, a1, Z1; \
	VPDPBUSD  Z22, a2, Z2; \
	VPDPBUSD  Z23, a3, Z3; \
	VPDPBUSD  Z24, b0, Z0; \
	VPDPBUSD  Z25, b1, Z1; \
	VPDPBUSD  Z26, b2, Z2; \
	VPDPBUSD  Z27, b3, Z3; \
	VPDPBUSD  512(R11), c0, Z0; \
	VPDPBUSD  576(R11), c1, Z1; \
	VPDPBUSD  640(R11), c2, Z2; \
	VPDPBUSD  704(R11), c3, Z3; \
	VCVTDQ2PS Z0, Z0; \
	VCVTDQ2PS Z1, Z1; \
	VCVTDQ2PS Z2, Z2; \
	VCVTDQ2PS Z3, Z3; \
	VMULPS    mult-256(SP), Z0, Z0; \
	VMULPS    mult-192(SP), Z1, Z1; \
	VMULPS    mult-128(SP), Z2, Z2; \
	VMULPS    mult-64(SP), Z3, Z3; \
	VCVTPS2DQ Z0, Z0; \
	VCVTPS2DQ Z1, Z1; \
	VCVTPS2DQ Z2, Z2; \
	VCVTPS2DQ Z3, Z3; \
	VPACKSSDW Z1, Z0, Z0; \
	VPACKSSDW Z3, Z2, Z2; \
	VPADDSW   Z29, Z0, Z0; \
	VPADDSW   Z29, Z2, Z2; \
	VPACKUSWB Z2, Z0, Z0; \
	VPMAXUB   Z30, Z0, Z0; \
	VPMINUB   Z31, Z0, Z0; \
	store; \
	ADDQ      DX, R14; \
	ADDQ      BX, SI; \
	DECQ      R12; \
	JZ        done

#define OUTPUTABC(store, done) OUTPUT3(store, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15, Z16, Z17, Z18, Z19, done)
#define OUTPUTBCA(store, done) OUTPUT3(store, Z12, Z13, Z14, Z15, Z16, Z17, Z18, Z19, Z8, Z9, Z10, Z11, done)
#define OUTPUTCAB(store, done) OUTPUT3(store, Z16, Z17, Z18, Z19, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15, done)

// ROWOF computes the pixels of a row, by how many columns are new for each: one with stride 1, two with stride
// 2, else all. BX: bytes from the taps of a pixel to those of the next, DX: OutStride.
#define ROWOF(tap, store, one, oneNext, two, twoNext, three) \
	CMPQ BX, $24; \
	JEQ  one; \
	CMPQ BX, $48; \
	JEQ  two; \
three: \
	COLUMNA(tap, 0); \
	COLUMNB(tap, 24); \
	COLUMNC(tap, 48); \
	OUTPUTABC(store, nextBlock); \
	JMP three; \
one: \
	COLUMNA(tap, 0); \
	COLUMNB(tap, 24); \
oneNext: \
	COLUMNC(tap, 48); \
	OUTPUTABC(store, nextBlock); \
	COLUMNA(tap, 48); \
	OUTPUTBCA(store, nextBlock); \
	COLUMNB(tap, 48); \
	OUTPUTCAB(store, nextBlock); \
	JMP oneNext; \
two: \
	COLUMNA(tap, 0); \
twoNext: \
	COLUMNB(tap, 24); \
	COLUMNC(tap, 48); \
	OUTPUTABC(store, nextBlock); \
	COLUMNA(tap, 24); \
	COLUMNB(tap, 48); \
	OUTPUTCAB(store, nextBlock); \
	COLUMNC(tap, 24); \
	COLUMNA(tap, 48); \
	OUTPUTBCA(store, nextBlock); \
	JMP twoNext

// func dwconv3x3U8S8AVX512VNNI(args *DWConvU8S8Args)
TEXT ·dwconv3x3U8S8AVX512VNNI(SB), NOSPLIT, $512-8
	// R10: first channel of the block, R11: weights of the block.
	MOVQ         args+0(FP), DI
	XORL         R10, R10
	MOVQ         DWConvU8S8Args_W(DI), R11
	VPXORD       Z28, Z28, Z28
	VPBROADCASTW DWConvU8S8Args_Zero(DI), Z29
	VPBROADCASTB DWConvU8S8Args_Lo(DI), Z30
	VPBROADCASTB DWConvU8S8Args_Hi(DI), Z31

block:
	// K5: the channels of the block that exist, K1 to K4 by 16; R13 = 64 if they are all.
	MOVQ     DWConvU8S8Args_C(DI), R13
	SUBQ     R10, R13
	CHANNELS64(R13, AX)
	KMOVQ    K5, K1
	KSHIFTRQ $16, K5, K2
	KSHIFTRQ $32, K5, K3
	KSHIFTRQ $48, K5, K4
	MOVQ     DWConvU8S8Args_Bias(DI), AX
	LANES(Z0, Z1, Z2, Z3)
	VMOVDQU64 Z0, bias-512(SP)
	VMOVDQU64 Z1, bias-448(SP)
	VMOVDQU64 Z2, bias-384(SP)
	VMOVDQU64 Z3, bias-320(SP)
	MOVQ     DWConvU8S8Args_Mult(DI), AX
	LANES(Z0, Z1, Z2, Z3)
	VMOVDQU64 Z0, mult-256(SP)
	VMOVDQU64 Z1, mult-192(SP)
	VMOVDQU64 Z2, mult-128(SP)
	VMOVDQU64 Z3, mult-64(SP)
	VMOVDQU64 0(R11), Z20
	VMOVDQU64 64(R11), Z21
	VMOVDQU64 128(R11), Z22
	VMOVDQU64 192(R11), Z23
	VMOVDQU64 256(R11), Z24
	VMOVDQU64 320(R11), Z25
	VMOVDQU64 384(R11), Z26
	VMOVDQU64 448(R11), Z27

	// SI: taps of the pixel, R14: its output, R12: pixels left.
	MOVQ DWConvU8S8Args_A(DI), SI
	MOVQ DWConvU8S8Args_AStep(DI), BX
	SHLQ $3, BX
	MOVQ DWConvU8S8Args_Out(DI), R14
	ADDQ R10, R14
	MOVQ DWConvU8S8Args_OutStride(DI), DX
	MOVQ DWConvU8S8Args_P(DI), R12
	CMPQ R13, $64
	JLT  part
	ROWOF(FULLTAP, FULLSTORE, one, oneNext, two, twoNext, three)

part:
	ROWOF(PARTTAP, PARTSTORE, partOne, partOneNext, partTwo, partTwoNext, partThree)

nextBlock:
	ADDQ $768, R11
	ADDQ $64, R10
	CMPQ R10, DWConvU8S8Args_C(DI)
	JLT  block
	VZEROUPPER
	RET
