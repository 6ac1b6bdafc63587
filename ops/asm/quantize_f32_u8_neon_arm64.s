//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "narrow_arm64.h"
#include "tail_arm64.h"

// func quantizeF32U8NEON(args *QuantizeF32U8Args)
TEXT ·quantizeF32U8NEON(SB), NOSPLIT, $80-8
	// V21: Inv; R1: X, R2: Q, R3: elements left; R4: those of a tail, which is computed on the stack, R5: where it goes.
	MOVD args+0(FP), R0
	NARROWING(QuantizeF32U8Args_Zero, QuantizeF32U8Args_Lo, QuantizeF32U8Args_Hi, R11)
	MOVW QuantizeF32U8Args_Inv(R0), R11
	VDUP R11, V21.S4
	MOVD QuantizeF32U8Args_X(R0), R1
	MOVD QuantizeF32U8Args_Q(R0), R2
	MOVD QuantizeF32U8Args_N(R0), R3
	MOVD ZR, R4
	SUBS $16, R3, R3
	BLT  tail

block:
	FLDPQ.P 32(R1), (F0, F1)
	FLDPQ.P 32(R1), (F2, F3)
	SCALE4(0, 1, 2, 3, 21)
	NARROW16(22, V23, V24)
	VST1.P  [V0.B16], 16(R2)
	CBNZ    R4, tailDone
	SUBS    $16, R3, R3
	BGE     block

tail:
	ADDS $16, R3, R4
	BEQ  done
	MOVD R2, R5
	LSL  $2, R4, R6
	MOVD $x-80(SP), R7
	COPYTAIL(R1, R7, R6, R8, V0, x16, x8, x4, x2, x1, xCopied)
	MOVD $x-80(SP), R1
	MOVD $q-16(SP), R2
	B    block

tailDone:
	MOVD $q-16(SP), R2
	COPYTAIL(R2, R5, R4, R8, V0, q16, q8, q4, q2, q1, qCopied)

done:
	RET
