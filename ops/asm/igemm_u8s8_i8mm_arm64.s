//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "narrow_arm64.h"
#include "tail_arm64.h"

// A 6 x 16 tile. USMMLA adds the products of eight depths of two rows and two columns, exactly: V(8p+q) has the sums of rows 2p, 2p+1 and
// columns 2q, 2q+1. V24-V26, V27-V29: eight depths of three pairs of rows, twice; V30, V31: of two pairs of columns.

#define TILEROWS 6
#define HEAD 0
#define DEPTHSTEP 16
#define GROUP 8
#define GROUPSTRIDE 48
#define ROWAT(r, at) LSL $3, r, at
#define FLIPWORD(r)
#define STARTROWS

#define COPY16 \
	LDP.P 16(R16), (R20, R21); \
	MOVD  R20, (R12); \
	MOVD  R21, GROUPSTRIDE(R12); \
	ADD   $(2*GROUPSTRIDE), R12, R12

// PAIRS adds two pairs of columns, q and q+1, of each pair of rows; a: the first of the rows.
#define PAIRS1(q, a) USMMLA(q, a, 30); USMMLA(q+1, a, 31)
#define PAIRS2(q, a) PAIRS1(q, a); USMMLA(8+q, a+1, 30); USMMLA(9+q, a+1, 31)
#define PAIRS3(q, a) PAIRS2(q, a); USMMLA(16+q, a+2, 30); USMMLA(17+q, a+2, 31)

#define EIGHT(pairs, a) \
	FLDPQ.P 32(R13), (F30, F31); \
	pairs(0, a); \
	FLDPQ.P 32(R13), (F30, F31); \
	pairs(2, a); \
	FLDPQ.P 32(R13), (F30, F31); \
	pairs(4, a); \
	FLDPQ.P 32(R13), (F30, F31); \
	pairs(6, a)

// DEPTHS is the loop over R12 depths, R13: weights.
#define DEPTHS(pairs, sixteen) \
sixteen: \
	FLDPQ.P 32(R11), (F24, F25); \
	FLDPQ.P 32(R11), (F26, F27); \
	FLDPQ.P 32(R11), (F28, F29); \
	EIGHT(pairs, 24); \
	EIGHT(pairs, 27); \
	SUBS $16, R12, R12; \
	BGT  sixteen; \
	B    multiplied

#define CLEAR4(v0, v1, v2, v3) \
	VEOR v0.B16, v0.B16, v0.B16; \
	VEOR v1.B16, v1.B16, v1.B16; \
	VEOR v2.B16, v2.B16, v2.B16; \
	VEOR v3.B16, v3.B16, v3.B16

// STORE4 stores four columns of two rows, whose bias is in b.
#define STORE4(v0, v1, b) \
	VZIP1 v1.D2, v0.D2, V28.D2; \
	VZIP2 v1.D2, v0.D2, V29.D2; \
	VADD  b.S4, V28.S4, V28.S4; \
	VADD  b.S4, V29.S4, V29.S4; \
	VST1.P [V28.S4], 16(R11); \
	VST1.P [V29.S4], 16(R12)

// STORE16 stores two rows.
#define STORE16(v0, v1, v2, v3, v4, v5, v6, v7) \
	ADD  $64, R11, R12; \
	STORE4(v0, v1, V24); \
	STORE4(v2, v3, V25); \
	STORE4(v4, v5, V26); \
	STORE4(v6, v7, V27); \
	ADD  $64, R11, R11

#define MULTIPLY \
	MOVD R10, R12; \
	MOVD R1, R13; \
	CLEAR4(V0, V1, V2, V3); \
	CLEAR4(V4, V5, V6, V7); \
	CLEAR4(V8, V9, V10, V11); \
	CLEAR4(V12, V13, V14, V15); \
	CLEAR4(V16, V17, V18, V19); \
	CLEAR4(V20, V21, V22, V23); \
	CMP  $2, R3; \
	BLE  rows2; \
	CMP  $4, R3; \
	BLE  rows4; \
	DEPTHS(PAIRS3, six); \
rows4: \
	DEPTHS(PAIRS2, four); \
rows2: \
	DEPTHS(PAIRS1, two); \
multiplied: \
	MOVD IGemmU8S8Args_Bias(R0), R12; \
	ADD  R2<<2, R12, R12; \
	VLD1 (R12), [V24.S4, V25.S4, V26.S4, V27.S4]; \
	MOVD R8, R11; \
	STORE16(V0, V1, V2, V3, V4, V5, V6, V7); \
	STORE16(V8, V9, V10, V11, V12, V13, V14, V15); \
	STORE16(V16, V17, V18, V19, V20, V21, V22, V23)

// func igemmU8S8I8MM(args *IGemmU8S8Args, output igemmOutput)
TEXT ·igemmU8S8I8MM(SB), NOSPLIT, $128-9
	MOVD args+0(FP), R0
#include "igemm_u8s8_body_arm64.h"
