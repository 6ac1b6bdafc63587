// The body of an elementwise kernel, included in its TEXT. COMBINE(a, b), which
// the file defines, leaves t in a. Argument: args *BinaryU8Args.
//
// Z8, Z9: zero points, Z10, Z11: multipliers, Z12: Hi-Zero, Z13: Zero, Z14: Lo;
// SI, BX, DX: A, B, C; CX: columns left; R8: rows left; K1: columns of the vector.
	MOVQ         args+0(FP), DI
	VPBROADCASTD BinaryU8Args_AZero(DI), Z8
	VPBROADCASTD BinaryU8Args_BZero(DI), Z9
	VBROADCASTSS BinaryU8Args_AMult(DI), Z10
	VBROADCASTSS BinaryU8Args_BMult(DI), Z11
	VPBROADCASTD BinaryU8Args_Hi(DI), Z12
	VPBROADCASTD BinaryU8Args_Zero(DI), Z13
	VPSUBD       Z13, Z12, Z12
	VCVTDQ2PS    Z12, Z12
	VPBROADCASTD BinaryU8Args_Lo(DI), Z14
	MOVQ         BinaryU8Args_A(DI), R11
	MOVQ         BinaryU8Args_B(DI), R12
	MOVQ         BinaryU8Args_C(DI), R13
	MOVQ         BinaryU8Args_M(DI), R8

row:
	MOVQ   R11, SI
	MOVQ   R12, BX
	MOVQ   R13, DX
	KXNORW K1, K1, K1
	MOVQ   BinaryU8Args_N(DI), CX
	SUBQ   $16, CX
	JLT    tail

block:
	VPMOVZXBD.Z (SI), K1, Z0
	VPMOVZXBD.Z (BX), K1, Z1
	VPSUBD      Z8, Z0, Z0
	VPSUBD      Z9, Z1, Z1
	VCVTDQ2PS   Z0, Z0
	VCVTDQ2PS   Z1, Z1
	COMBINE(Z0, Z1)
	VMINPS      Z12, Z0, Z0
	VCVTPS2DQ   Z0, Z0
	NARROW16(Z0, Z13, Z14, K1, (DX))
	ADDQ        $16, SI
	ADDQ        $16, BX
	ADDQ        $16, DX
	SUBQ        $16, CX
	JGE         block

tail:
	// The last vector is masked; no columns are left behind it.
	ADDQ $16, CX
	JZ   nextRow
	FIRSTLANES(CX, AX, K1)
	XORL CX, CX
	JMP  block

nextRow:
	ADDQ BinaryU8Args_AStride(DI), R11
	ADDQ BinaryU8Args_BStride(DI), R12
	ADDQ BinaryU8Args_CStride(DI), R13
	DECQ R8
	JNZ  row
	VZEROUPPER
	RET
