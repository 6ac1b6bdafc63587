//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

// WIDEN makes float64 of the floats in V(n): of the lower two in V(lo), of the upper two in V(hi).
#define WIDEN(lo, hi, n) \
	FCVTL_2D(lo, n);  \
	FCVTL2_2D(hi, n)

// PLAIN adds 8 floats, which are in V16 and V17, to the sums V(s) to V(s+3); SQUARE adds the squares of what they are above V14.
#define PLAIN(s) \
	WIDEN(20, 21, 16);      \
	WIDEN(22, 23, 17);      \
	FADD_2D(s, s, 20);      \
	FADD_2D(s+1, s+1, 21);  \
	FADD_2D(s+2, s+2, 22);  \
	FADD_2D(s+3, s+3, 23)

#define SQUARE(s) \
	WIDEN(20, 21, 16);      \
	WIDEN(22, 23, 17);      \
	FSUB_2D(20, 20, 14);    \
	FSUB_2D(21, 21, 14);    \
	FSUB_2D(22, 22, 14);    \
	FSUB_2D(23, 23, 14);    \
	FMUL_2D(20, 20, 20);    \
	FMUL_2D(21, 21, 21);    \
	FMUL_2D(22, 22, 22);    \
	FMUL_2D(23, 23, 23);    \
	FADD_2D(s, s, 20);      \
	FADD_2D(s+1, s+1, 21);  \
	FADD_2D(s+2, s+2, 22);  \
	FADD_2D(s+3, s+3, 23)

// SQUAREONE does so for the single float64 in F16.
#define SQUAREONE \
	FSUBD F14, F16, F16; \
	FMULD F16, F16, F16

#define PLAINONE

// SUM leaves the sum over a row over Cols in F0: each takes 8 columns, eachOne, whose float64 it finds in F16. Sum i of the
// contract is lane i%2 of V(i/2); at the end of a row that has no multiple of 16 columns they are in the frame.
#define SUM(each, eachOne, loop, tail, one, done) \
	VEOR V0.B16, V0.B16, V0.B16; \
	VEOR V1.B16, V1.B16, V1.B16; \
	VEOR V2.B16, V2.B16, V2.B16; \
	VEOR V3.B16, V3.B16, V3.B16; \
	VEOR V4.B16, V4.B16, V4.B16; \
	VEOR V5.B16, V5.B16, V5.B16; \
	VEOR V6.B16, V6.B16, V6.B16; \
	VEOR V7.B16, V7.B16, V7.B16; \
	MOVD R1, R6;                 \
	SUBS $16, R5, R10;           \
	BLT  tail;                   \
loop:                                \
	FLDPQ.P 32(R6), (F16, F17);  \
	each(0);                     \
	FLDPQ.P 32(R6), (F16, F17);  \
	each(4);                     \
	SUBS $16, R10;               \
	BGE  loop;                   \
tail:                                \
	ADDS $16, R10;               \
	BEQ  done;                   \
	MOVD $sums-128(SP), R7;      \
	VST1.P [V0.D2, V1.D2, V2.D2, V3.D2], 64(R7); \
	VST1 [V4.D2, V5.D2, V6.D2, V7.D2], (R7); \
	SUB  $64, R7;                \
one:                                 \
	FMOVS.P 4(R6), F16;          \
	FCVTSD F16, F16;             \
	eachOne;                     \
	FMOVD (R7), F17;             \
	FADDD F16, F17, F17;         \
	FMOVD.P F17, 8(R7);          \
	SUBS $1, R10;                \
	BNE  one;                    \
	MOVD $sums-128(SP), R7;      \
	VLD1.P 64(R7), [V0.D2, V1.D2, V2.D2, V3.D2]; \
	VLD1 (R7), [V4.D2, V5.D2, V6.D2, V7.D2]; \
done:                                \
	FADD_2D(0, 0, 4);            \
	FADD_2D(1, 1, 5);            \
	FADD_2D(2, 2, 6);            \
	FADD_2D(3, 3, 7);            \
	FADD_2D(0, 0, 2);            \
	FADD_2D(1, 1, 3);            \
	FADD_2D(0, 0, 1);            \
	FADDP_2D(0, 0, 0);           \
	FDIVD F12, F0, F0

// func layerNormF32NEON(args *LayerNormF32Args)
//
// Three passes over each row, in float64 up to the normalized value. R0 args, R1 Src, R2 Dst, R3 Gamma or 0, R8 Beta or 0, R4 rows left,
// R5 columns; in a pass R6, R7, R11 and R12 the elements, R10 columns left; F12 Cols, V13 1/sqrt(variance+Eps), V14 mean.
TEXT ·layerNormF32NEON(SB), NOSPLIT, $128-8
	MOVD   args+0(FP), R0
	MOVD   LayerNormF32Args_Src(R0), R1
	MOVD   LayerNormF32Args_Dst(R0), R2
	MOVD   LayerNormF32Args_Gamma(R0), R3
	MOVD   LayerNormF32Args_Beta(R0), R8
	MOVD   LayerNormF32Args_Rows(R0), R4
	MOVD   LayerNormF32Args_Cols(R0), R5
	SCVTFD R5, F12

row:
	SUM(PLAIN, PLAINONE, sum, sumTail, sumOne, sumDone)
	VDUP V0.D[0], V14.D2
	SUM(SQUARE, SQUAREONE, square, squareTail, squareOne, squareDone)
	FMOVS  LayerNormF32Args_Eps(R0), F1
	FCVTSD F1, F1
	FADDD  F1, F0, F0
	FSQRTD F0, F0
	FMOVD  $1.0, F1
	FDIVD  F0, F1, F0
	VDUP   V0.D[0], V13.D2

	MOVD R1, R6
	MOVD R2, R7
	MOVD R3, R11
	MOVD R8, R12
	SUBS $8, R5, R10
	BLT  tail

loop:
	FLDPQ.P 32(R6), (F16, F17)
	WIDEN(0, 1, 16)
	WIDEN(2, 3, 17)
	FSUB_2D(0, 0, 14)
	FSUB_2D(1, 1, 14)
	FSUB_2D(2, 2, 14)
	FSUB_2D(3, 3, 14)
	FMUL_2D(0, 0, 13)
	FMUL_2D(1, 1, 13)
	FMUL_2D(2, 2, 13)
	FMUL_2D(3, 3, 13)
	FCVTN_2S(16, 0)
	FCVTN_2S(17, 2)
	FCVTN2_4S(16, 1)
	FCVTN2_4S(17, 3)
	CBZ     R3, noGamma
	FLDPQ.P 32(R11), (F18, F19)
	FMUL_4S(16, 16, 18)
	FMUL_4S(17, 17, 19)

noGamma:
	CBZ     R8, noBeta
	FLDPQ.P 32(R12), (F18, F19)
	FADD_4S(16, 16, 18)
	FADD_4S(17, 17, 19)

noBeta:
	FSTPQ.P (F16, F17), 32(R7)
	SUBS    $8, R10
	BGE     loop

tail:
	ADDS $8, R10
	BEQ  next

one:
	FMOVS.P 4(R6), F16
	FCVTSD  F16, F16
	FSUBD   F14, F16, F16
	FMULD   F13, F16, F16
	FCVTDS  F16, F16
	CBZ     R3, noGammaOne
	FMOVS.P 4(R11), F18
	FMULS   F18, F16, F16

noGammaOne:
	CBZ     R8, noBetaOne
	FMOVS.P 4(R12), F18
	FADDS   F18, F16, F16

noBetaOne:
	FMOVS.P F16, 4(R7)
	SUBS    $1, R10
	BNE     one

next:
	MOVD LayerNormF32Args_SrcStride(R0), R6
	MOVD LayerNormF32Args_DstStride(R0), R7
	ADD  R6, R1
	ADD  R7, R2
	SUBS $1, R4
	BNE  row
	RET
