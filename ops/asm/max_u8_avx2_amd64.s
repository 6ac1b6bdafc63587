//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "tail_amd64.h"

#define COMBINE(a, b) \
	VMULPS Y10, a, a; \
	VMULPS Y11, b, b; \
	VMAXPS b, a, a

// func maxU8AVX2(args *BinaryU8Args)
TEXT ·maxU8AVX2(SB), NOSPLIT, $48-8
#include "binary_u8_amd64.h"
