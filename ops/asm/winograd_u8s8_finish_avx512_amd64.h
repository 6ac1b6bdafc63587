// The body of func winograd{2,4}OutputS32AVX512(args *WinogradOutputArgs, output igemmOutput), included in their TEXT, for tiles of
// PIXELS pixels that TRANSFORM makes of 16 columns, with TILEBYTES of intermediate values.
//
// DI args.Row, SI pixel pointers of the tile, R13 those of its residuals or 0, R8 the tile in M, R10 tiles left, BX Offset, K1
// the columns that exist; for TRANSFORM R9 PosStride, R11 its values and R12 its sums, which then are those of pixel DX.
//
// Of each column: Z16 Mult, Z17 PreBias or 0, Z18 Bias. Z19 Hi-Zero, Z20 Zero, Z21 Lo, Z22 ResZero, Z23 ResMult, Z24 and Z25 the bounds
// of floats, Z26 zeros.

	MOVQ args+0(FP), DI
	MOVQ WinogradOutputArgs_Tiles(DI), R10
	MOVQ WinogradOutputArgs_M(DI), R8
	MOVQ WinogradOutputArgs_PosStride(DI), R9
	MOVQ WinogradOutputArgs_Pixels(DI), SI
	MOVQ WinogradOutputArgs_Residuals(DI), R13
	MOVQ WinogradOutputArgs_Offset(DI), BX
	LEAQ WinogradOutputArgs_Row(DI), DI
	MOVQ IGemmU8S8Args_N(DI), CX
	FIRSTLANES(CX, AX, K1)
	VPXORD    Z26, Z26, Z26
	VMOVDQU32 Z26, Z17
	MOVQ      IGemmU8S8Args_PreBias(DI), AX
	TESTQ     AX, AX
	JZ        constants
	VMOVUPS   (AX), Z17

constants:
	MOVQ         IGemmU8S8Args_Mult(DI), AX
	VMOVUPS      (AX), Z16
	MOVQ         IGemmU8S8Args_Bias(DI), AX
	VMOVDQU32    (AX), Z18
	VPBROADCASTD IGemmU8S8Args_Hi(DI), Z19
	VPBROADCASTD IGemmU8S8Args_Zero(DI), Z20
	VPSUBD       Z20, Z19, Z19
	VCVTDQ2PS    Z19, Z19
	VPBROADCASTD IGemmU8S8Args_Lo(DI), Z21
	VPBROADCASTD IGemmU8S8Args_ResZero(DI), Z22
	VBROADCASTSS IGemmU8S8Args_ResMult(DI), Z23
	VBROADCASTSS IGemmU8S8Args_FloatLo(DI), Z24
	VBROADCASTSS IGemmU8S8Args_FloatHi(DI), Z25

tile:
	LEAQ values-(64*PIXELS+TILEBYTES)(SP), R11
	LEAQ sums-(64*PIXELS)(SP), R12
	MOVQ R8, AX
	TRANSFORM
	ADDQ $64, R8
	XORL DX, DX
	CMPB output+8(FP), $const_outputFloat32
	JEQ  dequantize

quantize:
	MOVQ      (SI)(DX*8), AX
	TESTQ     AX, AX
	JZ        quantized
	VPADDD    (R12), Z18, Z0
	VCVTDQ2PS Z0, Z0
	VADDPS    Z17, Z0, Z0
	VMULPS    Z16, Z0, Z0
	TESTQ     R13, R13
	JZ        clamp
	MOVQ        (R13)(DX*8), R11
	VPMOVZXBD.Z (R11)(BX*1), K1, Z1
	VPSUBD      Z22, Z1, Z1
	VCVTDQ2PS   Z1, Z1
	VMULPS      Z23, Z1, Z1
	VADDPS      Z1, Z0, Z0

clamp:
	// The upper bound keeps the conversion from overflowing.
	VMINPS    Z19, Z0, Z0
	VCVTPS2DQ Z0, Z0
	NARROW16(Z0, Z20, Z21, K1, (AX)(BX*1))

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

dequantize:
	MOVQ      (SI)(DX*8), AX
	TESTQ     AX, AX
	JZ        dequantized
	VPADDD    (R12), Z18, Z0
	VCVTDQ2PS Z0, Z0
	VADDPS    Z17, Z0, Z0
	VMULPS    Z16, Z0, Z0
	VADDPS    Z26, Z0, Z0
	TESTQ     R13, R13
	JZ        added
	MOVQ      (R13)(DX*8), R11
	VMOVUPS.Z (R11)(BX*1), K1, Z1
	VADDPS    Z1, Z0, Z0

added:
	// A NaN is the operand that VMAXPS and VMINPS return.
	VMAXPS  Z0, Z24, Z0
	VMINPS  Z0, Z25, Z0
	VMOVUPS Z0, K1, (AX)(BX*1)

dequantized:
	ADDQ $64, R12
	INCQ DX
	CMPQ DX, $PIXELS
	JLT  dequantize
	JMP  next
