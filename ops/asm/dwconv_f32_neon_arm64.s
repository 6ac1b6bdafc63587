//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "pair_arm64.h"
#include "dwconv_f32_windows_arm64.h"

// CLAMP bounds v; FMAX and FMIN keep a NaN.
#define CLAMP(v) \
	FMAX_4S(v, v, 15); \
	FMIN_4S(v, v, 31)

// TAPS starts going over the taps: R17 taps left, R16 weights, R19 to R22 the pixels' pointers. TAP takes
// the addresses R23 to R26 of one.
#define TAPS \
	MOVD DWConvF32Args_KS(R0), R17; \
	MOVD DWConvF32Args_W(R0), R16;  \
	MOVD R8, R19;                   \
	MOVD R9, R20;                   \
	MOVD R10, R21;                  \
	MOVD R11, R22

#define TAP \
	MOVD.P 8(R19), R23; \
	MOVD.P 8(R20), R24; \
	MOVD.P 8(R21), R25; \
	MOVD.P 8(R22), R26

// CHANNELS computes four pixels of the channels at R6 that load(v, r) loads from the address in R(r) on; V0 to V3 are the sums.
#define CHANNELS(load, store, tap) \
	MOVD DWConvF32Args_Bias(R0), R23; \
	load(0, 23);              \
	load(1, 23);              \
	load(2, 23);              \
	load(3, 23);              \
	TAPS;                     \
tap:                              \
	TAP;                      \
	load(4, 16);              \
	ADD  R2, R16;             \
	load(20, 23);             \
	load(21, 24);             \
	load(22, 25);             \
	load(23, 26);             \
	FMLA_4S(0, 20, 4);        \
	FMLA_4S(1, 21, 4);        \
	FMLA_4S(2, 22, 4);        \
	FMLA_4S(3, 23, 4);        \
	SUBS $1, R17;             \
	BNE  tap;                 \
	CLAMP(0);                 \
	CLAMP(1);                 \
	CLAMP(2);                 \
	CLAMP(3);                 \
	store(0, 12);             \
	store(1, 13);             \
	store(2, 14);             \
	store(3, 15)

#define LOAD4(v, r) LDRX_Q(v, r, 6)
#define STORE4(v, r) STRX_Q(v, r, 6)
#define LOAD1(v, r) LDRX_S(v, r, 6)
#define STORE1(v, r) STRX_S(v, r, 6)

// MULTIPLY adds the taps of a pixel, V20 to V23, by the weights V16 to V19 to the sums a to d; MULTIPLYNEXT takes V24 to V27.
#define MULTIPLY(a, b, c, d) \
	FMLA_4S(a, 20, 16); \
	FMLA_4S(b, 21, 17); \
	FMLA_4S(c, 22, 18); \
	FMLA_4S(d, 23, 19)

#define MULTIPLYNEXT(a, b, c, d) \
	FMLA_4S(a, 24, 16); \
	FMLA_4S(b, 25, 17); \
	FMLA_4S(c, 26, 18); \
	FMLA_4S(d, 27, 19)

#define CLAMP4(a, b, c, d) \
	CLAMP(a); \
	CLAMP(b); \
	CLAMP(c); \
	CLAMP(d)

// FOLLOWING makes the taps and output of a pixel from those of the one before; where there is none, that one is computed again.
#define FOLLOWING(n, taps, out, nextTaps, nextOut) \
	CMP  $n, R5;           \
	CSEL GE, R25, ZR, R23; \
	CSEL GE, R26, ZR, R24; \
	ADD  R23, taps, nextTaps; \
	ADD  R24, out, nextOut

// func dwconvF32NEON(args *DWConvF32Args)
//
// Four pixels share each load of weights. R0 args, R1 byte offset of the chunk of channels, R2 bytes of a row of weights, R3 taps and
// R4 output of the pixel, R5 pixels left, R6 byte offset of the channels, R7 that of the chunk's end, R8 to R11 the taps of four
// pixels, R12 to R15 their outputs; V15 and V31 the bounds.
TEXT ·dwconvF32NEON(SB), NOSPLIT, $0-8
	MOVD  args+0(FP), R0
	ADD   $DWConvF32Args_Lo, R0, R3
	VLD1R (R3), [V15.S4]
	ADD   $DWConvF32Args_Hi, R0, R3
	VLD1R (R3), [V31.S4]
	MOVD  DWConvF32Args_C(R0), R2
	LSL   $2, R2
	MOVD  $0, R1
	MOVD  DWConvF32Args_KS(R0), R3
	CMP   $9, R3
	BNE   chunk
	MOVD  DWConvF32Args_AStep(R0), R3
	CMP   $3, R3
	BNE   chunk
	MOVD  DWConvF32Args_P(R0), R3
	CMP   $4, R3
	BLT   chunk
	WINDOWS
	CMP   R2, R1
	BGE   done

chunk:
	// 64 channels for all pixels: what the taps share stays in the first-level cache.
	ADD  $256, R1, R7
	CMP  R2, R7
	CSEL GT, R2, R7, R7
	MOVD DWConvF32Args_A(R0), R3
	MOVD DWConvF32Args_Out(R0), R4
	MOVD DWConvF32Args_P(R0), R5

pixels:
	MOVD DWConvF32Args_AStep(R0), R25
	LSL  $3, R25
	MOVD DWConvF32Args_OutStride(R0), R26
	MOVD R3, R8
	MOVD R4, R12
	FOLLOWING(2, R8, R12, R9, R13)
	FOLLOWING(3, R9, R13, R10, R14)
	FOLLOWING(4, R10, R14, R11, R15)
	MOVD R1, R6

sixteen:
	SUB  R6, R7, R23
	CMP  $64, R23
	BLT  four
	MOVD DWConvF32Args_Bias(R0), R23
	ADD  R6, R23
	VLD1 (R23), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1 (R23), [V4.S4, V5.S4, V6.S4, V7.S4]
	VLD1 (R23), [V8.S4, V9.S4, V10.S4, V11.S4]
	FLDPQ (R23), (F12, F13)
	FLDPQ 32(R23), (F14, F28)
	TAPS
	ADD  R6, R16

tap16:
	TAP
	VLD1.P (R16)(R2), [V16.S4, V17.S4, V18.S4, V19.S4]
	ADD    R6, R23
	ADD    R6, R24
	ADD    R6, R25
	ADD    R6, R26
	VLD1   (R23), [V20.S4, V21.S4, V22.S4, V23.S4]
	VLD1   (R24), [V24.S4, V25.S4, V26.S4, V27.S4]
	MULTIPLY(0, 1, 2, 3)
	MULTIPLYNEXT(4, 5, 6, 7)
	VLD1   (R25), [V20.S4, V21.S4, V22.S4, V23.S4]
	VLD1   (R26), [V24.S4, V25.S4, V26.S4, V27.S4]
	MULTIPLY(8, 9, 10, 11)
	MULTIPLYNEXT(12, 13, 14, 28)
	SUBS   $1, R17
	BNE    tap16
	CLAMP4(0, 1, 2, 3)
	CLAMP4(4, 5, 6, 7)
	CLAMP4(8, 9, 10, 11)
	CLAMP4(12, 13, 14, 28)
	ADD    R6, R12, R23
	ADD    R6, R13, R24
	ADD    R6, R14, R25
	ADD    R6, R15, R26
	VST1   [V0.S4, V1.S4, V2.S4, V3.S4], (R23)
	VST1   [V4.S4, V5.S4, V6.S4, V7.S4], (R24)
	VST1   [V8.S4, V9.S4, V10.S4, V11.S4], (R25)
	FSTPQ  (F12, F13), (R26)
	FSTPQ  (F14, F28), 32(R26)
	ADD    $64, R6
	B      sixteen

four:
	CMP  $16, R23
	BLT  one
	CHANNELS(LOAD4, STORE4, tap4)
	ADD  $16, R6
	SUB  R6, R7, R23
	B    four

one:
	CBZ  R23, nextPixels
	CHANNELS(LOAD1, STORE1, tap1)
	ADD  $4, R6
	SUB  R6, R7, R23
	B    one

nextPixels:
	MOVD DWConvF32Args_AStep(R0), R3
	ADD  R3<<3, R11, R3
	MOVD DWConvF32Args_OutStride(R0), R4
	ADD  R15, R4
	SUBS $4, R5
	BGT  pixels
	MOVD R7, R1
	CMP  R2, R1
	BLT  chunk

done:
	RET
