//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "tail_words_arm64.h"

#define TILEROWS 6

// MUL6 multiplies vector b of the panel by depth i of six rows, into vector j of their sums.
#define MUL6(j, b, i) \
	FMLA_LANE(0+j, b, 24, i);  \
	FMLA_LANE(4+j, b, 25, i);  \
	FMLA_LANE(8+j, b, 26, i);  \
	FMLA_LANE(12+j, b, 27, i); \
	FMLA_LANE(16+j, b, 28, i); \
	FMLA_LANE(20+j, b, 29, i)

// DEPTH6 is depth i of six rows by one panel, DEPTH6X8 by its first eight columns.
#define DEPTH6(i) \
	FLDPQ.P 32(R1), (F30, F31); \
	MUL6(0, 30, i);             \
	MUL6(1, 31, i);             \
	FLDPQ.P 32(R1), (F30, F31); \
	MUL6(2, 30, i);             \
	MUL6(3, 31, i)

#define DEPTH6X8(i) \
	FLDPQ.P 64(R1), (F30, F31); \
	MUL6(0, 30, i);             \
	MUL6(1, 31, i)

// DEPTH1 is depth i of one row by the panels at R1 and R25.
#define DEPTH1(i) \
	FLDPQ.P 32(R1), (F16, F17);  \
	FLDPQ.P 32(R25), (F20, F21); \
	FLDPQ.P 32(R1), (F18, F19);  \
	FLDPQ.P 32(R25), (F22, F23); \
	FMLA_LANE(0, 16, 24, i);     \
	FMLA_LANE(1, 17, 24, i);     \
	FMLA_LANE(4, 20, 24, i);     \
	FMLA_LANE(5, 21, 24, i);     \
	FMLA_LANE(2, 18, 24, i);     \
	FMLA_LANE(3, 19, 24, i);     \
	FMLA_LANE(6, 22, 24, i);     \
	FMLA_LANE(7, 23, 24, i)

// DEPTHS4 takes four depths of a kind.
#define DEPTHS4(depth) \
	depth(0); \
	depth(1); \
	depth(2); \
	depth(3)

// LOAD6 loads the next four depths of six rows, LOADONE6 the next one.
#define LOAD6 \
	FMOVQ.P 16(R8), F24;  \
	FMOVQ.P 16(R9), F25;  \
	FMOVQ.P 16(R10), F26; \
	FMOVQ.P 16(R11), F27; \
	FMOVQ.P 16(R12), F28; \
	FMOVQ.P 16(R13), F29

#define LOADONE6 \
	FMOVS.P 4(R8), F24;  \
	FMOVS.P 4(R9), F25;  \
	FMOVS.P 4(R10), F26; \
	FMOVS.P 4(R11), F27; \
	FMOVS.P 4(R12), F28; \
	FMOVS.P 4(R13), F29

#define LOAD1 FMOVQ.P 16(R8), F24

#define LOADONE1 FMOVS.P 4(R8), F24

// DEPTHS goes over the depths of a position, eight at a time, and then brings the weights at R14 nearer.
#define DEPTHS(load, loadOne, depth, depth8, rest4, rest1, depth1, done) \
	MOVD R24, R6;         \
	SUBS $8, R6;          \
	BLT  rest4;           \
depth8:                       \
	PRFM (R14), PLDL2KEEP; \
	load;                 \
	DEPTHS4(depth);       \
	load;                 \
	DEPTHS4(depth);       \
	ADD  R15, R14;        \
	SUBS $8, R6;          \
	BGE  depth8;          \
rest4:                        \
	ADDS $4, R6;          \
	BLT  rest1;           \
	load;                 \
	DEPTHS4(depth);       \
	SUB  $4, R6;          \
rest1:                        \
	ADDS $4, R6;          \
	BEQ  done;            \
depth1:                       \
	loadOne;              \
	depth(0);             \
	SUBS $1, R6;          \
	BNE  depth1;          \
done:

// PIXEL points r at the depths of the next row of the position.
#define PIXEL(r) \
	MOVW.P 4(R4), r;      \
	CMP    $0, r;         \
	ADD    R17, r;        \
	CSEL   LT, R19, r, r

// BOUNDS loads Lo and Hi.
#define BOUNDS \
	ADD   $IGemmF32Args_Lo, R0, R7; \
	VLD1R (R7), [V28.S4];           \
	ADD   $IGemmF32Args_Hi, R0, R7; \
	VLD1R (R7), [V29.S4]

// CLAMP bounds v; FMAX and FMIN keep a NaN.
#define CLAMP(v) \
	FMAX_4S(v, v, 28); \
	FMIN_4S(v, v, 29)

// ADDROW32 adds V16 to V23 to the sums of a single row.
#define ADDROW32 \
	FADD_4S(0, 0, 16); \
	FADD_4S(1, 1, 17); \
	FADD_4S(2, 2, 18); \
	FADD_4S(3, 3, 19); \
	FADD_4S(4, 4, 20); \
	FADD_4S(5, 5, 21); \
	FADD_4S(6, 6, 22); \
	FADD_4S(7, 7, 23)

#define CLEAR4(a, b, c, d) \
	VEOR a.B16, a.B16, a.B16; \
	VEOR b.B16, b.B16, b.B16; \
	VEOR c.B16, c.B16, c.B16; \
	VEOR d.B16, d.B16, d.B16

// STORE finishes a row of 16 columns, V(v) to V(v+3): R8 is the output, R9 the residual or 0, V24 to
// V27 the bias; the rest of the rows is done when R11 reaches 0.
#define STORE(v, a, b, c, d, nores) \
	FADD_4S(v, v, 24);         \
	FADD_4S(v+1, v+1, 25);     \
	FADD_4S(v+2, v+2, 26);     \
	FADD_4S(v+3, v+3, 27);     \
	CBZ   R9, nores;           \
	FLDPQ (R9), (F30, F31);    \
	FADD_4S(v, v, 30);         \
	FADD_4S(v+1, v+1, 31);     \
	FLDPQ 32(R9), (F30, F31);  \
	FADD_4S(v+2, v+2, 30);     \
	FADD_4S(v+3, v+3, 31);     \
	ADD   R10, R9;             \
nores:                             \
	CLAMP(v);                  \
	CLAMP(v+1);                \
	CLAMP(v+2);                \
	CLAMP(v+3);                \
	FSTPQ (a, b), (R8);        \
	FSTPQ (c, d), 32(R8);      \
	ADD   R7, R8;              \
	SUBS  $1, R11;             \
	BEQ   stored

// func igemmF32NEON(args *IGemmF32Args)
//
// V0 to V23 are the sums, four vectors of each row, V24 to V29 four depths of each row, V30 and V31 columns of the panel.
//
// R0 args, R1 panel, R2 columns left, R3 byte offset of the panel's columns, R4 offsets of the position's rows, R5
// positions left, R6 depths left, R7 scratch, R8-R13 the rows, R14 weights to come and R15 the step over them, R16 offsets of the tile, R17 what
// they count from, R19 padding, R20 rows left, R21 output and R22 residual (or 0) of the tile, R23 KS, R24 KC.
//
// The frame holds the offsets of a tile whose rows are a stride apart, and residuals and outputs of less than 16 columns.
TEXT ·igemmF32NEON(SB), 0, $800-8
	MOVD args+0(FP), R0
	MOVD IGemmF32Args_A(R0), R17
	MOVD IGemmF32Args_Offsets(R0), R16
	MOVD IGemmF32Args_Pad(R0), R19
	MOVD IGemmF32Args_M(R0), R20
	MOVD IGemmF32Args_C(R0), R21
	MOVD IGemmF32Args_Res(R0), R22
	MOVD IGemmF32Args_KS(R0), R23
	MOVD IGemmF32Args_KC(R0), R24
	MOVD IGemmF32Args_B(R0), R1
	MOVD IGemmF32Args_Next(R0), R14
	CMP  $0, R14
	CSEL EQ, R1, R14, R14

tile:
	MOVD IGemmF32Args_B(R0), R1
	MOVD IGemmF32Args_N(R0), R2
	MOVD $0, R3
	MOVD IGemmF32Args_Offsets(R0), R7
	CBNZ R7, panel

	// Rows a stride apart: the last tile repeats its last one.
	MOVD IGemmF32Args_AStride(R0), R8
	MOVD $offsets-24(SP), R16
	MOVD $TILEROWS, R6
	MOVD R16, R4
	MOVD R20, R5
	MOVD $0, R7

fill:
	MOVW.P R7, 4(R4)
	SUBS   $1, R5
	CSEL   GT, R8, ZR, R9
	ADD    R9, R7
	SUBS   $1, R6
	BNE    fill

panel:
	// The weights that a later call reads come near, evenly over the call.
	MOVD IGemmF32Args_NextStep(R0), R15
	MOVD IGemmF32Args_NextEnd(R0), R7
	CMP  R7, R14
	CSEL LO, R15, ZR, R15

	MOVD R16, R4
	MOVD R23, R5
	CLEAR4(V0, V1, V2, V3)
	CLEAR4(V4, V5, V6, V7)
	CMP  $1, R20
	BNE  six
	CMP  $32, R2
	BGE  row

six:
	CLEAR4(V8, V9, V10, V11)
	CLEAR4(V12, V13, V14, V15)
	CLEAR4(V16, V17, V18, V19)
	CLEAR4(V20, V21, V22, V23)

position:
	PIXEL(R8)
	PIXEL(R9)
	PIXEL(R10)
	PIXEL(R11)
	PIXEL(R12)
	PIXEL(R13)
	CMP  $8, R2
	BLE  narrow
	DEPTHS(LOAD6, LOADONE6, DEPTH6, depth8, rest4, rest1, depth1, positioned)
	SUBS $1, R5
	BNE  position

finish:
	// Bias, residual, bounds and store.
	MOVD IGemmF32Args_Bias(R0), R7
	ADD  R3, R7
	VLD1 (R7), [V24.S4, V25.S4, V26.S4, V27.S4]
	BOUNDS
	MOVD $TILEROWS, R7
	CMP  R7, R20
	CSEL LT, R20, R7, R11
	MOVD IGemmF32Args_CStride(R0), R7
	MOVD IGemmF32Args_ResStride(R0), R10
	ADD  R3, R21, R8
	ADD  R3, R22, R9
	CMP  $0, R22
	CSEL EQ, ZR, R9, R9
	CMP  $16, R2
	BLT  part

store:
	STORE(0, F0, F1, F2, F3, nores0)
	STORE(4, F4, F5, F6, F7, nores1)
	STORE(8, F8, F9, F10, F11, nores2)
	STORE(12, F12, F13, F14, F15, nores3)
	STORE(16, F16, F17, F18, F19, nores4)
	STORE(20, F20, F21, F22, F23, nores5)

stored:
	CMP  $16, R2
	BLT  unpack
	ADD  $64, R3
	SUBS $16, R2
	BGT  panel

nextTile:
	SUBS $TILEROWS, R20
	BLE  done
	MOVD $TILEROWS, R7
	MOVD IGemmF32Args_CStride(R0), R8
	MADD R7, R21, R8, R21
	MOVD IGemmF32Args_ResStride(R0), R8
	MADD R7, R22, R8, R8
	CMP  $0, R22
	CSEL EQ, ZR, R8, R22
	MOVD IGemmF32Args_Offsets(R0), R8
	CBZ  R8, strided
	MOVD $(4*TILEROWS), R7
	MADD R7, R16, R23, R16
	B    tile

strided:
	MOVD IGemmF32Args_AStride(R0), R8
	MADD R7, R17, R8, R17
	B    tile

done:
	RET

narrow:
	// At most eight columns are left: half the work.
	DEPTHS(LOAD6, LOADONE6, DEPTH6X8, narrow8, narrow4, narrow1, narrowOne, narrowed)
	SUBS $1, R5
	BNE  position
	B    finish

part:
	// Less than 16 columns go through the frame, in rows of 64 bytes.
	MOVD $64, R7
	MOVD $out-416(SP), R8
	CBZ  R9, store
	MOVD R9, R12
	MOVD $res-800(SP), R9
	MOVD R9, R13
	MOVD R11, R5

pack:
	MOVD R12, R4
	MOVD R13, R6
	COPYWORDS(R4, R6, R2, R25, V30, V31, pack4, pack2, pack1, packed)
	ADD  R10, R12
	ADD  $64, R13
	SUBS $1, R5
	BNE  pack
	MOVD $64, R10
	B    store

unpack:
	MOVD $TILEROWS, R7
	CMP  R7, R20
	CSEL LT, R20, R7, R5
	MOVD IGemmF32Args_CStride(R0), R7
	ADD  R3, R21, R12
	MOVD $out-416(SP), R13

unpackRow:
	MOVD R13, R4
	MOVD R12, R6
	COPYWORDS(R4, R6, R2, R25, V30, V31, unpack4, unpack2, unpack1, unpacked)
	ADD  R7, R12
	ADD  $64, R13
	SUBS $1, R5
	BNE  unpackRow
	B    nextTile

row:
	// One row takes two panels at a time, to keep as many sums in flight.
	MUL R23, R24, R25
	LSL $6, R25
	ADD R1, R25

rowPosition:
	PIXEL(R8)
	ADD  $(4*TILEROWS-4), R4
	DEPTHS(LOAD1, LOADONE1, DEPTH1, row8, row4, row1, rowOne, rowDone)
	SUBS $1, R5
	BNE  rowPosition

	MOVD R25, R1
	MOVD IGemmF32Args_Bias(R0), R7
	ADD  R3, R7
	VLD1.P 64(R7), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1 (R7), [V20.S4, V21.S4, V22.S4, V23.S4]
	BOUNDS
	ADD  R3, R21, R8
	ADDROW32
	CBZ  R22, rowStore
	ADD  R3, R22, R9
	VLD1.P 64(R9), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1 (R9), [V20.S4, V21.S4, V22.S4, V23.S4]
	ADDROW32

rowStore:
	CLAMP(0)
	CLAMP(1)
	CLAMP(2)
	CLAMP(3)
	CLAMP(4)
	CLAMP(5)
	CLAMP(6)
	CLAMP(7)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R8)
	VST1 [V4.S4, V5.S4, V6.S4, V7.S4], (R8)
	ADD  $128, R3
	SUBS $32, R2
	BGT  panel
	B    nextTile
