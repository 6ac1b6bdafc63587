// The body of an elementwise kernel, included in its TEXT. COMBINE(a, b), which
// the file defines, leaves t in a. Frame: 48 bytes, argument: args *BinaryU8Args.
//
// Y8, Y9: zero points, Y10, Y11: multipliers, Y12: Hi-Zero, Y13: Zero, X14: Lo;
// SI, BX, DX: A, B, C; CX: columns left; R8: rows left; R9: columns of a tail, which is
// computed on the stack, R10: where its output goes.
	MOVQ         args+0(FP), DI
	VPBROADCASTD BinaryU8Args_AZero(DI), Y8
	VPBROADCASTD BinaryU8Args_BZero(DI), Y9
	VBROADCASTSS BinaryU8Args_AMult(DI), Y10
	VBROADCASTSS BinaryU8Args_BMult(DI), Y11
	VPBROADCASTD BinaryU8Args_Hi(DI), Y12
	VPBROADCASTD BinaryU8Args_Zero(DI), Y13
	VPSUBD       Y13, Y12, Y12
	VCVTDQ2PS    Y12, Y12
	VPBROADCASTW BinaryU8Args_Zero(DI), Y13
	VPBROADCASTB BinaryU8Args_Lo(DI), X14
	MOVQ         BinaryU8Args_A(DI), R11
	MOVQ         BinaryU8Args_B(DI), R12
	MOVQ         BinaryU8Args_C(DI), R13
	MOVQ         BinaryU8Args_M(DI), R8

row:
	MOVQ         R11, SI
	MOVQ         R12, BX
	MOVQ         R13, DX
	XORL         R9, R9
	MOVQ         BinaryU8Args_N(DI), CX
	SUBQ         $16, CX
	JLT          tail

block:
	VPMOVZXBD    0(SI), Y0
	VPMOVZXBD    8(SI), Y1
	VPMOVZXBD    0(BX), Y2
	VPMOVZXBD    8(BX), Y3
	VPSUBD       Y8, Y0, Y0
	VPSUBD       Y8, Y1, Y1
	VPSUBD       Y9, Y2, Y2
	VPSUBD       Y9, Y3, Y3
	VCVTDQ2PS    Y0, Y0
	VCVTDQ2PS    Y1, Y1
	VCVTDQ2PS    Y2, Y2
	VCVTDQ2PS    Y3, Y3
	COMBINE(Y0, Y2)
	COMBINE(Y1, Y3)
	VMINPS       Y12, Y0, Y0
	VMINPS       Y12, Y1, Y1
	VCVTPS2DQ    Y0, Y0
	VCVTPS2DQ    Y1, Y1
	PACK16(Y0, Y1, X0, X1, Y13, X14)
	VMOVDQU      X0, (DX)
	TESTQ        R9, R9
	JNZ          tailDone
	ADDQ         $16, SI
	ADDQ         $16, BX
	ADDQ         $16, DX
	SUBQ         $16, CX
	JGE          block

tail:
	ADDQ         $16, CX
	JZ           nextRow
	MOVQ         CX, R9
	MOVQ         DX, R10
	LEAQ         a-48(SP), DX
	COPY(SI, DX, CX, AX, X0, a8, a4, a2, a1, aCopied)
	LEAQ         b-32(SP), DX
	COPY(BX, DX, CX, AX, X0, b8, b4, b2, b1, bCopied)
	LEAQ         a-48(SP), SI
	LEAQ         b-32(SP), BX
	LEAQ         c-16(SP), DX
	JMP          block

tailDone:
	COPY(DX, R10, CX, AX, X0, c8, c4, c2, c1, cCopied)

nextRow:
	ADDQ         BinaryU8Args_AStride(DI), R11
	ADDQ         BinaryU8Args_BStride(DI), R12
	ADDQ         BinaryU8Args_CStride(DI), R13
	DECQ         R8
	JNZ          row
	VZEROUPPER
	RET
