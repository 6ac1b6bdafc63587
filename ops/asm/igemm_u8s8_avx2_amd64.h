// The end of the 6 x 16 kernels, included in their TEXT: the tile in Y0 to Y11, row
// r in Y(2r) and Y(2r+1), becomes outputs, then the next panel follows at the
// label panel. Frame: 32 bytes, arguments: args *IGemmU8S8Args, accumulate bool.
//
// DI: args, R12: first column of the panel, R13: M; BX and R8 are kept.

	// Spill to scratch, 64 bytes per row, so that one loop over rows can quantize.
spill:
	MOVQ    IGemmU8S8Args_Scratch(DI), SI
	VMOVDQU Y0, 0(SI)
	VMOVDQU Y1, 32(SI)
	VMOVDQU Y2, 64(SI)
	VMOVDQU Y3, 96(SI)
	VMOVDQU Y4, 128(SI)
	VMOVDQU Y5, 160(SI)
	VMOVDQU Y6, 192(SI)
	VMOVDQU Y7, 224(SI)
	VMOVDQU Y8, 256(SI)
	VMOVDQU Y9, 288(SI)
	VMOVDQU Y10, 320(SI)
	VMOVDQU Y11, 352(SI)

	// Weight zero points: subtract ASum[m]*WZero[n].
	MOVQ    IGemmU8S8Args_ASum(DI), AX
	TESTQ   AX, AX
	JZ      output
	MOVQ    IGemmU8S8Args_WZero(DI), DX
	VMOVDQU (DX)(R12*4), Y0
	VMOVDQU 32(DX)(R12*4), Y1
	XORL    CX, CX

compensate:
	VPBROADCASTD (AX)(CX*4), Y2
	VPMULLD      Y2, Y0, Y3
	VPMULLD      Y2, Y1, Y4
	VMOVDQU      0(SI), Y5
	VMOVDQU      32(SI), Y6
	VPSUBD       Y3, Y5, Y5
	VPSUBD       Y4, Y6, Y6
	VMOVDQU      Y5, 0(SI)
	VMOVDQU      Y6, 32(SI)
	ADDQ         $64, SI
	INCQ         CX
	CMPQ         CX, R13
	JLT          compensate
	MOVQ         IGemmU8S8Args_Scratch(DI), SI

output:
	// CX = columns of this panel, DX = output of row 0, R10 = rows left.
	MOVQ    IGemmU8S8Args_N(DI), CX
	SUBQ    R12, CX
	MOVQ    IGemmU8S8Args_C(DI), DX
	MOVQ    R13, R10
	CMPB    accumulate+8(FP), $0
	JNE     store32

	// Constants: Y0, Y1 Mult, Y2 Hi-Zero, X3 Zero, X4 Lo, Y5 ResZero, Y6 ResMult.
	MOVQ         IGemmU8S8Args_Mult(DI), AX
	VMOVUPS      (AX)(R12*4), Y0
	VMOVUPS      32(AX)(R12*4), Y1
	VPBROADCASTD IGemmU8S8Args_Hi(DI), Y2
	VPBROADCASTD IGemmU8S8Args_Zero(DI), Y3
	VPSUBD       Y3, Y2, Y2
	VCVTDQ2PS    Y2, Y2
	VPBROADCASTW IGemmU8S8Args_Zero(DI), Y3
	VPBROADCASTB IGemmU8S8Args_Lo(DI), X4
	VPBROADCASTD IGemmU8S8Args_ResZero(DI), Y5
	VBROADCASTSS IGemmU8S8Args_ResMult(DI), Y6
	ADDQ         R12, DX
	MOVQ         IGemmU8S8Args_Res(DI), R9
	TESTQ        R9, R9
	JZ           quantize
	ADDQ         R12, R9

quantize:
	VCVTDQ2PS 0(SI), Y8
	VCVTDQ2PS 32(SI), Y9
	VMULPS    Y0, Y8, Y8
	VMULPS    Y1, Y9, Y9
	TESTQ     R9, R9
	JZ        clamp

	// Residual: whole panels read it in place, the last one through the stack.
	MOVQ R9, AX
	CMPQ CX, $16
	JGE  residual
	LEAQ tail-16(SP), R11
	COPY(AX, R11, CX, R15, X10, copy8, copy4, copy2, copy1, copied)
	LEAQ tail-16(SP), AX

residual:
	VPMOVZXBD 0(AX), Y10
	VPMOVZXBD 8(AX), Y11
	VPSUBD    Y5, Y10, Y10
	VPSUBD    Y5, Y11, Y11
	VCVTDQ2PS Y10, Y10
	VCVTDQ2PS Y11, Y11
	VMULPS    Y6, Y10, Y10
	VMULPS    Y6, Y11, Y11
	VADDPS    Y10, Y8, Y8
	VADDPS    Y11, Y9, Y9
	ADDQ      IGemmU8S8Args_ResStride(DI), R9

clamp:
	// The upper bound keeps the conversion from overflowing.
	VMINPS       Y2, Y8, Y8
	VMINPS       Y2, Y9, Y9
	VCVTPS2DQ    Y8, Y8
	VCVTPS2DQ    Y9, Y9
	PACK16(Y8, Y9, X8, X9, Y3, X4)
	CMPQ         CX, $16
	JLT          storeTail
	VMOVDQU      X8, (DX)

quantized:
	ADDQ $64, SI
	ADDQ IGemmU8S8Args_CStride(DI), DX
	DECQ R10
	JNZ  quantize

nextPanel:
	ADDQ $16, R12
	CMPQ R12, IGemmU8S8Args_N(DI)
	JLT  panel
	VZEROUPPER
	RET

storeTail:
	MOVQ   DX, AX
	TESTL  $8, CX
	JZ     store4
	VMOVQ  X8, (AX)
	VPSRLDQ $8, X8, X8
	ADDQ   $8, AX

store4:
	TESTL   $4, CX
	JZ      store2
	VMOVD   X8, (AX)
	VPSRLDQ $4, X8, X8
	ADDQ    $4, AX

store2:
	TESTL   $2, CX
	JZ      store1
	VPEXTRW $0, X8, (AX)
	VPSRLDQ $2, X8, X8
	ADDQ    $2, AX

store1:
	TESTL   $1, CX
	JZ      quantized
	VPEXTRB $0, X8, (AX)
	JMP     quantized

store32:
	// Accumulate: store int32; Y2, Y3 mask the columns that exist.
	LEAQ         (DX)(R12*4), DX
	VMOVD        CX, X2
	VPBROADCASTD X2, Y2
	VPCMPGTD     ·columnIndex<>+32(SB), Y2, Y3
	VPCMPGTD     ·columnIndex<>+0(SB), Y2, Y2

store32Row:
	VMOVDQU    0(SI), Y8
	VMOVDQU    32(SI), Y9
	CMPQ       CX, $16
	JLT        store32Tail
	VMOVDQU    Y8, 0(DX)
	VMOVDQU    Y9, 32(DX)

store32Next:
	ADDQ $64, SI
	ADDQ IGemmU8S8Args_CStride(DI), DX
	DECQ R10
	JNZ  store32Row
	JMP  nextPanel

store32Tail:
	VPMASKMOVD Y8, Y2, 0(DX)
	VPMASKMOVD Y9, Y3, 32(DX)
	JMP        store32Next

// The numbers 0 to 15.
DATA ·columnIndex<>+0(SB)/8, $0x0000000100000000
DATA ·columnIndex<>+8(SB)/8, $0x0000000300000002
DATA ·columnIndex<>+16(SB)/8, $0x0000000500000004
DATA ·columnIndex<>+24(SB)/8, $0x0000000700000006
DATA ·columnIndex<>+32(SB)/8, $0x0000000900000008
DATA ·columnIndex<>+40(SB)/8, $0x0000000b0000000a
DATA ·columnIndex<>+48(SB)/8, $0x0000000d0000000c
DATA ·columnIndex<>+56(SB)/8, $0x0000000f0000000e
GLOBL ·columnIndex<>(SB), RODATA|NOPTR, $64
