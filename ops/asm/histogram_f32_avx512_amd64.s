//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "narrow_avx512_amd64.h"
#include "histogram_f32_body_amd64.h"

// BINS turns the values in Z0 into bins.
#define BINS \
	VSUBPS      Z8, Z0, Z0; \
	VMULPS      Z9, Z0, Z0; \
	VDIVPS      Z10, Z0, Z0; \
	VRNDSCALEPS $9, Z0, Z0; \
	VCVTTPS2DQ  Z0, Z0; \
	VPSUBD      Z11, Z0, Z0; \
	VPMAXSD     Z12, Z0, Z0; \
	VPMINSD     Z13, Z0, Z0; \
	VMOVDQU32   Z0, (DX)

// func histogramF32AVX512(args *HistogramF32Args)
TEXT ·histogramF32AVX512(SB), NOSPLIT, $64-8
	// Z8, Z9, Z10: Sub, Mul, Div, Z11: First, Z12: 0, Z13: Bins-1.
	MOVQ         args+0(FP), DI
	VBROADCASTSS HistogramF32Args_Sub(DI), Z8
	VBROADCASTSS HistogramF32Args_Mul(DI), Z9
	VBROADCASTSS HistogramF32Args_Div(DI), Z10
	VPBROADCASTD HistogramF32Args_First(DI), Z11
	VPXORD       Z12, Z12, Z12
	VPTERNLOGD   $0xff, Z0, Z0, Z0
	VPBROADCASTD HistogramF32Args_Bins(DI), Z13
	VPADDD       Z0, Z13, Z13
	TABLES
	LEAQ         bins-64(SP), DX
	SUBQ         $16, CX
	JLT          tail

block:
	VMOVUPS (SI), Z0
	BINS
	ADDQ    $64, SI
	COUNT4(0)
	COUNT4(16)
	COUNT4(32)
	COUNT4(48)
	SUBQ    $16, CX
	JGE     block

tail:
	// Up to 15 more: one masked vector, of which the first are counted.
	ADDQ      $16, CX
	JZ        done
	FIRSTLANES(CX, AX, K1)
	VMOVUPS.Z (SI), K1, Z0
	BINS

single:
	MOVL -4(DX)(CX*4), AX
	INCL (R8)(AX*4)
	DECQ CX
	JNZ  single

done:
	VZEROUPPER
	RET
