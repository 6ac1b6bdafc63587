//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "histogram_f32_body_amd64.h"

// BINS turns values into bins.
#define BINS(x, sub, mul, div, first, zero, last) \
	VSUBPS     sub, x, x; \
	VMULPS     mul, x, x; \
	VDIVPS     div, x, x; \
	VROUNDPS   $9, x, x; \
	VCVTTPS2DQ x, x; \
	VPSUBD     first, x, x; \
	VPMAXSD    zero, x, x; \
	VPMINSD    last, x, x

// func histogramF32AVX2(args *HistogramF32Args)
TEXT ·histogramF32AVX2(SB), NOSPLIT, $32-8
	// Y8, Y9, Y10: Sub, Mul, Div, Y11: First, Y12: 0, Y13: Bins-1.
	MOVQ         args+0(FP), DI
	VBROADCASTSS HistogramF32Args_Sub(DI), Y8
	VBROADCASTSS HistogramF32Args_Mul(DI), Y9
	VBROADCASTSS HistogramF32Args_Div(DI), Y10
	VPBROADCASTD HistogramF32Args_First(DI), Y11
	VPXOR        Y12, Y12, Y12
	VPCMPEQD     Y0, Y0, Y0
	VPBROADCASTD HistogramF32Args_Bins(DI), Y13
	VPADDD       Y0, Y13, Y13
	TABLES
	LEAQ         bins-32(SP), DX
	SUBQ         $8, CX
	JLT          tail

block:
	VMOVUPS (SI), Y0
	BINS(Y0, Y8, Y9, Y10, Y11, Y12, Y13)
	VMOVDQU Y0, (DX)
	ADDQ    $32, SI
	COUNT4(0)
	COUNT4(16)
	SUBQ    $8, CX
	JGE     block

tail:
	// Up to 7 more, one at a time.
	ADDQ $8, CX
	JZ   done

single:
	VMOVSS (SI), X0
	BINS(X0, X8, X9, X10, X11, X12, X13)
	VMOVD  X0, AX
	INCL   (R8)(AX*4)
	ADDQ   $4, SI
	DECQ   CX
	JNZ    single

done:
	VZEROUPPER
	RET
