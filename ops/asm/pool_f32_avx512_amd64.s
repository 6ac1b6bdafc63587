//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "simd_avx512_amd64.h"
#include "pool_f32_body_amd64.h"

// func maxPoolF32AVX512(args *PoolF32Args)
TEXT ·maxPoolF32AVX512(SB), NOSPLIT, $0-8
	POOL(MAXFIRST, MAXADD, MAXLAST)

// func averagePoolF32AVX512(args *PoolF32Args)
TEXT ·averagePoolF32AVX512(SB), NOSPLIT, $0-8
	POOL(AVERAGEFIRST, AVERAGEADD, AVERAGELAST)

// func weightedPoolF32AVX512(args *PoolF32Args)
TEXT ·weightedPoolF32AVX512(SB), NOSPLIT, $0-8
	POOL(AVERAGEFIRST, WEIGHTEDADD, AVERAGELAST)
