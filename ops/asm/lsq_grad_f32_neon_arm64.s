//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

// LSQ makes of x in V0 and dy in V1 the gradient V1 and adds to the sums. In order: k in V2 and n in V3; what rounding has added,
// and Lo and Hi less the zero point outside the range, in V6; its sum, without what a NaN makes; dy outside the range and its sum; dy inside the range and
// the activation.
#define LSQ \
	FMAX_4S(6, 0, 12);             \
	FMIN_4S(6, 6, 13);             \
	FMUL_4S(2, 6, 14);             \
	FRINTN_4S(2, 2);               \
	FADD_4S(3, 2, 24);             \
	FMLS_4S(6, 2, 15);             \
	FNEG_4S(6, 6);                 \
	FCMGT_4S(4, 25, 3);            \
	FCMGT_4S(5, 3, 26);            \
	VBIT V4.B16, V27.B16, V6.B16;  \
	VBIT V5.B16, V28.B16, V6.B16;  \
	FMUL_4S(6, 6, 1);              \
	FCMEQ_4S(3, 3, 3);             \
	VAND V3.B16, V6.B16, V6.B16;   \
	FCVTL_2D(7, 6);                \
	FCVTL2_2D(6, 6);               \
	FADD_2D(8, 8, 7);              \
	FADD_2D(9, 9, 6);              \
	VORR V4.B16, V5.B16, V4.B16;   \
	VAND V1.B16, V4.B16, V5.B16;   \
	BIC_16B(1, 1, 4);              \
	FCVTL_2D(6, 5);                \
	FCVTL2_2D(5, 5);               \
	FADD_2D(10, 10, 6);            \
	FADD_2D(11, 11, 5);            \
	FCMGT_4S(6, 0, 12);            \
	FCMGT_4S(7, 13, 0);            \
	VAND V6.B16, V1.B16, V1.B16;   \
	VAND V7.B16, V1.B16, V1.B16

// FIELD loads a field of the arguments into all lanes of v.
#define FIELD(field, v) \
	ADD   $field, R0, R6; \
	VLD1R (R6), [v.S4]

// func lsqGradF32NEON(args *LSQGradF32Args)
//
// R0 args, R1 X, R2 DY, R3 DX, R4 floats left, R6 scratch.
// V8 to V11 are the sums for scale and zero point, as float64, V12 ActLo, V13 ActHi, V14 1/Scale, V15 Scale, V24 the zero point, V25 Lo,
// V26 Hi, V27 below, V28 above.
TEXT ·lsqGradF32NEON(SB), NOSPLIT, $0-8
	MOVD args+0(FP), R0
	FIELD(LSQGradF32Args_ActLo, V12)
	FIELD(LSQGradF32Args_ActHi, V13)
	FIELD(LSQGradF32Args_inverse, V14)
	FIELD(LSQGradF32Args_Scale, V15)
	FIELD(LSQGradF32Args_Zero, V24)
	FIELD(LSQGradF32Args_Lo, V25)
	FIELD(LSQGradF32Args_Hi, V26)
	FIELD(LSQGradF32Args_below, V27)
	FIELD(LSQGradF32Args_above, V28)
	VEOR V8.B16, V8.B16, V8.B16
	VEOR V9.B16, V9.B16, V9.B16
	VEOR V10.B16, V10.B16, V10.B16
	VEOR V11.B16, V11.B16, V11.B16
	MOVD LSQGradF32Args_X(R0), R1
	MOVD LSQGradF32Args_DY(R0), R2
	MOVD LSQGradF32Args_DX(R0), R3
	MOVD LSQGradF32Args_N(R0), R4
	SUBS $4, R4
	BLT  tail

loop:
	FMOVQ.P 16(R1), F0
	FMOVQ.P 16(R2), F1
	LSQ
	FMOVQ.P F1, 16(R3)
	SUBS    $4, R4
	BGE     loop

tail:
	ADDS $4, R4
	BEQ  done

one:
	FMOVS.P 4(R1), F0
	FMOVS.P 4(R2), F1
	LSQ
	FMOVS.P F1, 4(R3)
	SUBS    $1, R4
	BNE     one

done:
	ADD  $LSQGradF32Args_scale, R0, R6
	VST1 [V8.D2, V9.D2], (R6)
	ADD  $LSQGradF32Args_zero, R0, R6
	VST1 [V10.D2, V11.D2], (R6)
	RET
