//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "narrow_arm64.h"
#include "tail_arm64.h"

#define COMBINE \
	WIDEN16(18, 19, 0, 1, 2, 3); \
	WIDEN16(20, 21, 4, 5, 6, 7); \
	SCALE4(0, 1, 2, 3, 30); \
	SCALE4(4, 5, 6, 7, 31); \
	FMAX_4S(0, 0, 4); \
	FMAX_4S(1, 1, 5); \
	FMAX_4S(2, 2, 6); \
	FMAX_4S(3, 3, 7)

// func maxU8NEON(args *BinaryU8Args)
TEXT ·maxU8NEON(SB), NOSPLIT, $48-8
#include "binary_u8_arm64.h"
