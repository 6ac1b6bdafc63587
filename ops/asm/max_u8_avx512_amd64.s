//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "narrow_avx512_amd64.h"

#define COMBINE(a, b) \
	VMULPS Z10, a, a; \
	VMULPS Z11, b, b; \
	VMAXPS b, a, a

// func maxU8AVX512(args *BinaryU8Args)
TEXT ·maxU8AVX512(SB), NOSPLIT, $0-8
#include "binary_u8_avx512_amd64.h"
