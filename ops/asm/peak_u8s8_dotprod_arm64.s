//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// func peakU8S8DotProd(rounds int) int32
//
// Sixteen independent sums of bytes.
TEXT ·peakU8S8DotProd(SB), NOSPLIT, $0-12
	MOVD rounds+0(FP), R0
	VEOR V24.B16, V24.B16, V24.B16
	VEOR V0.B16, V0.B16, V0.B16
	CMP  $0, R0
	BLE  done

round:
	SDOT_4S(0, 24, 24)
	SDOT_4S(1, 24, 24)
	SDOT_4S(2, 24, 24)
	SDOT_4S(3, 24, 24)
	SDOT_4S(4, 24, 24)
	SDOT_4S(5, 24, 24)
	SDOT_4S(6, 24, 24)
	SDOT_4S(7, 24, 24)
	SDOT_4S(8, 24, 24)
	SDOT_4S(9, 24, 24)
	SDOT_4S(10, 24, 24)
	SDOT_4S(11, 24, 24)
	SDOT_4S(12, 24, 24)
	SDOT_4S(13, 24, 24)
	SDOT_4S(14, 24, 24)
	SDOT_4S(15, 24, 24)
	SUBS $1, R0, R0
	BNE  round

done:
	VMOV V0.S[0], R0
	MOVW R0, ret+8(FP)
	RET
