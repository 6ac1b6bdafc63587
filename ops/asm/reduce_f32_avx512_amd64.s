//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "simd_avx512_amd64.h"
#include "reduce_f32_body_amd64.h"

// func rowSumF32AVX512(args *ReduceF32Args)
TEXT ·rowSumF32AVX512(SB), NOSPLIT, $0-8
	REDUCEROWS

// func colSumF32AVX512(args *ReduceF32Args)
TEXT ·colSumF32AVX512(SB), NOSPLIT, $0-8
	REDUCECOLS
