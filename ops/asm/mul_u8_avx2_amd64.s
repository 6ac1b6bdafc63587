//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "tail_amd64.h"

// The product of two numbers of 9 bits is exact in float32.
#define COMBINE(a, b) \
	VMULPS b, a, a; \
	VMULPS Y10, a, a

// func mulU8AVX2(args *BinaryU8Args)
TEXT ·mulU8AVX2(SB), NOSPLIT, $48-8
#include "binary_u8_amd64.h"
