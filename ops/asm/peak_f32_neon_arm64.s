//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

#define CLEAR4(a, b, c, d) \
	VEOR a.B16, a.B16, a.B16; \
	VEOR b.B16, b.B16, b.B16; \
	VEOR c.B16, c.B16, c.B16; \
	VEOR d.B16, d.B16, d.B16

#define FMLA4(a, b, c, d) \
	FMLA_4S(a, 24, 24); \
	FMLA_4S(b, 24, 24); \
	FMLA_4S(c, 24, 24); \
	FMLA_4S(d, 24, 24)

// func peakF32NEON(rounds int) float32
//
// 24 independent sums, as many as four units times four cycles of latency need and more.
TEXT ·peakF32NEON(SB), NOSPLIT, $0-12
	MOVD rounds+0(FP), R0
	CLEAR4(V0, V1, V2, V3)
	CLEAR4(V4, V5, V6, V7)
	CLEAR4(V8, V9, V10, V11)
	CLEAR4(V12, V13, V14, V15)
	CLEAR4(V16, V17, V18, V19)
	CLEAR4(V20, V21, V22, V23)
	VEOR V24.B16, V24.B16, V24.B16
	CMP  $0, R0
	BLE  done

round:
	FMLA4(0, 1, 2, 3)
	FMLA4(4, 5, 6, 7)
	FMLA4(8, 9, 10, 11)
	FMLA4(12, 13, 14, 15)
	FMLA4(16, 17, 18, 19)
	FMLA4(20, 21, 22, 23)
	SUBS $1, R0
	BNE  round

done:
	FMOVS F0, ret+8(FP)
	RET
