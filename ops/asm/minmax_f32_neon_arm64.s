//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"

// MINMAX folds V(x) into the minimum V(lo) and the maximum V(hi), by comparisons, in which no NaN holds, since FMINNM and FMAXNM
// would take a signalling one. V16 loses the lanes of a NaN; t is spoiled.
#define MINMAX(x, lo, hi, t) \
	FCMGT_4S(t, lo, x);  \
	BIT_16B(lo, x, t);   \
	FCMGT_4S(t, x, hi);  \
	BIT_16B(hi, x, t);   \
	FCMEQ_4S(t, x, x);   \
	AND_16B(16, 16, t)

// func minmaxF32NEON(x *float32, n int) (lo, hi float32, nan bool)
//
// V0 and V2 are the minimum from +Inf, V1 and V3 the maximum from -Inf; R0 x, R1 floats left.
TEXT ·minmaxF32NEON(SB), NOSPLIT, $0-25
	MOVD x+0(FP), R0
	MOVD n+8(FP), R1
	MOVW $0x7f800000, R2
	VDUP R2, V0.S4
	VDUP R2, V2.S4
	MOVW $0xff800000, R2
	VDUP R2, V1.S4
	VDUP R2, V3.S4
	MOVD $-1, R2
	VDUP R2, V16.D2
	SUBS $8, R1
	BLT  fold

loop:
	FLDPQ.P 32(R0), (F4, F5)
	MINMAX(4, 0, 1, 6)
	MINMAX(5, 2, 3, 7)
	SUBS    $8, R1
	BGE     loop

fold:
	ADDS $8, R1
	BEQ  done

one:
	VLD1R.P 4(R0), [V4.S4]
	MINMAX(4, 0, 1, 6)
	SUBS    $1, R1
	BNE     one

done:
	FMIN_4S(0, 0, 2)
	FMAX_4S(1, 1, 3)
	FMINV(0, 0)
	FMAXV(1, 1)
	FMOVS  F0, lo+16(FP)
	FMOVS  F1, hi+20(FP)
	VMOV   V16.D[0], R0
	VMOV   V16.D[1], R1
	AND    R1, R0
	CMN    $1, R0
	CSET   NE, R0
	MOVB   R0, nan+24(FP)
	RET
