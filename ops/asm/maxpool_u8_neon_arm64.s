//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func maxpoolU8NEON(args *MaxPoolU8Args)
//
// C is at least 16: blocks of 64 channels, then of 16, the last of which may overlap the one before.
TEXT ·maxpoolU8NEON(SB), NOSPLIT, $0-8
	// R1: pointers of the pixel, R2: its output, R3: pixels left, R4: C, R5: first channel of the block.
	MOVD args+0(FP), R0
	MOVD MaxPoolU8Args_A(R0), R1
	MOVD MaxPoolU8Args_Out(R0), R2
	MOVD MaxPoolU8Args_P(R0), R3
	MOVD MaxPoolU8Args_C(R0), R4

pixel:
	MOVD ZR, R5

block:
	// R6: pointers, R7: taps left; V0-V3: maxima.
	MOVD R1, R6
	MOVD MaxPoolU8Args_KS(R0), R7
	SUB  R5, R4, R8
	CMP  $64, R8
	BLT  narrow
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16

tap:
	MOVD.P 8(R6), R9
	ADD    R5, R9, R9
	VLD1   (R9), [V4.B16, V5.B16, V6.B16, V7.B16]
	VUMAX  V4.B16, V0.B16, V0.B16
	VUMAX  V5.B16, V1.B16, V1.B16
	VUMAX  V6.B16, V2.B16, V2.B16
	VUMAX  V7.B16, V3.B16, V3.B16
	SUBS   $1, R7, R7
	BNE    tap
	ADD    R5, R2, R9
	VST1   [V0.B16, V1.B16, V2.B16, V3.B16], (R9)
	ADD    $64, R5, R5
	CMP    R4, R5
	BLT    block
	B      nextPixel

narrow:
	SUB  $16, R4, R9
	CMP  R9, R5
	CSEL GT, R9, R5, R5
	VEOR V0.B16, V0.B16, V0.B16

narrowTap:
	MOVD.P 8(R6), R9
	ADD    R5, R9, R9
	VLD1   (R9), [V4.B16]
	VUMAX  V4.B16, V0.B16, V0.B16
	SUBS   $1, R7, R7
	BNE    narrowTap
	ADD    R5, R2, R9
	VST1   [V0.B16], (R9)
	ADD    $16, R5, R5
	CMP    R4, R5
	BLT    block

nextPixel:
	MOVD MaxPoolU8Args_AStep(R0), R9
	ADD  R9<<3, R1, R1
	MOVD MaxPoolU8Args_OutStride(R0), R9
	ADD  R9, R2, R2
	SUBS $1, R3, R3
	BNE  pixel
	RET
