//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "narrow_arm64.h"
#include "tail_arm64.h"

#define COMBINE \
	SMULL_4S(0, 18, 20); \
	SMULL2_4S(1, 18, 20); \
	SMULL_4S(2, 19, 21); \
	SMULL2_4S(3, 19, 21); \
	FLOATS4(0, 1, 2, 3); \
	SCALE4(0, 1, 2, 3, 30)

// func mulU8NEON(args *BinaryU8Args)
TEXT ·mulU8NEON(SB), NOSPLIT, $48-8
#include "binary_u8_arm64.h"
