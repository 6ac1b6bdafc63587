//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "narrow_avx512_amd64.h"

#define COMBINE(a, b) \
	VMULPS Z10, a, a; \
	VMULPS Z11, b, b; \
	VMINPS b, a, a

// func minU8AVX512(args *BinaryU8Args)
TEXT ·minU8AVX512(SB), NOSPLIT, $0-8
#include "binary_u8_avx512_amd64.h"
