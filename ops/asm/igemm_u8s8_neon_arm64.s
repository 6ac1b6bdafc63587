//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "narrow_arm64.h"
#include "tail_arm64.h"
#include "igemm_u8s8_signed_arm64.h"

// Blocks of 4 x 4 sums, 16 depths at a time: 16 bits hold two products of signed bytes unless all four are -128, of which the head of the
// panel tells for each block; SADALP adds neighbours into 32 bits. V(4r+j): four partial sums of row r and column j; V16-V19: 16
// depths of the rows; V20-V23: of the columns; V24-V31: products.

#define TILEROWS 4
#define HEAD 80
#define DEPTHSTEP 16

#define EACH1(op, j) op(0, j)
#define EACH2(op, j) op(0, j); op(1, j)
#define EACH4(op, j) op(0, j); op(1, j); op(2, j); op(3, j)

// Two products to a lane, those of column j in V(24+4(j%2)) and after.
#define LOWER(r, j) SMULL_8H(24+r+4*(j&1), 16+r, 20+j)
#define UPPER(r, j) SMLAL2_8H(24+r+4*(j&1), 16+r, 20+j)
#define ADDBOTH(r, j) SADALP_4S(4*r+j, 24+r+4*(j&1))
#define FAST(each, j) \
	each(LOWER, j); \
	each(UPPER, j); \
	each(ADDBOTH, j)

// One product to a lane.
#define LOWER1(r, j) SMULL_8H(24+r, 16+r, 20+j)
#define UPPER1(r, j) SMULL2_8H(28+r, 16+r, 20+j)
#define ADDLOWER(r, j) SADALP_4S(4*r+j, 24+r)
#define ADDUPPER(r, j) SADALP_4S(4*r+j, 28+r)
#define EXACT(each, j) \
	each(LOWER1, j); \
	each(UPPER1, j); \
	each(ADDLOWER, j); \
	each(ADDUPPER, j)

// DEPTHS is the loop over R12 depths, R13: weights.
#define DEPTHS(form, each, sixteen) \
sixteen: \
	FLDPQ.P 32(R11), (F16, F17); \
	FLDPQ.P 32(R11), (F18, F19); \
	FLDPQ.P 32(R13), (F20, F21); \
	FLDPQ.P 32(R13), (F22, F23); \
	form(each, 0); \
	form(each, 1); \
	form(each, 2); \
	form(each, 3); \
	SUBS $16, R12, R12; \
	BGT  sixteen

// ROWS chooses by the rows of the tile.
#define ROWS(form, rows2, rows4, one, two, four) \
	CMP $2, R3; \
	BEQ rows2; \
	BGT rows4; \
	DEPTHS(form, EACH1, one); \
	B   multiplied; \
rows2: \
	DEPTHS(form, EACH2, two); \
	B   multiplied; \
rows4: \
	DEPTHS(form, EACH4, four)

#define CLEAR4(v0, v1, v2, v3) \
	VEOR v0.B16, v0.B16, v0.B16; \
	VEOR v1.B16, v1.B16, v1.B16; \
	VEOR v2.B16, v2.B16, v2.B16; \
	VEOR v3.B16, v3.B16, v3.B16

// SUM4 adds up the partial sums of a row, and V16, and stores the sums for the row that follows R20.
#define SUM4(v0, v1, v2, v3) \
	VADDP v1.S4, v0.S4, v0.S4; \
	VADDP v3.S4, v2.S4, v2.S4; \
	VADDP v2.S4, v0.S4, v0.S4; \
	VADD  V16.S4, v0.S4, v0.S4; \
	VST1  [v0.S4], (R20); \
	ADD   $64, R20, R20

// R14: first column of a block, R15: its sums in scratch, R16: what the head adds, R17: flags, R19: the last block ends there.
#define MULTIPLY \
	MOVD IGemmU8S8Args_N(R0), R19; \
	ADD  $16, R2, R20; \
	CMP  R19, R20; \
	CSEL LT, R20, R19, R19; \
	MOVD R2, R14; \
	MOVD R8, R15; \
	MOVD R1, R16; \
	ADD  $64, R1, R17; \
	ADD  $HEAD, R1, R13; \
block: \
	ADD  $ACCUMULATORS, R8, R11; \
	MOVD R10, R12; \
	CLEAR4(V0, V1, V2, V3); \
	CLEAR4(V4, V5, V6, V7); \
	CLEAR4(V8, V9, V10, V11); \
	CLEAR4(V12, V13, V14, V15); \
	MOVWU.P 4(R17), R20; \
	CBNZ R20, exactly; \
	ROWS(FAST, fast2, fast4, one, two, four); \
	B    multiplied; \
exactly: \
	ROWS(EXACT, exact2, exact4, exactOne, exactTwo, exactFour); \
multiplied: \
	MOVD IGemmU8S8Args_Bias(R0), R20; \
	ADD  R14<<2, R20, R20; \
	VLD1 (R20), [V16.S4]; \
	VLD1.P 16(R16), [V17.S4]; \
	VADD V17.S4, V16.S4, V16.S4; \
	MOVD R15, R20; \
	SUM4(V0, V1, V2, V3); \
	SUM4(V4, V5, V6, V7); \
	SUM4(V8, V9, V10, V11); \
	SUM4(V12, V13, V14, V15); \
	ADD  $16, R15, R15; \
	ADD  $4, R14, R14; \
	CMP  R19, R14; \
	BLT  block

// func igemmU8S8NEON(args *IGemmU8S8Args, output igemmOutput)
TEXT ·igemmU8S8NEON(SB), NOSPLIT, $128-9
	MOVD args+0(FP), R0
#include "igemm_u8s8_body_arm64.h"
