//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "tail_amd64.h"

#define COMBINE(a, b) \
	VMULPS Y10, a, a; \
	VMULPS Y11, b, b; \
	VMINPS b, a, a

// func minU8AVX2(args *BinaryU8Args)
TEXT ·minU8AVX2(SB), NOSPLIT, $48-8
#include "binary_u8_amd64.h"
