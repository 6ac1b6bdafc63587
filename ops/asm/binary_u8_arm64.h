// The body of an elementwise kernel, included in its TEXT. COMBINE, which the file defines, leaves 16 values of t in V0-V3; V18, V19: a-AZero
// and V20, V21: b-BZero, in 16 bits; V28, V29: zero points, V30, V31: multipliers. Frame: 48 bytes, argument: args *BinaryU8Args.
//
// R1, R2, R3: rows of A, B, C, R4: rows left; R5, R6, R7: where they are read and written, R8: columns left; R9: columns of a tail, which is
// computed on the stack, R10: where its output goes.
	MOVD args+0(FP), R0
	NARROWING(BinaryU8Args_Zero, BinaryU8Args_Lo, BinaryU8Args_Hi, R11)
	MOVW BinaryU8Args_AZero(R0), R11
	VDUP R11, V28.B16
	MOVW BinaryU8Args_BZero(R0), R11
	VDUP R11, V29.B16
	MOVW BinaryU8Args_AMult(R0), R11
	VDUP R11, V30.S4
	MOVW BinaryU8Args_BMult(R0), R11
	VDUP R11, V31.S4
	MOVD BinaryU8Args_A(R0), R1
	MOVD BinaryU8Args_B(R0), R2
	MOVD BinaryU8Args_C(R0), R3
	MOVD BinaryU8Args_M(R0), R4

row:
	MOVD R1, R5
	MOVD R2, R6
	MOVD R3, R7
	MOVD ZR, R9
	MOVD BinaryU8Args_N(R0), R8
	SUBS $16, R8, R8
	BLT  tail

block:
	VLD1.P 16(R5), [V16.B16]
	VLD1.P 16(R6), [V17.B16]
	USUBL_8H(18, 16, 28)
	USUBL2_8H(19, 16, 28)
	USUBL_8H(20, 17, 29)
	USUBL2_8H(21, 17, 29)
	COMBINE
	NARROW16(22, V23, V24)
	VST1.P [V0.B16], 16(R7)
	CBNZ   R9, tailDone
	SUBS   $16, R8, R8
	BGE    block

tail:
	ADDS $16, R8, R9
	BEQ  nextRow
	MOVD R7, R10
	MOVD $a-48(SP), R11
	COPYTAIL(R5, R11, R9, R12, V0, a16, a8, a4, a2, a1, aCopied)
	MOVD $b-32(SP), R11
	COPYTAIL(R6, R11, R9, R12, V0, b16, b8, b4, b2, b1, bCopied)
	MOVD $a-48(SP), R5
	MOVD $b-32(SP), R6
	MOVD $c-16(SP), R7
	B    block

tailDone:
	MOVD $c-16(SP), R7
	COPYTAIL(R7, R10, R9, R12, V0, c16, c8, c4, c2, c1, cCopied)

nextRow:
	MOVD BinaryU8Args_AStride(R0), R11
	ADD  R11, R1, R1
	MOVD BinaryU8Args_BStride(R0), R11
	ADD  R11, R2, R2
	MOVD BinaryU8Args_CStride(R0), R11
	ADD  R11, R3, R3
	SUBS $1, R4, R4
	BNE  row
	RET
