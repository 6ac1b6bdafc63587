//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "pair_arm64.h"
#include "mathf32_arm64.h"
#include "tail_words_arm64.h"

// func softmaxF32NEON(args *SoftmaxF32Args)
//
// Three passes over each row. R0 args, R1 Src, R2 Dst, R3 Mask or 0, R4 rows left, R5 columns; in a pass R6 and R8 what
// it reads, R7 what it writes, R10 columns left, R11 those of them in the frame, R12 and R13 scratch.
TEXT ·softmaxF32NEON(SB), NOSPLIT, $32-8
	MOVD args+0(FP), R0
	MOVD SoftmaxF32Args_Src(R0), R1
	MOVD SoftmaxF32Args_Dst(R0), R2
	MOVD SoftmaxF32Args_Mask(R0), R3
	MOVD SoftmaxF32Args_Rows(R0), R4
	MOVD SoftmaxF32Args_Cols(R0), R5
	MOVD $mathf32<>(SB), R9
	LOADC(29, mathOne)

row:
	// Store t and find its largest, in V0; NaN if any is.
	ADD   $SoftmaxF32Args_Scale, R0, R6
	VLD1R (R6), [V13.S4]
	LOADC2(0, mathMinusInf)
	MOVD  R1, R6
	MOVD  R2, R7
	MOVD  R3, R8
	SUBS  $8, R5, R10
	BLT   maxTail

maxLoop:
	FLDPQ.P 32(R6), (F1, F17)
	FMULC2(1, 1, 13)
	CBZ     R3, maxPlain
	FLDPQ.P 32(R8), (F2, F18)
	FADD2(1, 1, 2)

maxPlain:
	FSTPQ.P (F1, F17), 32(R7)
	FMAX2(0, 0, 1)
	SUBS    $8, R10
	BGE     maxLoop

maxTail:
	FMAX_4S(0, 0, 16)
	FMAXV(0, 0)
	ADDS $8, R10
	BEQ  maxDone

maxOne:
	FMOVS.P 4(R6), F1
	FMULS   F13, F1, F1
	CBZ     R3, maxPlainOne
	FMOVS.P 4(R8), F2
	FADDS   F2, F1, F1

maxPlainOne:
	FMOVS.P F1, 4(R7)
	FMAXS   F1, F0, F0
	SUBS    $1, R10
	BNE     maxOne

maxDone:
	VDUP V0.S[0], V13.S4

	// Store e^(t-max) and sum it up, in the pair 12.
	VEOR V12.B16, V12.B16, V12.B16
	VEOR V28.B16, V28.B16, V28.B16
	MOVD R2, R6
	MOVD R2, R7
	MOVD $0, R11
	SUBS $8, R5, R10
	BLT  expTail

expLoop:
	FLDPQ.P 32(R6), (F0, F16)
	FSUBC2(0, 0, 13)
	EXP(0, 1, 2, 3, 4)
	FSTPQ.P (F1, F17), 32(R7)
	FADD2(12, 12, 1)
	SUBS    $8, R10
	BGE     expLoop
	CBNZ    R11, expUnpack

expTail:
	// The rest as a pair in the frame, filled up with -Inf, of which e^t is 0.
	ADDS  $8, R10, R11
	BEQ   expDone
	MOVD  R7, R12
	MOVD  $rest-32(SP), R7
	LOADC(0, mathMinusInf)
	FSTPQ (F0, F0), (R7)
	MOVD  R7, R8
	COPYWORDS(R6, R8, R11, R13, V0, V1, pack4, pack2, pack1, packed)
	MOVD  R7, R6
	MOVD  $0, R10
	B     expLoop

expUnpack:
	MOVD $rest-32(SP), R8
	COPYWORDS(R8, R12, R11, R13, V0, V1, unpack4, unpack2, unpack1, expDone)
	FADD_4S(12, 12, 28)
	FADDP_4S(12, 12, 12)
	FADDP_4S(12, 12, 12)
	FDIV_4S(13, 29, 12)

	// Divide by the sum.
	MOVD R2, R7
	SUBS $8, R5, R10
	BLT  scaleTail

scaleLoop:
	FLDPQ   (R7), (F0, F16)
	FMULC2(0, 0, 13)
	FSTPQ.P (F0, F16), 32(R7)
	SUBS    $8, R10
	BGE     scaleLoop

scaleTail:
	ADDS $8, R10
	BEQ  next

scaleOne:
	FMOVS   (R7), F0
	FMULS   F13, F0, F0
	FMOVS.P F0, 4(R7)
	SUBS    $1, R10
	BNE     scaleOne

next:
	MOVD SoftmaxF32Args_SrcStride(R0), R6
	MOVD SoftmaxF32Args_DstStride(R0), R7
	MOVD SoftmaxF32Args_MaskStride(R0), R8
	ADD  R6, R1
	ADD  R7, R2
	CMP  $0, R3
	ADD  R8, R3
	CSEL EQ, ZR, R3, R3
	SUBS $1, R4
	BNE  row
	RET
