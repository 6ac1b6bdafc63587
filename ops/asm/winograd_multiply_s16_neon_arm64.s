//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

// A 6 x 16 tile: SMLAL by element adds exact products of 16 bits in int32. V0-V5: depths of the rows, V6, V7: weights of columns 0-7
// and 8-15 of one depth, V(8+4r) and the three behind: sums of row r.
//
// R0 args, R1 positions left, R2, R3, R4 the position in V, U and C, R5 bytes of a row of V, R6 rows left, R7 the rows in V, R8 in C; R9 to R14
// the depths of each row, R15 weights, R16 depths left.

// Rows by eight columns each, at depth i of those in V0 to V5.
#define ROW0TO7(r, i) \
	SMLAL_LANE_4S(8+4*r, 6, r, i); \
	SMLAL2_LANE_4S(9+4*r, 6, r, i)

#define ROW8TO15(r, i) \
	SMLAL_LANE_4S(10+4*r, 7, r, i); \
	SMLAL2_LANE_4S(11+4*r, 7, r, i)

#define EACH1(op, i) op(0, i)
#define EACH2(op, i) op(0, i); op(1, i)
#define EACH4(op, i) EACH2(op, i); op(2, i); op(3, i)
#define EACH6(op, i) EACH4(op, i); op(4, i); op(5, i)

#define LOAD1(load, step) load step(R9), F0
#define LOAD2(load, step) LOAD1(load, step); load step(R10), F1
#define LOAD4(load, step) LOAD2(load, step); load step(R11), F2; load step(R12), F3
#define LOAD6(load, step) LOAD4(load, step); load step(R13), F4; load step(R14), F5

// DEPTH multiplies by one depth of weights and loads half of the next one as soon as its registers are free; LASTDEPTH loads none.
#define DEPTH(each, i) \
	each(ROW0TO7, i);             \
	FMOVQ (32*(i)+32)(R15), F6;   \
	each(ROW8TO15, i);            \
	FMOVQ (32*(i)+48)(R15), F7

#define LASTDEPTH(each, i) \
	each(ROW0TO7, i); \
	each(ROW8TO15, i)

#define WEIGHTS \
	FMOVQ 0(R15), F6; \
	FMOVQ 16(R15), F7

// DEPTHS takes all depths, eight at a time, then four.
#define DEPTHS(load, each, depths8, depths4, done) \
	SUBS $8, R16; \
	BLT  depths4; \
depths8: \
	load(FMOVQ.P, 16); \
	WEIGHTS; \
	DEPTH(each, 0); \
	DEPTH(each, 1); \
	DEPTH(each, 2); \
	DEPTH(each, 3); \
	DEPTH(each, 4); \
	DEPTH(each, 5); \
	DEPTH(each, 6); \
	LASTDEPTH(each, 7); \
	ADD  $256, R15; \
	SUBS $8, R16; \
	BGE  depths8; \
depths4: \
	ADDS $8, R16; \
	BEQ  done; \
	load(FMOVD.P, 8); \
	WEIGHTS; \
	DEPTH(each, 0); \
	DEPTH(each, 1); \
	DEPTH(each, 2); \
	LASTDEPTH(each, 3); \
done:

// CLEAR and LOADSUMS begin a row with zeros or with what C holds, END stores it and steps R8 to the next.
#define CLEAR(v0, v1, v2, v3) \
	VEOR v0.B16, v0.B16, v0.B16; \
	VEOR v1.B16, v1.B16, v1.B16; \
	VEOR v2.B16, v2.B16, v2.B16; \
	VEOR v3.B16, v3.B16, v3.B16

#define LOADSUMS(v0, v1, v2, v3) VLD1.P 64(R17), [v0.S4, v1.S4, v2.S4, v3.S4]
#define END(v0, v1, v2, v3) VST1.P [v0.S4, v1.S4, v2.S4, v3.S4], 64(R8)

#define SUMS1(op) op(V8, V9, V10, V11)
#define SUMS2(op) SUMS1(op); op(V12, V13, V14, V15)
#define SUMS4(op) SUMS2(op); op(V16, V17, V18, V19); op(V20, V21, V22, V23)
#define SUMS6(op) SUMS4(op); op(V24, V25, V26, V27); op(V28, V29, V30, V31)

// ROWS computes so many rows; R17 is not 0 where they are added to what C holds.
#define ROWS(count, sums, load, each, clear, begun, depths8, depths4, done) \
	CBZ  R17, clear; \
	sums(LOADSUMS); \
	B    begun; \
clear: \
	sums(CLEAR); \
begun: \
	DEPTHS(load, each, depths8, depths4, done); \
	sums(END); \
	SUBS $count, R6

// func winogradMultiplyS16NEON(args *WinogradMultiplyArgs)
TEXT ·winogradMultiplyS16NEON(SB), NOSPLIT, $0-8
	MOVD args+0(FP), R0
	MOVD WinogradMultiplyArgs_Positions(R0), R1
	MOVD WinogradMultiplyArgs_V(R0), R2
	MOVD WinogradMultiplyArgs_U(R0), R3
	MOVD WinogradMultiplyArgs_C(R0), R4
	MOVD WinogradMultiplyArgs_K(R0), R5
	LSL  $1, R5

position:
	MOVD WinogradMultiplyArgs_M(R0), R6
	MOVD R2, R7
	MOVD R4, R8

rows:
	MOVD R7, R9
	ADD  R5, R9, R10
	ADD  R5, R10, R11
	ADD  R5, R11, R12
	ADD  R5, R12, R13
	ADD  R5, R13, R14
	MOVD R3, R15
	MOVD WinogradMultiplyArgs_K(R0), R16
	MOVBU WinogradMultiplyArgs_Add(R0), R17
	CMP  $0, R17
	CSEL NE, R8, ZR, R17
	CMP  $6, R6
	BGE  six
	CMP  $4, R6
	BGE  four
	CMP  $2, R6
	BGE  two
	ROWS(1, SUMS1, LOAD1, EACH1, clear1, begun1, depths8x1, depths4x1, done1)
	B    nextPosition

six:
	ADD  R5, R14, R7
	ROWS(6, SUMS6, LOAD6, EACH6, clear6, begun6, depths8x6, depths4x6, done6)
	BNE  rows
	B    nextPosition

four:
	MOVD R13, R7
	ROWS(4, SUMS4, LOAD4, EACH4, clear4, begun4, depths8x4, depths4x4, done4)
	BNE  rows
	B    nextPosition

two:
	MOVD R11, R7
	ROWS(2, SUMS2, LOAD2, EACH2, clear2, begun2, depths8x2, depths4x2, done2)
	BNE  rows

nextPosition:
	MOVD WinogradMultiplyArgs_VStride(R0), R9
	MOVD WinogradMultiplyArgs_UStride(R0), R10
	MOVD WinogradMultiplyArgs_CStride(R0), R11
	ADD  R9, R2
	ADD  R10, R3
	ADD  R11, R4
	SUBS $1, R1
	BNE  position
	RET
