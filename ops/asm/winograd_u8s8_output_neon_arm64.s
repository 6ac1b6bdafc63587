//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "pair_arm64.h"
#include "narrow_arm64.h"
#include "tail_arm64.h"

// The transformations of the output of WinogradU8S8, of pairs of vectors: eight columns.

// OUT4: m0+m1+m2, m1-m2-m3, of the pairs 0 to 3 into 6 and 7.
#define OUT4 \
	ADD2(6, 0, 1); \
	SUB2(7, 1, 2); \
	ADD2(6, 6, 2); \
	SUB2(7, 7, 3)

// OUT6: with a = m1+m2, b = m1-m2, c = m3+m4 and d = m3-m4: m0-4a+c, d-2b, c-a, 2d-b+m5, of the pairs 0 to 5 into 6 to 9.
#define OUT6 \
	ADD2(10, 1, 2);   \
	SUB2(11, 1, 2);   \
	ADD2(12, 3, 4);   \
	SUB2(13, 3, 4);   \
	SHL2(6, 10, 2);   \
	ADD2(7, 11, 11);  \
	ADD2(9, 13, 13);  \
	SUB2(6, 0, 6);    \
	SUB2(7, 13, 7);   \
	SUB2(8, 12, 10);  \
	SUB2(9, 9, 11);   \
	ADD2(6, 6, 12);   \
	ADD2(9, 9, 5)

// LOADPOS steps R12 over the positions of M.
#define LOADPOS(v0, v1) \
	FLDPQ 0(R12), (v0, v1); \
	ADD   R3, R12

// SUM makes the sums of products of pixel i of the pair v, F(v0) and F(v1), that is 2^shift times them; SUM9 of one that is 9 * 2^shift
// times them, with V15 the inverse of 9. Sums have 64 bytes a pixel.
#define SUM(i, shift, v, v0, v1) \
	SSHR2(v, v, shift); \
	FSTPQ (v0, v1), (64*(i))(R8)

#define SUM9(i, shift, v, v0, v1) \
	MUL_4S(v, v, 15); \
	MUL_4S(16+v, 16+v, 15); \
	SUM(i, shift, v, v0, v1)

#define DOWN2(i) \
	FLDPQ (32*(i))(R5), (F0, F16); \
	FLDPQ (32*(i)+64)(R5), (F1, F17); \
	FLDPQ (32*(i)+128)(R5), (F2, F18); \
	FLDPQ (32*(i)+192)(R5), (F3, F19); \
	OUT4; \
	SUM(i, 2, 6, F6, F22); \
	SUM(i+2, 2, 7, F7, F23)

#define DOWN4(i, shift) \
	FLDPQ (32*(i))(R5), (F0, F16); \
	FLDPQ (32*(i)+128)(R5), (F1, F17); \
	FLDPQ (32*(i)+256)(R5), (F2, F18); \
	FLDPQ (32*(i)+384)(R5), (F3, F19); \
	FLDPQ (32*(i)+512)(R5), (F4, F20); \
	FLDPQ (32*(i)+640)(R5), (F5, F21); \
	OUT6; \
	SUM9(i, shift, 6, F6, F22); \
	SUM9(i+4, shift-1, 7, F7, F23); \
	SUM9(i+8, shift-2, 8, F8, F24); \
	SUM9(i+12, shift-2, 9, F9, F25)

// OUTPUT2 and OUTPUT4 transform eight columns of a tile of 2 x 2 or 4 x 4 pixels, rows first.
#define OUTPUT2 \
	MOVD R5, R14; \
	MOVD $4, R13; \
rows: \
	LOADPOS(F0, F16); \
	LOADPOS(F1, F17); \
	LOADPOS(F2, F18); \
	LOADPOS(F3, F19); \
	OUT4; \
	FSTPQ.P (F6, F22), 32(R14); \
	FSTPQ.P (F7, F23), 32(R14); \
	SUBS $1, R13; \
	BNE  rows; \
	DOWN2(0); \
	DOWN2(1)

#define OUTPUT4 \
	MOVW $0x38E38E39, R13; \
	VDUP R13, V15.S4; \
	MOVD R5, R14; \
	MOVD $6, R13; \
rows: \
	LOADPOS(F0, F16); \
	LOADPOS(F1, F17); \
	LOADPOS(F2, F18); \
	LOADPOS(F3, F19); \
	LOADPOS(F4, F20); \
	LOADPOS(F5, F21); \
	OUT6; \
	FSTPQ.P (F6, F22), 32(R14); \
	FSTPQ.P (F7, F23), 32(R14); \
	FSTPQ.P (F8, F24), 32(R14); \
	FSTPQ.P (F9, F25), 32(R14); \
	SUBS $1, R13; \
	BNE  rows; \
	DOWN4(0, 6); \
	DOWN4(1, 5); \
	DOWN4(2, 4); \
	DOWN4(3, 4)

// COLUMNS16 loads what there is for each of 16 columns, at R20.
#define COLUMNS16(v0, v1, v2, v3) VLD1 (R20), [v0.S4, v1.S4, v2.S4, v3.S4]

// Four vectors at a time, those of a pixel and of what there is for its columns.
#define ADDBIAS \
	VADD V28.S4, V0.S4, V0.S4; \
	VADD V29.S4, V1.S4, V1.S4; \
	VADD V30.S4, V2.S4, V2.S4; \
	VADD V31.S4, V3.S4, V3.S4

#define FADD4(with) \
	FADD_4S(0, 0, with); \
	FADD_4S(1, 1, with+1); \
	FADD_4S(2, 2, with+2); \
	FADD_4S(3, 3, with+3)

#define FMUL4(with) \
	FMUL_4S(0, 0, with); \
	FMUL_4S(1, 1, with+1); \
	FMUL_4S(2, 2, with+2); \
	FMUL_4S(3, 3, with+3)

// func winograd2OutputS32NEON(args *WinogradOutputArgs, output igemmOutput)
TEXT ·winograd2OutputS32NEON(SB), 0, $640-9
#define PIXELS 4
#define SUMS $sums-384(SP)
#define VALUES $values-640(SP)
#define TRANSFORM OUTPUT2
#include "winograd_u8s8_finish_arm64.h"

#undef SUMS
#undef VALUES
#undef PIXELS
#undef TRANSFORM

// func winograd4OutputS32NEON(args *WinogradOutputArgs, output igemmOutput)
TEXT ·winograd4OutputS32NEON(SB), 0, $1920-9
#define PIXELS 16
#define SUMS $sums-1152(SP)
#define VALUES $values-1920(SP)
#define TRANSFORM OUTPUT4
#include "winograd_u8s8_finish_arm64.h"
