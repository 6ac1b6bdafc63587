//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "narrow_avx512_amd64.h"

// The product of two numbers of 9 bits is exact in float32.
#define COMBINE(a, b) \
	VMULPS b, a, a; \
	VMULPS Z10, a, a

// func mulU8AVX512(args *BinaryU8Args)
TEXT ·mulU8AVX512(SB), NOSPLIT, $0-8
#include "binary_u8_avx512_amd64.h"
