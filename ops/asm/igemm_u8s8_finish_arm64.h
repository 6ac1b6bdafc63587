// The end of the int8 matrix kernels: R3 rows of up to 16 sums, 64 bytes apart at R8, become outputs. R0: args, R2: first column, R5:
// first row. It spoils R11 to R23 and all vectors. The frame has 128 bytes for what is less than 16 columns, of outputs and of residuals.

// COLUMNS16 loads what there is for each of 16 columns from field into vectors v0 to v3, which follow each other, or 0 where that is nil.
// R20: the field.
#define COLUMNS16(field, v0, v1, v2, v3, loaded) \
	VEOR v0.B16, v0.B16, v0.B16; \
	VEOR v1.B16, v1.B16, v1.B16; \
	VEOR v2.B16, v2.B16, v2.B16; \
	VEOR v3.B16, v3.B16, v3.B16; \
	MOVD field(R0), R20; \
	CBZ  R20, loaded; \
	ADD  R2<<2, R20, R22; \
	VLD1 (R22), [v0.S4, v1.S4, v2.S4, v3.S4]; \
loaded:

// SCALED makes floats of the sums in V(v): pre, the multipliers and post are numbers of vectors.
#define SCALED(v, mult, pre, post) \
	SCVTF_4S(v, v); \
	FADD_4S(v, v, pre); \
	FMUL_4S(4, 26, mult); \
	FMUL_4S(v, v, 4); \
	FADD_4S(v, v, post)

	MOVD IGemmU8S8Args_N(R0), R11
	SUB  R2, R11, R11
	MOVD R8, R12
	MOVD R3, R13

	// Weight zero points: subtract ASum[m]*WZero[n].
	MOVD IGemmU8S8Args_ASum(R0), R14
	CBZ  R14, finish
	ADD  R5<<2, R14, R14
	COLUMNS16(IGemmU8S8Args_WZero, V4, V5, V6, V7, compensate)

compensateRow:
	VLD1R.P 4(R14), [V8.S4]
	FLDPQ   0(R12), (F0, F1)
	FLDPQ   32(R12), (F2, F3)
	MLS_4S(0, 4, 8)
	MLS_4S(1, 5, 8)
	MLS_4S(2, 6, 8)
	MLS_4S(3, 7, 8)
	FSTPQ   (F0, F1), 0(R12)
	FSTPQ   (F2, F3), 32(R12)
	ADD     $64, R12, R12
	SUBS    $1, R13, R13
	BNE     compensateRow
	MOVD    R8, R12
	MOVD    R3, R13

finish:
	// R11: columns, R12: sums, R13: rows left, R14: output, R15: its distance, R16: residual or 0, R17: its distance, R19: bytes of the tail.
	MOVD  IGemmU8S8Args_CStride(R0), R15
	MOVD  IGemmU8S8Args_C(R0), R14
	MADD  R15, R14, R5, R14
	MOVD  IGemmU8S8Args_ResStride(R0), R17
	MOVD  IGemmU8S8Args_Res(R0), R16
	CBZ   R16, output
	MADD  R17, R16, R5, R16

output:
	MOVBU output+8(FP), R20
	CMP   $const_outputUint8, R20
	BNE   wide

	// V8-11 Mult, V12-15 PreBias, V20 ResZero, V21 ResMult, V22 Zero, V23 Lo, V24 Hi, R20: whether there is a PreBias.
	COLUMNS16(IGemmU8S8Args_Mult, V8, V9, V10, V11, multiplier)
	COLUMNS16(IGemmU8S8Args_PreBias, V12, V13, V14, V15, preBias)
	NARROWING(IGemmU8S8Args_Zero, IGemmU8S8Args_Lo, IGemmU8S8Args_Hi, R22)
	MOVW  IGemmU8S8Args_ResZero(R0), R22
	VDUP  R22, V20.S4
	MOVW  IGemmU8S8Args_ResMult(R0), R22
	VDUP  R22, V21.S4
	MOVD  R11, R19
	ADD   R2, R14, R14
	CBZ   R16, quantize
	ADD   R2, R16, R16

quantize:
	FLDPQ 0(R12), (F0, F1)
	FLDPQ 32(R12), (F2, F3)
	ADD   $64, R12, R12
	FLOATS4(0, 1, 2, 3)
	CBZ   R20, exact
	FADD_4S(0, 0, 12)
	FADD_4S(1, 1, 13)
	FADD_4S(2, 2, 14)
	FADD_4S(3, 3, 15)

exact:
	FMUL_4S(0, 0, 8)
	FMUL_4S(1, 1, 9)
	FMUL_4S(2, 2, 10)
	FMUL_4S(3, 3, 11)
	CBZ   R16, round

	// The residual: V4-V7.
	MOVD  R16, R21
	CMP   $16, R11
	BGE   residual
	MOVD  $residuals-128(SP), R22
	COPYTAIL(R21, R22, R19, R23, V16, res16, res8, res4, res2, res1, resCopied)
	MOVD  $residuals-128(SP), R21

residual:
	ADDRESIDUAL16(R21)
	ADD  R17, R16, R16

round:
	NARROW16(22, V23, V24)
	CMP   $16, R11
	BLT   quantizeTail
	FMOVQ F0, (R14)

quantized:
	ADD  R15, R14, R14
	SUBS $1, R13, R13
	BNE  quantize
	B    finished

quantizeTail:
	MOVD  $outputs-64(SP), R21
	FMOVQ F0, (R21)
	MOVD  R14, R22
	COPYTAIL(R21, R22, R19, R23, V16, out16, out8, out4, out2, out1, outCopied)
	B     quantized

wide:
	// Outputs of four bytes: R19 bytes of a row.
	LSL  $2, R11, R19
	ADD  R2<<2, R14, R14
	CBZ  R16, placed
	ADD  R2<<2, R16, R16

placed:
	CMP  $const_outputInt32, R20
	BEQ  sums

	// V8-11 Mult, V12-15 PreBias, V20-23 PostBias, V24 FloatLo, V25 FloatHi, V26 scale of the row, R20: scales of rows or 0.
	COLUMNS16(IGemmU8S8Args_Mult, V8, V9, V10, V11, floatMultiplier)
	COLUMNS16(IGemmU8S8Args_PreBias, V12, V13, V14, V15, floatPre)
	COLUMNS16(IGemmU8S8Args_PostBias, V20, V21, V22, V23, floatPost)
	MOVW IGemmU8S8Args_FloatLo(R0), R22
	VDUP R22, V24.S4
	MOVW IGemmU8S8Args_FloatHi(R0), R22
	VDUP R22, V25.S4
	MOVW $0x3F800000, R22
	VDUP R22, V26.S4
	MOVD IGemmU8S8Args_RowScale(R0), R20
	CBZ  R20, dequantize
	ADD  R5<<2, R20, R20

dequantize:
	CBZ     R20, scaled
	VLD1R.P 4(R20), [V26.S4]

scaled:
	FLDPQ 0(R12), (F0, F1)
	FLDPQ 32(R12), (F2, F3)
	SCALED(0, 8, 12, 20)
	SCALED(1, 9, 13, 21)
	SCALED(2, 10, 14, 22)
	SCALED(3, 11, 15, 23)
	CBZ   R16, clamp
	MOVD  R16, R21
	CMP   $16, R11
	BGE   floatResidual
	MOVD  $residuals-128(SP), R22
	COPYTAIL(R21, R22, R19, R23, V16, floatRes16, floatRes8, floatRes4, floatRes2, floatRes1, floatResCopied)
	MOVD  $residuals-128(SP), R21

floatResidual:
	FLDPQ 0(R21), (F4, F5)
	FLDPQ 32(R21), (F6, F7)
	FADD_4S(0, 0, 4)
	FADD_4S(1, 1, 5)
	FADD_4S(2, 2, 6)
	FADD_4S(3, 3, 7)
	ADD   R17, R16, R16

clamp:
	FMAX_4S(0, 0, 24)
	FMAX_4S(1, 1, 24)
	FMAX_4S(2, 2, 24)
	FMAX_4S(3, 3, 24)
	FMIN_4S(0, 0, 25)
	FMIN_4S(1, 1, 25)
	FMIN_4S(2, 2, 25)
	FMIN_4S(3, 3, 25)
	CMP   $16, R11
	BLT   dequantizeTail
	FSTPQ (F0, F1), 0(R14)
	FSTPQ (F2, F3), 32(R14)

dequantized:
	ADD  $64, R12, R12
	ADD  R15, R14, R14
	SUBS $1, R13, R13
	BNE  dequantize
	B    finished

dequantizeTail:
	MOVD  $outputs-64(SP), R21
	FSTPQ (F0, F1), 0(R21)
	FSTPQ (F2, F3), 32(R21)
	MOVD  R14, R22
	COPYTAIL(R21, R22, R19, R23, V16, float16, float8, float4, float2, float1, floatCopied)
	B     dequantized

sums:
	// The sums themselves.
	MOVD R12, R21
	MOVD R14, R22
	COPYTAIL(R21, R22, R19, R23, V16, sum16, sum8, sum4, sum2, sum1, sumCopied)
	ADD  $64, R12, R12
	ADD  R15, R14, R14
	SUBS $1, R13, R13
	BNE  sums

finished:
