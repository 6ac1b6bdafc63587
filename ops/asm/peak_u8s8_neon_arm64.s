//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// SUMS adds two products to each of eight lanes of V(24+i), then to four sums.
#define SUMS(i) \
	SMULL_8H(16+i, 24, 25); \
	SMLAL2_8H(16+i, 24, 25); \
	SADALP_4S(i, 16+i)

// func peakU8S8NEON(rounds int) int32
//
// Eight independent sums of products that meet in pairs.
TEXT ·peakU8S8NEON(SB), NOSPLIT, $0-12
	MOVD rounds+0(FP), R0
	VEOR V24.B16, V24.B16, V24.B16
	VEOR V25.B16, V25.B16, V25.B16
	VEOR V0.B16, V0.B16, V0.B16
	CMP  $0, R0
	BLE  done

round:
	SUMS(0)
	SUMS(1)
	SUMS(2)
	SUMS(3)
	SUMS(4)
	SUMS(5)
	SUMS(6)
	SUMS(7)
	SUBS $1, R0, R0
	BNE  round

done:
	VMOV V0.S[0], R0
	MOVW R0, ret+8(FP)
	RET
