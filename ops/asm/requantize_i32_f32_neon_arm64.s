//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "tail_arm64.h"

// func requantizeI32F32NEON(args *RequantizeI32F32Args)
TEXT ·requantizeI32F32NEON(SB), NOSPLIT, $96-8
	// R1 to R4: rows of Acc, Y, Real and Res, R5: rows left; R6 to R11: where Acc, Y, Real, Res, Mult and Bias are read and written; R12: columns
	// left; R13: columns of a tail, which is computed on the stack, R14: bytes of it.
	// V24: Lo, V25: Hi, V26: Scale, V27: 1.5 * 2^23, adding which rounds, V28: ResInv, V29: ResMult.
	MOVD args+0(FP), R0
	MOVW RequantizeI32F32Args_Lo(R0), R15
	VDUP R15, V24.S4
	MOVW RequantizeI32F32Args_Hi(R0), R15
	VDUP R15, V25.S4
	MOVW RequantizeI32F32Args_Scale(R0), R15
	VDUP R15, V26.S4
	MOVD $0x4B400000, R15
	VDUP R15, V27.S4
	MOVW RequantizeI32F32Args_ResInv(R0), R15
	VDUP R15, V28.S4
	MOVW RequantizeI32F32Args_ResMult(R0), R15
	VDUP R15, V29.S4
	MOVD RequantizeI32F32Args_Acc(R0), R1
	MOVD RequantizeI32F32Args_Y(R0), R2
	MOVD RequantizeI32F32Args_Real(R0), R3
	MOVD RequantizeI32F32Args_Res(R0), R4
	MOVD RequantizeI32F32Args_M(R0), R5

row:
	MOVD R1, R6
	MOVD R2, R7
	MOVD R3, R8
	MOVD R4, R9
	MOVD RequantizeI32F32Args_Mult(R0), R10
	MOVD RequantizeI32F32Args_Bias(R0), R11
	MOVD ZR, R13
	MOVD RequantizeI32F32Args_N(R0), R12
	SUBS $4, R12, R12
	BLT  tail

block:
	FMOVQ.P 16(R6), F0
	SCVTF_4S(0, 0)
	CBZ     R11, biased
	FMOVQ.P 16(R11), F1
	FADD_4S(0, 0, 1)

biased:
	FMOVQ.P 16(R10), F1
	FMUL_4S(0, 0, 1)
	CBZ     R9, summed
	FMOVQ.P 16(R9), F1
	FMUL_4S(1, 1, 28)
	FADD_4S(1, 1, 27)
	FSUB_4S(1, 1, 27)
	FMUL_4S(1, 1, 29)
	FADD_4S(0, 0, 1)

summed:
	FMUL_4S(1, 0, 26)
	FMAX_4S(0, 0, 24)
	FMIN_4S(0, 0, 25)
	FADD_4S(0, 0, 27)
	FSUB_4S(0, 0, 27)
	FMUL_4S(0, 0, 26)
	CBNZ    R13, tailDone
	FMOVQ.P F1, 16(R8)
	FMOVQ.P F0, 16(R7)
	SUBS    $4, R12, R12
	BGE     block

tail:
	ADDS $4, R12, R13
	BEQ  nextRow
	LSL  $2, R13, R14
	MOVD $acc-96(SP), R15
	COPYTAIL(R6, R15, R14, R16, V0, acc16, acc8, acc4, acc2, acc1, accCopied)
	MOVD $acc-96(SP), R6
	MOVD $mult-80(SP), R15
	COPYTAIL(R10, R15, R14, R16, V0, mult16, mult8, mult4, mult2, mult1, multCopied)
	MOVD $mult-80(SP), R10
	CBZ  R11, noBias
	MOVD $bias-64(SP), R15
	COPYTAIL(R11, R15, R14, R16, V0, bias16, bias8, bias4, bias2, bias1, biasCopied)
	MOVD $bias-64(SP), R11

noBias:
	CBZ  R9, block
	MOVD $res-48(SP), R15
	COPYTAIL(R9, R15, R14, R16, V0, res16, res8, res4, res2, res1, resCopied)
	MOVD $res-48(SP), R9
	B    block

tailDone:
	MOVD  $real-32(SP), R15
	FMOVQ F1, (R15)
	COPYTAIL(R15, R8, R14, R16, V2, real16, real8, real4, real2, real1, realCopied)
	MOVD  $y-16(SP), R15
	FMOVQ F0, (R15)
	COPYTAIL(R15, R7, R14, R16, V2, y16, y8, y4, y2, y1, yCopied)

nextRow:
	MOVD RequantizeI32F32Args_AccStride(R0), R15
	ADD  R15, R1, R1
	MOVD RequantizeI32F32Args_YStride(R0), R15
	ADD  R15, R2, R2
	ADD  R15, R3, R3
	CBZ  R4, next
	MOVD RequantizeI32F32Args_ResStride(R0), R15
	ADD  R15, R4, R4

next:
	SUBS $1, R5, R5
	BNE  row
	RET
