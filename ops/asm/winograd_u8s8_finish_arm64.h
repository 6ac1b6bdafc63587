// The body of func winograd{2,4}OutputS32NEON(args *WinogradOutputArgs, output igemmOutput), included in their TEXT, for tiles of PIXELS
// pixels that TRANSFORM makes of eight columns. The frame has, from its end, 64 bytes each for outputs and residuals of fewer than 16
// columns, the SUMS of a tile, and VALUES between the two passes.
//
// R0 args.Row, R1 pixel pointers of the tile, R2 those of its residuals or 0, R4 tiles left, R6 the tile in M, R7 Offset, R9 columns, R10
// PreBias or 0, R19 bytes of the columns; for TRANSFORM R3 PosStride, R5 VALUES, R8 SUMS, R12 position in M; of a pixel R12 its sums, R13 and R14
// its pointers, R15 how many are left, R16 its output.

	MOVD args+0(FP), R0
	MOVD WinogradOutputArgs_Tiles(R0), R4
	MOVD WinogradOutputArgs_M(R0), R6
	MOVD WinogradOutputArgs_Pixels(R0), R1
	MOVD WinogradOutputArgs_Residuals(R0), R2
	MOVD WinogradOutputArgs_Offset(R0), R7
	MOVD WinogradOutputArgs_PosStride(R0), R3
	ADD  $WinogradOutputArgs_Row, R0
	MOVD IGemmU8S8Args_N(R0), R9
	MOVD IGemmU8S8Args_PreBias(R0), R10
	MOVD VALUES, R5

tile:
	MOVD SUMS, R8
	MOVD $2, R11

columns8:
	MOVD R6, R12
	TRANSFORM
	ADD  $32, R6
	ADD  $32, R8
	SUBS $1, R11
	BNE  columns8
	SUB  $64, R8, R12
	MOVD R1, R13
	MOVD R2, R14
	MOVD $PIXELS, R15

	// Of the columns: V8-V11 Mult, V12-V15 PreBias or 0, V28-V31 Bias.
	MOVD IGemmU8S8Args_Mult(R0), R20
	COLUMNS16(V8, V9, V10, V11)
	MOVD IGemmU8S8Args_Bias(R0), R20
	COLUMNS16(V28, V29, V30, V31)
	VEOR V12.B16, V12.B16, V12.B16
	VEOR V13.B16, V13.B16, V13.B16
	VEOR V14.B16, V14.B16, V14.B16
	VEOR V15.B16, V15.B16, V15.B16
	CBZ  R10, constants
	MOVD R10, R20
	COLUMNS16(V12, V13, V14, V15)

constants:
	MOVBU output+8(FP), R20
	CMP   $const_outputFloat32, R20
	BEQ   wide

	// V20 ResZero, V21 ResMult, V22 Zero, V23 Lo, V24 Hi.
	NARROWING(IGemmU8S8Args_Zero, IGemmU8S8Args_Lo, IGemmU8S8Args_Hi, R20)
	MOVW IGemmU8S8Args_ResZero(R0), R20
	VDUP R20, V20.S4
	MOVW IGemmU8S8Args_ResMult(R0), R20
	VDUP R20, V21.S4
	MOVD R9, R19

quantize:
	MOVD (R13), R16
	CBZ  R16, quantized
	ADD  R7, R16
	VLD1 (R12), [V0.S4, V1.S4, V2.S4, V3.S4]
	ADDBIAS
	FLOATS4(0, 1, 2, 3)
	CBZ  R10, exact
	FADD4(12)

exact:
	FMUL4(8)
	CBZ  R2, round
	MOVD (R14), R21
	ADD  R7, R21
	CMP  $16, R9
	BGE  residual
	MOVD $residuals-128(SP), R22
	COPYTAIL(R21, R22, R19, R23, V16, res16, res8, res4, res2, res1, resCopied)
	MOVD $residuals-128(SP), R21

residual:
	ADDRESIDUAL16(R21)

round:
	NARROW16(22, V23, V24)
	CMP   $16, R9
	BLT   quantizeTail
	FMOVQ F0, (R16)

quantized:
	ADD  $64, R12
	ADD  $8, R13
	ADD  $8, R14
	SUBS $1, R15
	BNE  quantize

next:
	ADD  $(8*PIXELS), R1
	CMP  $0, R2
	ADD  $(8*PIXELS), R2
	CSEL EQ, ZR, R2, R2
	SUBS $1, R4
	BNE  tile
	RET

quantizeTail:
	MOVD  $outputs-64(SP), R21
	FMOVQ F0, (R21)
	MOVD  R16, R22
	COPYTAIL(R21, R22, R19, R23, V16, out16, out8, out4, out2, out1, outCopied)
	B     quantized

wide:
	// V20 zeros, V24 and V25 the bounds.
	VEOR V20.B16, V20.B16, V20.B16
	MOVW IGemmU8S8Args_FloatLo(R0), R20
	VDUP R20, V24.S4
	MOVW IGemmU8S8Args_FloatHi(R0), R20
	VDUP R20, V25.S4
	LSL  $2, R9, R19

dequantize:
	MOVD (R13), R16
	CBZ  R16, dequantized
	ADD  R7, R16
	VLD1 (R12), [V0.S4, V1.S4, V2.S4, V3.S4]
	ADDBIAS
	FLOATS4(0, 1, 2, 3)
	FADD4(12)
	FMUL4(8)
	FADD_4S(0, 0, 20)
	FADD_4S(1, 1, 20)
	FADD_4S(2, 2, 20)
	FADD_4S(3, 3, 20)
	CBZ  R2, clamp
	MOVD (R14), R21
	ADD  R7, R21
	CMP  $16, R9
	BGE  floatResidual
	MOVD $residuals-128(SP), R22
	COPYTAIL(R21, R22, R19, R23, V16, floatRes16, floatRes8, floatRes4, floatRes2, floatRes1, floatResCopied)
	MOVD $residuals-128(SP), R21

floatResidual:
	VLD1 (R21), [V4.S4, V5.S4, V6.S4, V7.S4]
	FADD4(4)

clamp:
	FMAX_4S(0, 0, 24)
	FMAX_4S(1, 1, 24)
	FMAX_4S(2, 2, 24)
	FMAX_4S(3, 3, 24)
	FMIN_4S(0, 0, 25)
	FMIN_4S(1, 1, 25)
	FMIN_4S(2, 2, 25)
	FMIN_4S(3, 3, 25)
	CMP  $16, R9
	BLT  dequantizeTail
	VST1 [V0.S4, V1.S4, V2.S4, V3.S4], (R16)

dequantized:
	ADD  $64, R12
	ADD  $8, R13
	ADD  $8, R14
	SUBS $1, R15
	BNE  dequantize
	B    next

dequantizeTail:
	MOVD $outputs-64(SP), R21
	VST1 [V0.S4, V1.S4, V2.S4, V3.S4], (R21)
	MOVD R16, R22
	COPYTAIL(R21, R22, R19, R23, V16, float16, float8, float4, float2, float1, floatCopied)
	B    dequantized
