//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "narrow_arm64.h"
#include "tail_arm64.h"

// func dequantizeU8F32NEON(args *DequantizeU8F32Args)
TEXT ·dequantizeU8F32NEON(SB), NOSPLIT, $80-8
	// V21: Scale, V28: Zero; R1: Q, R2: Y, R3: elements left; R4: those of a tail, which is computed on the stack, R5: where it goes.
	MOVD args+0(FP), R0
	MOVW DequantizeU8F32Args_Zero(R0), R11
	VDUP R11, V28.B16
	MOVW DequantizeU8F32Args_Scale(R0), R11
	VDUP R11, V21.S4
	MOVD DequantizeU8F32Args_Q(R0), R1
	MOVD DequantizeU8F32Args_Y(R0), R2
	MOVD DequantizeU8F32Args_N(R0), R3
	MOVD ZR, R4
	SUBS $16, R3, R3
	BLT  tail

block:
	VLD1.P  16(R1), [V16.B16]
	USUBL_8H(18, 16, 28)
	USUBL2_8H(19, 16, 28)
	WIDEN16(18, 19, 0, 1, 2, 3)
	SCALE4(0, 1, 2, 3, 21)
	FSTPQ.P (F0, F1), 32(R2)
	FSTPQ.P (F2, F3), 32(R2)
	CBNZ    R4, tailDone
	SUBS    $16, R3, R3
	BGE     block

tail:
	ADDS $16, R3, R4
	BEQ  done
	MOVD R2, R5
	MOVD $q-80(SP), R7
	COPYTAIL(R1, R7, R4, R8, V0, q16, q8, q4, q2, q1, qCopied)
	MOVD $q-80(SP), R1
	MOVD $y-64(SP), R2
	B    block

tailDone:
	MOVD $y-64(SP), R2
	LSL  $2, R4, R6
	COPYTAIL(R2, R5, R6, R8, V0, y16, y8, y4, y2, y1, yCopied)

done:
	RET
