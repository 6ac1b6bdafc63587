//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "narrow_arm64.h"
#include "dwconv_u8s8_arm64.h"

// INTERLEAVE puts the bytes of four taps side by side, channel by channel, in v0 to v3; a tap is spoiled, c and d may be the same.
#define INTERLEAVE(a, b, c, d, t0, t1, v0, v1, v2, v3) \
	VZIP1 b.B16, a.B16, v0.B16; \
	VZIP2 b.B16, a.B16, v2.B16; \
	VZIP1 d.B16, c.B16, t0.B16; \
	VZIP2 d.B16, c.B16, t1.B16; \
	VZIP2 t0.H8, v0.H8, v1.H8; \
	VZIP1 t0.H8, v0.H8, v0.H8; \
	VZIP2 t1.H8, v2.H8, v3.H8; \
	VZIP1 t1.H8, v2.H8, v2.H8

// FOURTAPS adds the products of four interleaved taps, a to a+3, and their weights.
#define FOURTAPS(a, w) \
	SDOT_4S(0, a, w); \
	SDOT_4S(1, a+1, w+1); \
	SDOT_4S(2, a+2, w+2); \
	SDOT_4S(3, a+3, w+3)

// func dwconvU8S8DotProd(args *DWConvU8S8Args)
//
// C is at least 16.
TEXT ·dwconvU8S8DotProd(SB), NOSPLIT, $112-8
	BLOCKS
	MOVD  DWConvU8S8Args_KS(R0), R4
	ADD   $3, R4, R4
	AND   $~3, R4, R4
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
	SUBS $4, R14, R14
	BLT  last

taps:
	LDP.P  16(R13), (R16, R17)
	LDP.P  16(R13), (R19, R20)
	TAP(16, 4, V4, V31)
	TAP(17, 5, V5, V31)
	TAP(19, 6, V6, V31)
	TAP(20, 7, V7, V31)
	VLD1.P 64(R15), [V8.B16, V9.B16, V10.B16, V11.B16]
	INTERLEAVE(V4, V5, V6, V7, V12, V13, V16, V17, V18, V19)
	FOURTAPS(16, 8)
	SUBS   $4, R14, R14
	BGE    taps

last:
	// One to three taps; those that do not exist have weights of 0.
	ADDS $4, R14, R14
	BEQ  summed
	MOVD.P 8(R13), R16
	TAP(16, 4, V4, V31)
	VMOV V4.B16, V5.B16
	VMOV V4.B16, V6.B16
	CMP  $2, R14
	BLT  loaded
	MOVD.P 8(R13), R16
	TAP(16, 5, V5, V31)
	BEQ  loaded
	MOVD (R13), R16
	TAP(16, 6, V6, V31)

loaded:
	VLD1 (R15), [V8.B16, V9.B16, V10.B16, V11.B16]
	INTERLEAVE(V4, V5, V6, V6, V12, V13, V16, V17, V18, V19)
	FOURTAPS(16, 8)

summed:
	FINISH
	SUBS $1, R7, R7
	BNE  pixel
	ADD  R4, R3, R3
	ADD  $16, R2, R2
	CMP  R1, R2
	BLT  block
	RET

// COLUMN interleaves the next three taps at R13 in v0 to v3. It spoils V3 to V7.
#define COLUMN(v0, v1, v2, v3) \
	VMOVI  $0x80, V3.B16; \
	LDP.P  16(R13), (R16, R17); \
	MOVD.P 8(R13), R19; \
	TAP(16, 4, V4, V3); \
	TAP(17, 5, V5, V3); \
	TAP(19, 6, V6, V3); \
	INTERLEAVE(V4, V5, V6, V6, V7, V6, v0, v1, v2, v3)

#define COLUMN0 COLUMN(V20, V21, V22, V23)
#define COLUMN1 COLUMN(V24, V25, V26, V27)
#define COLUMN2 COLUMN(V28, V29, V30, V31)

// PIXEL computes a pixel of the columns whose first vectors are a, b and c.
#define PIXEL(a, b, c) \
	VLD1 (R10), [V0.S4, V1.S4, V2.S4, V3.S4]; \
	FOURTAPS(a, 8); \
	FOURTAPS(b, 12); \
	FOURTAPS(c, 16); \
	FINISH

// func dwconv3x3U8S8DotProd(args *DWConvU8S8Args)
//
// C is at least 16. Nine taps, the columns of a window one after the other, where a pixel whose window begins three taps later shares two of them.
TEXT ·dwconv3x3U8S8DotProd(SB), NOSPLIT, $112-8
	// V8-V19: weights; V20-V31: the columns.
	BLOCKS

block3x3:
	STARTBLOCK
	VLD1.P 64(R3), [V8.B16, V9.B16, V10.B16, V11.B16]
	VLD1.P 64(R3), [V12.B16, V13.B16, V14.B16, V15.B16]
	VLD1.P 64(R3), [V16.B16, V17.B16, V18.B16, V19.B16]
	CMP    $24, R8
	BNE    apart
	MOVD   R5, R13
	COLUMN0
	COLUMN1

shared:
	COLUMN2
	PIXEL(20, 24, 28)
	SUBS $1, R7, R7
	BEQ  nextBlock3x3
	COLUMN0
	PIXEL(24, 28, 20)
	SUBS $1, R7, R7
	BEQ  nextBlock3x3
	COLUMN1
	PIXEL(28, 20, 24)
	SUBS $1, R7, R7
	BNE  shared
	B    nextBlock3x3

apart:
	MOVD R5, R13
	COLUMN0
	COLUMN1
	COLUMN2
	PIXEL(20, 24, 28)
	SUBS $1, R7, R7
	BNE  apart

nextBlock3x3:
	ADD  $16, R2, R2
	CMP  R1, R2
	BLT  block3x3
	RET
