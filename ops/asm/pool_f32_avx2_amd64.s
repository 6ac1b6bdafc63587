//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "simd_avx2_amd64.h"
#include "pool_f32_body_amd64.h"

// func maxPoolF32AVX2(args *PoolF32Args)
TEXT ·maxPoolF32AVX2(SB), NOSPLIT, $0-8
	POOL(MAXFIRST, MAXADD, MAXLAST)

// func averagePoolF32AVX2(args *PoolF32Args)
TEXT ·averagePoolF32AVX2(SB), NOSPLIT, $0-8
	POOL(AVERAGEFIRST, AVERAGEADD, AVERAGELAST)

// func weightedPoolF32AVX2(args *PoolF32Args)
TEXT ·weightedPoolF32AVX2(SB), NOSPLIT, $0-8
	POOL(AVERAGEFIRST, WEIGHTEDADD, AVERAGELAST)
