// The body of func winograd{2,4}OutputS32AVX2(args *WinogradOutputArgs, output igemmOutput), included in their TEXT, for tiles of
// PIXELS pixels that TRANSFORM makes of 8 columns, with TILEBYTES of intermediate values.
//
// DI args.Row, SI pixel pointers of the tile, R13 those of its residuals or 0, R8 the tile in M, R10 tiles left, BX Offset, CX
// columns, R14 PreBias; for TRANSFORM R9 PosStride, R11 its values and R12 its sums, which then are those of pixel DX.

#define TAIL tail-16(SP)

	MOVQ args+0(FP), DI
	MOVQ WinogradOutputArgs_Tiles(DI), R10
	MOVQ WinogradOutputArgs_M(DI), R8
	MOVQ WinogradOutputArgs_Pixels(DI), SI
	MOVQ WinogradOutputArgs_Residuals(DI), R13
	MOVQ WinogradOutputArgs_Offset(DI), BX
	LEAQ WinogradOutputArgs_Row(DI), DI
	MOVQ IGemmU8S8Args_N(DI), CX
	MOVQ IGemmU8S8Args_PreBias(DI), R14

tile:
	MOVQ (WinogradOutputArgs_PosStride-WinogradOutputArgs_Row)(DI), R9
	LEAQ values-(32+64*PIXELS+TILEBYTES)(SP), R11
	LEAQ sums-(32+64*PIXELS)(SP), R12
	MOVQ R8, AX
	TRANSFORM
	LEAQ 32(R8), AX
	ADDQ $32, R12
	TRANSFORM
	SUBQ $32, R12
	ADDQ $64, R8
	XORL DX, DX

	// Of each column: Y0, Y1 Mult, Y11, Y12 PreBias or 0, Y13, Y14 Bias.
	MOVQ    IGemmU8S8Args_Mult(DI), AX
	VMOVUPS (AX), Y0
	VMOVUPS 32(AX), Y1
	MOVQ    IGemmU8S8Args_Bias(DI), AX
	VMOVDQU (AX), Y13
	VMOVDQU 32(AX), Y14
	VPXOR   Y11, Y11, Y11
	VPXOR   Y12, Y12, Y12
	TESTQ   R14, R14
	JZ      constants
	VMOVUPS (R14), Y11
	VMOVUPS 32(R14), Y12

constants:
	CMPB output+8(FP), $const_outputFloat32
	JEQ  dequantize

	// Y2 Hi-Zero, Y3 Zero, X4 Lo, Y5 ResZero, Y6 ResMult.
	VPBROADCASTD IGemmU8S8Args_Hi(DI), Y2
	VPBROADCASTD IGemmU8S8Args_Zero(DI), Y3
	VPSUBD       Y3, Y2, Y2
	VCVTDQ2PS    Y2, Y2
	VPBROADCASTW IGemmU8S8Args_Zero(DI), Y3
	VPBROADCASTB IGemmU8S8Args_Lo(DI), X4
	VPBROADCASTD IGemmU8S8Args_ResZero(DI), Y5
	VBROADCASTSS IGemmU8S8Args_ResMult(DI), Y6

quantize:
	MOVQ      (SI)(DX*8), AX
	TESTQ     AX, AX
	JZ        quantized
	ADDQ      BX, AX
	VPADDD    (R12), Y13, Y8
	VPADDD    32(R12), Y14, Y9
	VCVTDQ2PS Y8, Y8
	VCVTDQ2PS Y9, Y9
	TESTQ     R14, R14
	JZ        exact
	VADDPS    Y11, Y8, Y8
	VADDPS    Y12, Y9, Y9

exact:
	VMULPS Y0, Y8, Y8
	VMULPS Y1, Y9, Y9
	TESTQ  R13, R13
	JZ     clamp

	// Residual: whole panels read it in place, others through the stack.
	MOVQ (R13)(DX*8), R11
	ADDQ BX, R11
	CMPQ CX, $16
	JGE  residual
	LEAQ TAIL, R9
	COPY(R11, R9, CX, R15, X10, copy8, copy4, copy2, copy1, copied)
	LEAQ TAIL, R11

residual:
	VPMOVZXBD (R11), Y10
	VPSUBD    Y5, Y10, Y10
	VCVTDQ2PS Y10, Y10
	VMULPS    Y6, Y10, Y10
	VADDPS    Y10, Y8, Y8
	VPMOVZXBD 8(R11), Y10
	VPSUBD    Y5, Y10, Y10
	VCVTDQ2PS Y10, Y10
	VMULPS    Y6, Y10, Y10
	VADDPS    Y10, Y9, Y9

clamp:
	// The upper bound keeps the conversion from overflowing.
	VMINPS    Y2, Y8, Y8
	VMINPS    Y2, Y9, Y9
	VCVTPS2DQ Y8, Y8
	VCVTPS2DQ Y9, Y9
	PACK16(Y8, Y9, X8, X9, Y3, X4)
	CMPQ      CX, $16
	JLT       storeTail
	VMOVDQU   X8, (AX)

quantized:
	ADDQ $64, R12
	INCQ DX
	CMPQ DX, $PIXELS
	JLT  quantize

next:
	ADDQ    $(8*PIXELS), SI
	LEAQ    (8*PIXELS)(R13), AX
	TESTQ   R13, R13
	CMOVQNE AX, R13
	DECQ    R10
	JNZ     tile
	VZEROUPPER
	RET

storeTail:
	VMOVDQU X8, TAIL
	LEAQ    TAIL, R9
	COPY(R9, AX, CX, R15, X10, store8, store4, store2, store1, stored)
	JMP     quantized

dequantize:
	// Y2, Y3 the bounds, Y5 zeros, Y6, Y7 the masks of the columns that exist.
	VBROADCASTSS IGemmU8S8Args_FloatLo(DI), Y2
	VBROADCASTSS IGemmU8S8Args_FloatHi(DI), Y3
	VPXOR        Y5, Y5, Y5
	VMOVD        CX, X7
	VPBROADCASTD X7, Y7
	VPCMPGTD     winogradColumns<>+0(SB), Y7, Y6
	VPCMPGTD     winogradColumns<>+32(SB), Y7, Y7

dequantizePixel:
	MOVQ      (SI)(DX*8), AX
	TESTQ     AX, AX
	JZ        dequantized
	ADDQ      BX, AX
	VPADDD    (R12), Y13, Y8
	VPADDD    32(R12), Y14, Y9
	VCVTDQ2PS Y8, Y8
	VCVTDQ2PS Y9, Y9
	VADDPS    Y11, Y8, Y8
	VADDPS    Y12, Y9, Y9
	VMULPS    Y0, Y8, Y8
	VMULPS    Y1, Y9, Y9
	VADDPS    Y5, Y8, Y8
	VADDPS    Y5, Y9, Y9
	TESTQ     R13, R13
	JZ        added
	MOVQ      (R13)(DX*8), R11
	ADDQ      BX, R11
	VMASKMOVPS (R11), Y6, Y10
	VADDPS    Y10, Y8, Y8
	VMASKMOVPS 32(R11), Y7, Y10
	VADDPS    Y10, Y9, Y9

added:
	// A NaN is the operand that VMAXPS and VMINPS return.
	VMAXPS     Y8, Y2, Y8
	VMAXPS     Y9, Y2, Y9
	VMINPS     Y8, Y3, Y8
	VMINPS     Y9, Y3, Y9
	VMASKMOVPS Y8, Y6, (AX)
	VMASKMOVPS Y9, Y7, 32(AX)

dequantized:
	ADDQ $64, R12
	INCQ DX
	CMPQ DX, $PIXELS
	JLT  dequantizePixel
	JMP  next
