//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "narrow_arm64.h"
#include "dwconv_u8s8_arm64.h"

// PAIR adds the products of two taps, V4 and V5, and their weights, V8 and V9, in which a channel's bytes lie side by side too: neighbouring
// products add up exactly in 32 bits.
#define PAIR \
	VZIP1 V5.B16, V4.B16, V6.B16; \
	VZIP2 V5.B16, V4.B16, V7.B16; \
	PRODUCTS(6, 7, 8, 9)

// PRODUCTS adds 32 products of two interleaved taps, a0 and a1, by two of weights.
#define PRODUCTS(a0, a1, w0, w1) \
	SMULL_8H(27, a0, w0); \
	SMULL2_8H(28, a0, w0); \
	SMULL_8H(29, a1, w1); \
	SMULL2_8H(30, a1, w1); \
	SADALP_4S(0, 27); \
	SADALP_4S(1, 28); \
	SADALP_4S(2, 29); \
	SADALP_4S(3, 30)

// func dwconvU8S8NEON(args *DWConvU8S8Args)
//
// C is at least 16.
TEXT ·dwconvU8S8NEON(SB), NOSPLIT, $112-8
	BLOCKS
	MOVD  DWConvU8S8Args_KS(R0), R4
	ADD   $1, R4, R4
	AND   $~1, R4, R4
	LSL   $4, R4, R4
	VMOVI $0x80, V31.B16

block:
	STARTBLOCK

pixel:
	// R13: pointers, R14: taps left, R15: weights.
	VLD1 (R10), [V0.S4, V1.S4, V2.S4, V3.S4]
	MOVD R5, R13
	MOVD DWConvU8S8Args_KS(R0), R14
	MOVD R3, R15
	SUBS $2, R14, R14
	BLT  last

taps:
	LDP.P   16(R13), (R16, R17)
	TAP(16, 4, V4, V31)
	TAP(17, 5, V5, V31)
	FLDPQ.P 32(R15), (F8, F9)
	PAIR
	SUBS    $2, R14, R14
	BGE     taps

last:
	ADDS  $2, R14, R14
	BEQ   summed
	MOVD  (R13), R16
	TAP(16, 4, V4, V31)
	VMOV  V4.B16, V5.B16
	FLDPQ (R15), (F8, F9)
	PAIR

summed:
	FINISH
	SUBS $1, R7, R7
	BNE  pixel
	ADD  R4, R3, R3
	ADD  $16, R2, R2
	CMP  R1, R2
	BLT  block
	RET

// COLUMN loads the next three taps at R13: the first two interleaved in z0 and z1, the third in c, V(n).
#define COLUMN(z0, z1, c, n) \
	LDP.P  16(R13), (R16, R17); \
	MOVD.P 8(R13), R19; \
	TAP(16, 4, V4, V31); \
	TAP(17, 5, V5, V31); \
	TAP(19, n, c, V31); \
	VZIP1  V5.B16, V4.B16, z0.B16; \
	VZIP2  V5.B16, V4.B16, z1.B16

// PIXEL computes a pixel: per column of its window the numbers of the interleaved taps and the third tap. Of the last column the
// third tap is on its own.
#define PIXEL(a0, a1, ac, b0, b1, bc, c0, c1, cc) \
	VLD1 (R10), [V0.S4, V1.S4, V2.S4, V3.S4]; \
	PRODUCTS(a0, a1, 8, 9); \
	PRODUCTS(b0, b1, 10, 11); \
	PRODUCTS(c0, c1, 12, 13); \
	VZIP1 bc.B16, ac.B16, V4.B16; \
	VZIP2 bc.B16, ac.B16, V5.B16; \
	PRODUCTS(4, 5, 14, 15); \
	SMULL_8H(27, cc, 16); \
	SMULL2_8H(28, cc, 16); \
	SADDW_4S(0, 0, 27); \
	SADDW2_4S(1, 1, 27); \
	SADDW_4S(2, 2, 28); \
	SADDW2_4S(3, 3, 28); \
	FINISH

// func dwconv3x3U8S8NEON(args *DWConvU8S8Args)
//
// C is at least 16. Nine taps, the columns of a window one after the other, where a pixel whose window begins three taps later shares two of them.
TEXT ·dwconv3x3U8S8NEON(SB), NOSPLIT, $112-8
	// V8-V16: weights; V17-V19, V20-V22, V23-V25: the columns.
	BLOCKS
	VMOVI $0x80, V31.B16

block3x3:
	STARTBLOCK
	VLD1.P 64(R3), [V8.B16, V9.B16, V10.B16, V11.B16]
	VLD1.P 64(R3), [V12.B16, V13.B16, V14.B16, V15.B16]
	VLD1.P 16(R3), [V16.B16]
	CMP    $24, R8
	BNE    apart
	MOVD   R5, R13
	COLUMN(V17, V18, V19, 19)
	COLUMN(V20, V21, V22, 22)

shared:
	COLUMN(V23, V24, V25, 25)
	PIXEL(17, 18, V19, 20, 21, V22, 23, 24, 25)
	SUBS $1, R7, R7
	BEQ  nextBlock3x3
	COLUMN(V17, V18, V19, 19)
	PIXEL(20, 21, V22, 23, 24, V25, 17, 18, 19)
	SUBS $1, R7, R7
	BEQ  nextBlock3x3
	COLUMN(V20, V21, V22, 22)
	PIXEL(23, 24, V25, 17, 18, V19, 20, 21, 22)
	SUBS $1, R7, R7
	BNE  shared
	B    nextBlock3x3

apart:
	MOVD R5, R13
	COLUMN(V17, V18, V19, 19)
	COLUMN(V20, V21, V22, 22)
	COLUMN(V23, V24, V25, 25)
	PIXEL(17, 18, V19, 20, 21, V22, 23, 24, 25)
	SUBS $1, R7, R7
	BNE  apart

nextBlock3x3:
	ADD  $16, R2, R2
	CMP  R1, R2
	BLT  block3x3
	RET
