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

// MUL3 multiplies vector b of a panel by depth i of three rows, into vector j of their sums; DEPTH3 is depth i of three rows by the
// panels at R1 and R25.
#define MUL3(j, b, i) \
	FMLA_LANE(0+j, b, 24, i); \
	FMLA_LANE(8+j, b, 25, i); \
	FMLA_LANE(16+j, b, 26, i)

#define DEPTH3(i) \
	FLDPQ.P 32(R1), (F27, F28);  \
	FLDPQ.P 32(R25), (F29, F30); \
	MUL3(0, 27, i);              \
	MUL3(1, 28, i);              \
	MUL3(4, 29, i);              \
	MUL3(5, 30, i);              \
	FLDPQ.P 32(R1), (F27, F28);  \
	FLDPQ.P 32(R25), (F29, F30); \
	MUL3(2, 27, i);              \
	MUL3(3, 28, i);              \
	MUL3(6, 29, i);              \
	MUL3(7, 30, i)

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

#define LOAD3 \
	FMOVQ.P 16(R8), F24; \
	FMOVQ.P 16(R9), F25; \
	FMOVQ.P 16(R10), F26

#define LOADONE3 \
	FMOVS.P 4(R8), F24; \
	FMOVS.P 4(R9), F25; \
	FMOVS.P 4(R10), F26

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

// ADD32 adds the 32 values at r to V(v) to V(v+7).
#define ADD32(v, r) \
	FLDPQ (r), (F24, F25);   \
	FLDPQ 32(r), (F26, F27); \
	FADD_4S(v, v, 24);       \
	FADD_4S(v+1, v+1, 25);   \
	FADD_4S(v+2, v+2, 26);   \
	FADD_4S(v+3, v+3, 27);   \
	FLDPQ 64(r), (F24, F25); \
	FLDPQ 96(r), (F26, F27); \
	FADD_4S(v+4, v+4, 24);   \
	FADD_4S(v+5, v+5, 25);   \
	FADD_4S(v+6, v+6, 26);   \
	FADD_4S(v+7, v+7, 27)

// STORE32 finishes a row of 32 columns, V(v) to V(v+7); R12 is the bias, the rest as in STORE.
#define STORE32(v, a, b, c, d, e, f, g, h, nores) \
	ADD32(v, R12);          \
	CBZ   R9, nores;        \
	ADD32(v, R9);           \
	ADD   R10, R9;          \
nores:                          \
	CLAMP(v);               \
	CLAMP(v+1);             \
	CLAMP(v+2);             \
	CLAMP(v+3);             \
	CLAMP(v+4);             \
	CLAMP(v+5);             \
	CLAMP(v+6);             \
	CLAMP(v+7);             \
	FSTPQ (a, b), (R8);     \
	FSTPQ (c, d), 32(R8);   \
	FSTPQ (e, f), 64(R8);   \
	FSTPQ (g, h), 96(R8);   \
	ADD   R7, R8;           \
	SUBS  $1, R11;          \
	BEQ   stored32

// EPILOGUE points R8, R9 and R12 at the first row's outputs, residual and bias, R7 and R10 being the steps to the next row, and sets R11 to the rows of the tile.
#define EPILOGUE \
	BOUNDS;                               \
	MOVD IGemmF32Args_Bias(R0), R12;      \
	ADD  R3, R12;                         \
	MOVD $TILEROWS, R7;                   \
	CMP  R7, R20;                         \
	CSEL LT, R20, R7, R11;                \
	MOVD IGemmF32Args_CStride(R0), R7;    \
	MOVD IGemmF32Args_ResStride(R0), R10; \
	ADD  R3, R21, R8;                     \
	ADD  R3, R22, R9;                     \
	CMP  $0, R22;                         \
	CSEL EQ, ZR, R9, R9

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
	CMP  $3, R20
	BGT  six
	CMP  $32, R2
	BGE  few

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
	EPILOGUE
	VLD1 (R12), [V24.S4, V25.S4, V26.S4, V27.S4]
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
	MOVD IGemmF32Args_BGap(R0), R7
	ADD  R7, R1
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

few:
	// Few rows take two panels at a time, to keep as many sums in flight; R25 is the second.
	MUL  R23, R24, R25
	LSL  $6, R25
	ADD  R1, R25
	MOVD IGemmF32Args_BGap(R0), R7
	ADD  R7, R25
	CMP  $1, R20
	BEQ  row
	CLEAR4(V8, V9, V10, V11)
	CLEAR4(V12, V13, V14, V15)
	CLEAR4(V16, V17, V18, V19)
	CLEAR4(V20, V21, V22, V23)

fewPosition:
	PIXEL(R8)
	PIXEL(R9)
	PIXEL(R10)
	ADD  $(4*TILEROWS-12), R4
	DEPTHS(LOAD3, LOADONE3, DEPTH3, few8, few4, few1, fewOne, fewDone)
	SUBS $1, R5
	BNE  fewPosition
	B    finish32

row:
	PIXEL(R8)
	ADD  $(4*TILEROWS-4), R4
	DEPTHS(LOAD1, LOADONE1, DEPTH1, row8, row4, row1, rowOne, rowDone)
	SUBS $1, R5
	BNE  row

finish32:
	MOVD IGemmF32Args_BGap(R0), R1
	ADD  R25, R1
	EPILOGUE
	STORE32(0, F0, F1, F2, F3, F4, F5, F6, F7, nores6)
	STORE32(8, F8, F9, F10, F11, F12, F13, F14, F15, nores7)
	STORE32(16, F16, F17, F18, F19, F20, F21, F22, F23, nores8)

stored32:
	ADD  $128, R3
	SUBS $32, R2
	BGT  panel
	B    nextTile
