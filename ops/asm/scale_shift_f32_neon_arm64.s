//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

// SCALESHIFT makes of V(x) the output V(shift); FMAX and FMIN keep a NaN.
#define SCALESHIFT(shift, x, scale) \
	FMLA_4S(shift, x, scale);  \
	FMAX_4S(shift, shift, 13); \
	FMIN_4S(shift, shift, 14)

// func scaleShiftF32NEON(args *ScaleShiftF32Args)
//
// R0 args, R1 Src, R2 Dst, R3 Scale, R8 Shift, R4 rows left, R5 columns; in a row R6, R7, R11 and R12 the elements, R10
// columns left; V13 and V14 the bounds.
TEXT ·scaleShiftF32NEON(SB), NOSPLIT, $0-8
	MOVD  args+0(FP), R0
	MOVD  ScaleShiftF32Args_Src(R0), R1
	MOVD  ScaleShiftF32Args_Dst(R0), R2
	MOVD  ScaleShiftF32Args_Scale(R0), R3
	MOVD  ScaleShiftF32Args_Shift(R0), R8
	MOVD  ScaleShiftF32Args_Rows(R0), R4
	MOVD  ScaleShiftF32Args_Cols(R0), R5
	ADD   $ScaleShiftF32Args_Lo, R0, R6
	VLD1R (R6), [V13.S4]
	ADD   $ScaleShiftF32Args_Hi, R0, R6
	VLD1R (R6), [V14.S4]

row:
	MOVD R1, R6
	MOVD R2, R7
	MOVD R3, R11
	MOVD R8, R12
	SUBS $8, R5, R10
	BLT  four

loop:
	FLDPQ.P 32(R6), (F0, F1)
	FLDPQ.P 32(R11), (F2, F3)
	FLDPQ.P 32(R12), (F4, F5)
	SCALESHIFT(4, 0, 2)
	SCALESHIFT(5, 1, 3)
	FSTPQ.P (F4, F5), 32(R7)
	SUBS    $8, R10
	BGE     loop

four:
	ADDS    $4, R10
	BLT     tail
	FMOVQ.P 16(R6), F0
	FMOVQ.P 16(R11), F2
	FMOVQ.P 16(R12), F4
	SCALESHIFT(4, 0, 2)
	FMOVQ.P F4, 16(R7)
	SUB     $4, R10

tail:
	ADDS $4, R10
	BEQ  next

one:
	FMOVS.P 4(R6), F0
	FMOVS.P 4(R11), F2
	FMOVS.P 4(R12), F4
	SCALESHIFT(4, 0, 2)
	FMOVS.P F4, 4(R7)
	SUBS    $1, R10
	BNE     one

next:
	MOVD ScaleShiftF32Args_SrcStride(R0), R6
	MOVD ScaleShiftF32Args_DstStride(R0), R7
	ADD  R6, R1
	ADD  R7, R2
	SUBS $1, R4
	BNE  row
	RET
