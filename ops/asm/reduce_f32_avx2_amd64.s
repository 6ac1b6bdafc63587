//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "simd_avx2_amd64.h"
#include "reduce_f32_body_amd64.h"

// func rowSumF32AVX2(args *ReduceF32Args)
TEXT ·rowSumF32AVX2(SB), NOSPLIT, $0-8
	REDUCEROWS

// func colSumF32AVX2(args *ReduceF32Args)
TEXT ·colSumF32AVX2(SB), NOSPLIT, $0-8
	REDUCECOLS
