//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "narrow_arm64.h"

// TAP loads 16 channels of the next tap: through the pointers at R6 or, without those, at R9.
#define TAP(v, strided) \
	CBZ    R1, strided; \
	MOVD.P 8(R6), R9; \
strided: \
	ADD    R5, R9, R10; \
	VLD1   (R10), [v.B16]; \
	ADD    R11, R9, R9

// func avgpoolU8NEON(args *AvgPoolU8Args)
//
// C is at least 16: blocks of 16 channels, the last of which may overlap the one before.
TEXT ·avgpoolU8NEON(SB), NOSPLIT, $0-8
	// R1: pointers of the pixel or 0, R2: its output, R3: pixels left, R4: C, R5: first channel of the block, R11: bytes between
	// taps, R12: tap 0. V20: -Offset, V21: Mult.
	MOVD args+0(FP), R0
	NARROWING(AvgPoolU8Args_Zero, AvgPoolU8Args_Lo, AvgPoolU8Args_Hi, R9)
	MOVW AvgPoolU8Args_Offset(R0), R9
	NEG  R9, R9
	VDUP R9, V20.S4
	MOVW AvgPoolU8Args_Mult(R0), R9
	VDUP R9, V21.S4
	MOVD AvgPoolU8Args_A(R0), R1
	MOVD AvgPoolU8Args_Out(R0), R2
	MOVD AvgPoolU8Args_P(R0), R3
	MOVD AvgPoolU8Args_C(R0), R4
	MOVD AvgPoolU8Args_TapStride(R0), R11
	MOVD AvgPoolU8Args_Base(R0), R12

pixel:
	MOVD ZR, R5

block:
	// R6, R9: where taps are, R7: taps left; V0-V3: sums.
	SUB   $16, R4, R9
	CMP   R9, R5
	CSEL  GT, R9, R5, R5
	MOVD  R1, R6
	MOVD  R12, R9
	MOVD  AvgPoolU8Args_KS(R0), R7
	VMOV  V20.B16, V0.B16
	VMOV  V20.B16, V1.B16
	VMOV  V20.B16, V2.B16
	VMOV  V20.B16, V3.B16
	TBZ   $0, R7, pairs
	TAP(V4, oneStrided)
	VUXTL V4.B8, V6.H8
	VUXTL2 V4.B16, V7.H8
	UADDW_4S(0, 0, 6)
	UADDW2_4S(1, 1, 6)
	UADDW_4S(2, 2, 7)
	UADDW2_4S(3, 3, 7)

pairs:
	SUBS $2, R7, R7
	BLT  summed
	TAP(V4, firstStrided)
	TAP(V5, secondStrided)
	UADDL_8H(6, 4, 5)
	UADDL2_8H(7, 4, 5)
	UADDW_4S(0, 0, 6)
	UADDW2_4S(1, 1, 6)
	UADDW_4S(2, 2, 7)
	UADDW2_4S(3, 3, 7)
	B    pairs

summed:
	FLOATS4(0, 1, 2, 3)
	SCALE4(0, 1, 2, 3, 21)
	NARROW16(22, V23, V24)
	ADD  R5, R2, R9
	VST1 [V0.B16], (R9)
	ADD  $16, R5, R5
	CMP  R4, R5
	BLT  block

	MOVD AvgPoolU8Args_OutStride(R0), R9
	ADD  R9, R2, R2
	MOVD AvgPoolU8Args_PixelStride(R0), R9
	ADD  R9, R12, R12
	CBZ  R1, next
	MOVD AvgPoolU8Args_AStep(R0), R9
	ADD  R9<<3, R1, R1

next:
	SUBS $1, R3, R3
	BNE  pixel
	RET
