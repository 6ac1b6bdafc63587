//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "narrow_arm64.h"
#include "tail_arm64.h"
#include "igemm_u8s8_signed_arm64.h"

// A 6 x 16 tile. SDOT adds exact products of four depths; the four bytes of A are an element of its row's 16. V0-V23: sums, four vectors
// a row; V24-V29: 16 depths of the rows; V30, V31: weights.

#define TILEROWS 6
#define HEAD 64
#define DEPTHSTEP 4

// ROW adds four depths, element i of V(24+r), to half h of row r.
#define ROW(r, h, i) \
	SDOT_LANE(4*r+2*h, 30, 24+r, i); \
	SDOT_LANE(4*r+2*h+1, 31, 24+r, i)

#define ROWS1(h, i) ROW(0, h, i)
#define ROWS2(h, i) ROWS1(h, i); ROW(1, h, i)
#define ROWS4(h, i) ROWS2(h, i); ROW(2, h, i); ROW(3, h, i)
#define ROWS6(h, i) ROWS4(h, i); ROW(4, h, i); ROW(5, h, i)

// FOUR adds four depths to all rows.
#define FOUR(rows, i) \
	FMOVQ.P 16(R13), F30; \
	FMOVQ.P 16(R13), F31; \
	rows(0, i); \
	FMOVQ.P 16(R13), F30; \
	FMOVQ.P 16(R13), F31; \
	rows(1, i)

#define LOADA \
	FLDPQ.P 32(R11), (F24, F25); \
	FLDPQ.P 32(R11), (F26, F27); \
	FLDPQ.P 32(R11), (F28, F29)

// DEPTHS is the loop over R12 depths, R13: weights; the last 4, 8 or 12 take their elements of 16.
#define DEPTHS(rows, sixteen, rest) \
	SUBS $16, R12, R12; \
	BLT  rest; \
sixteen: \
	LOADA; \
	FOUR(rows, 0); \
	FOUR(rows, 1); \
	FOUR(rows, 2); \
	FOUR(rows, 3); \
	SUBS $16, R12, R12; \
	BGE  sixteen; \
rest: \
	ADDS $16, R12, R12; \
	BEQ  multiplied; \
	LOADA; \
	FOUR(rows, 0); \
	SUBS $4, R12, R12; \
	BEQ  multiplied; \
	FOUR(rows, 1); \
	SUBS $4, R12, R12; \
	BEQ  multiplied; \
	FOUR(rows, 2); \
	B    multiplied

// CLEAR4 sets the sums of a row to 0.
#define CLEAR4(v0, v1, v2, v3) \
	VEOR v0.B16, v0.B16, v0.B16; \
	VEOR v1.B16, v1.B16, v1.B16; \
	VEOR v2.B16, v2.B16, v2.B16; \
	VEOR v3.B16, v3.B16, v3.B16

// STORE4 adds V24-V27 to the sums of a row and stores them.
#define STORE4(v0, v1, v2, v3) \
	VADD   V24.S4, v0.S4, v0.S4; \
	VADD   V25.S4, v1.S4, v1.S4; \
	VADD   V26.S4, v2.S4, v2.S4; \
	VADD   V27.S4, v3.S4, v3.S4; \
	VST1.P [v0.S4, v1.S4, v2.S4, v3.S4], 64(R11)

#define MULTIPLY \
	MOVD R10, R12; \
	ADD  $HEAD, R1, R13; \
	CLEAR4(V0, V1, V2, V3); \
	CLEAR4(V4, V5, V6, V7); \
	CLEAR4(V8, V9, V10, V11); \
	CLEAR4(V12, V13, V14, V15); \
	CLEAR4(V16, V17, V18, V19); \
	CLEAR4(V20, V21, V22, V23); \
	CMP  $2, R3; \
	BLT  rows1; \
	BEQ  rows2; \
	CMP  $4, R3; \
	BLE  rows4; \
	DEPTHS(ROWS6, six, sixRest); \
rows4: \
	DEPTHS(ROWS4, four, fourRest); \
rows2: \
	DEPTHS(ROWS2, two, twoRest); \
rows1: \
	DEPTHS(ROWS1, one, oneRest); \
multiplied: \
	MOVD IGemmU8S8Args_Bias(R0), R12; \
	ADD  R2<<2, R12, R12; \
	VLD1 (R12), [V24.S4, V25.S4, V26.S4, V27.S4]; \
	VLD1 (R1), [V28.S4, V29.S4, V30.S4, V31.S4]; \
	VADD V28.S4, V24.S4, V24.S4; \
	VADD V29.S4, V25.S4, V25.S4; \
	VADD V30.S4, V26.S4, V26.S4; \
	VADD V31.S4, V27.S4, V27.S4; \
	MOVD R8, R11; \
	STORE4(V0, V1, V2, V3); \
	STORE4(V4, V5, V6, V7); \
	STORE4(V8, V9, V10, V11); \
	STORE4(V12, V13, V14, V15); \
	STORE4(V16, V17, V18, V19); \
	STORE4(V20, V21, V22, V23)

// func igemmU8S8DotProd(args *IGemmU8S8Args, output igemmOutput)
TEXT ·igemmU8S8DotProd(SB), NOSPLIT, $128-9
	MOVD args+0(FP), R0
#include "igemm_u8s8_body_arm64.h"
