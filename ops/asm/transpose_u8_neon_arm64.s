//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// ZIP8 interleaves four vectors a with four vectors b, bytes 4, 2 or 1 rows apart.
#define ZIP8(a0, b0, a1, b1, a2, b2, a3, b3, c0, c1, c2, c3, c4, c5, c6, c7) \
	VZIP1 b0.B16, a0.B16, c0.B16; \
	VZIP2 b0.B16, a0.B16, c1.B16; \
	VZIP1 b1.B16, a1.B16, c2.B16; \
	VZIP2 b1.B16, a1.B16, c3.B16; \
	VZIP1 b2.B16, a2.B16, c4.B16; \
	VZIP2 b2.B16, a2.B16, c5.B16; \
	VZIP1 b3.B16, a3.B16, c6.B16; \
	VZIP2 b3.B16, a3.B16, c7.B16

// STORE2 writes 8 bytes to each of two rows of the result at R9, R6 apart.
#define STORE2(v) \
	VST1 v.D[0], (R9); \
	ADD  R6, R9, R9; \
	VST1 v.D[1], (R9); \
	ADD  R6, R9, R9

#define LOADROW(v) \
	VLD1 (R8), [v.B16]; \
	ADD  R5, R8, R8

// func transposeU8NEON(args *TransposeU8Args)
//
// M is at least 8 and N at least 16: blocks of 8 x 16, of which the last in each direction may
// overlap the one before.
TEXT ·transposeU8NEON(SB), NOSPLIT, $0-8
	// R1, R2: row and column of the block, R3, R4: the last ones; R5, R6: strides.
	MOVD args+0(FP), R0
	MOVD TransposeU8Args_M(R0), R3
	SUB  $8, R3, R3
	MOVD TransposeU8Args_N(R0), R4
	SUB  $16, R4, R4
	MOVD TransposeU8Args_SrcStride(R0), R5
	MOVD TransposeU8Args_DstStride(R0), R6
	MOVD ZR, R2

columns:
	MOVD ZR, R1

block:
	// R8: source, R9: result.
	MOVD TransposeU8Args_Src(R0), R8
	MADD R5, R8, R1, R8
	ADD  R2, R8, R8
	MOVD TransposeU8Args_Dst(R0), R9
	MADD R6, R9, R2, R9
	ADD  R1, R9, R9
	LOADROW(V0)
	LOADROW(V1)
	LOADROW(V2)
	LOADROW(V3)
	LOADROW(V4)
	LOADROW(V5)
	LOADROW(V6)
	LOADROW(V7)

	// Interleave rows 4 apart, then 2, then 1: each column becomes 8 bytes.
	ZIP8(V0, V4, V1, V5, V2, V6, V3, V7, V8, V12, V9, V13, V10, V14, V11, V15)
	ZIP8(V8, V10, V9, V11, V12, V14, V13, V15, V0, V2, V1, V3, V4, V6, V5, V7)
	ZIP8(V0, V1, V2, V3, V4, V5, V6, V7, V8, V9, V10, V11, V12, V13, V14, V15)
	STORE2(V8)
	STORE2(V9)
	STORE2(V10)
	STORE2(V11)
	STORE2(V12)
	STORE2(V13)
	STORE2(V14)
	STORE2(V15)

	// Next block.
	CMP  R3, R1
	BGE  rowsDone
	ADD  $8, R1, R1
	CMP  R3, R1
	CSEL GT, R3, R1, R1
	B    block

rowsDone:
	CMP  R4, R2
	BGE  done
	ADD  $16, R2, R2
	CMP  R4, R2
	CSEL GT, R4, R2, R2
	B    columns

done:
	RET

// func interleaveU8NEON(args *TransposeU8Args)
//
// Up to 4 rows of at least 16 bytes become pixels of 3 bytes, where there are 3 rows and no other channel, or 4 without gaps.
TEXT ·interleaveU8NEON(SB), NOSPLIT, $0-8
	// V0-V3: rows, those that do not exist hold Fill; R1 to R4: their pointers, R5: result, R6: column, R7: the last one, R8: rows.
	MOVD  args+0(FP), R0
	MOVD  TransposeU8Args_M(R0), R8
	MOVD  TransposeU8Args_Src(R0), R1
	MOVD  TransposeU8Args_SrcStride(R0), R9
	ADD   R9, R1, R2
	ADD   R9, R2, R3
	ADD   R9, R3, R4
	MOVD  TransposeU8Args_N(R0), R7
	SUB   $16, R7, R7
	MOVBU TransposeU8Args_Fill(R0), R9
	VDUP  R9, V1.B16
	VDUP  R9, V2.B16
	VDUP  R9, V3.B16
	MOVD  ZR, R6

interleave:
	ADD  R6, R1, R9
	VLD1 (R9), [V0.B16]
	CMP  $2, R8
	BLT  loaded
	ADD  R6, R2, R9
	VLD1 (R9), [V1.B16]
	BEQ  loaded
	ADD  R6, R3, R9
	VLD1 (R9), [V2.B16]
	CMP  $4, R8
	BLT  loaded
	ADD  R6, R4, R9
	VLD1 (R9), [V3.B16]

loaded:
	MOVD TransposeU8Args_Dst(R0), R5
	MOVD TransposeU8Args_Pad(R0), R9
	MADD R9, R5, R6, R5
	CMP  $3, R9
	BEQ  three
	VST4 [V0.B16, V1.B16, V2.B16, V3.B16], (R5)
	B    stored

three:
	VST3 [V0.B16, V1.B16, V2.B16], (R5)

stored:
	CMP  R7, R6
	BGE  interleaved
	ADD  $16, R6, R6
	CMP  R7, R6
	CSEL GT, R7, R6, R6
	B    interleave

interleaved:
	RET
