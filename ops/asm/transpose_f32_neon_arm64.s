//go:build !purego

#include "textflag.h"

// FOURROWS makes of four rows a to d of four columns those columns p to s.
#define FOURROWS(a, b, c, d, p, q, r, s) \
	VZIP1 b.S4, a.S4, V24.S4;   \
	VZIP2 b.S4, a.S4, V25.S4;   \
	VZIP1 d.S4, c.S4, V26.S4;   \
	VZIP2 d.S4, c.S4, V27.S4;   \
	VZIP1 V26.D2, V24.D2, p.D2; \
	VZIP2 V26.D2, V24.D2, q.D2; \
	VZIP1 V27.D2, V25.D2, r.D2; \
	VZIP2 V27.D2, V25.D2, s.D2

// STOREFOUR stores four columns of eight rows.
#define STOREFOUR \
	VST1.P [V16.S4, V17.S4], (R3)(R7); \
	VST1.P [V18.S4, V19.S4], (R3)(R7); \
	VST1.P [V20.S4, V21.S4], (R3)(R7); \
	VST1.P [V22.S4, V23.S4], (R3)(R7)

// func transposeF32NEON(dst, src *float32, rows, cols, dstStride, srcStride int)
//
// Blocks of 8 x 8, down the rows so that each row of dst is written in order. R0 and R1 the first block of the column in dst and src, R2 rows
// left, R3 and R5 the block, R4 columns left, R6 and R7 the strides of src and dst in bytes, R8 the next block in dst; V0 to V15 the rows.
TEXT ·transposeF32NEON(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD cols+24(FP), R4
	MOVD dstStride+32(FP), R7
	MOVD srcStride+40(FP), R6
	LSL  $2, R6
	LSL  $2, R7

column:
	MOVD rows+16(FP), R2
	MOVD R0, R8
	MOVD R1, R5

block:
	MOVD   R8, R3
	VLD1.P (R5)(R6), [V0.S4, V1.S4]
	VLD1.P (R5)(R6), [V2.S4, V3.S4]
	VLD1.P (R5)(R6), [V4.S4, V5.S4]
	VLD1.P (R5)(R6), [V6.S4, V7.S4]
	VLD1.P (R5)(R6), [V8.S4, V9.S4]
	VLD1.P (R5)(R6), [V10.S4, V11.S4]
	VLD1.P (R5)(R6), [V12.S4, V13.S4]
	VLD1.P (R5)(R6), [V14.S4, V15.S4]
	FOURROWS(V0, V2, V4, V6, V16, V18, V20, V22)
	FOURROWS(V8, V10, V12, V14, V17, V19, V21, V23)
	STOREFOUR
	FOURROWS(V1, V3, V5, V7, V16, V18, V20, V22)
	FOURROWS(V9, V11, V13, V15, V17, V19, V21, V23)
	STOREFOUR
	ADD    $32, R8
	SUBS   $8, R2
	BGT    block

	ADD  $32, R1
	ADD  R7<<3, R0
	SUBS $8, R4
	BGT  column
	RET

// func transposeRGBF32NEON(dst, src *float32, cols, srcStride int)
//
// Three rows of eight columns become 24 values in a row. R0 dst, R1, R2 and R3 the rows, R4 columns left.
TEXT ·transposeRGBF32NEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD cols+16(FP), R4
	MOVD srcStride+24(FP), R3
	ADD  R3<<2, R1, R2
	ADD  R3<<2, R2, R3

pixels:
	VLD1.P 16(R1), [V0.S4]
	VLD1.P 16(R2), [V1.S4]
	VLD1.P 16(R3), [V2.S4]
	VLD1.P 16(R1), [V3.S4]
	VLD1.P 16(R2), [V4.S4]
	VLD1.P 16(R3), [V5.S4]
	VST3.P [V0.S4, V1.S4, V2.S4], 48(R0)
	VST3.P [V3.S4, V4.S4, V5.S4], 48(R0)
	SUBS   $8, R4
	BGT    pixels
	RET
