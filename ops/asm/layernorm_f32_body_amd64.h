// The body of func layerNormF32*(args *LayerNormF32Args): three passes over each row, of
// 16 columns at a time and of single ones at the end of the row, in float64 up to the normalized value.
//
// DI args, SI Src, BX Dst, R8 Gamma or 0, R9 Beta or 0, R10 rows left, R11 columns, CX columns left, AX byte offset of
// the columns, R13 memory of the 16 sums; X12 Cols, V13 1/sqrt(variance+Eps), V14 mean.

// SUM leaves the sum over a row over Cols in X0: each takes 16 columns, single one, whose float64 it finds in X4.
#define SUM(each, single, loop, tail, one, done) \
	CLEAR16                            \
	XORQ      AX, AX                   \
	MOVQ      R11, CX                  \
	SUBQ      $16, CX                  \
	JLT       tail                     \
loop:                                      \
	EACH16(each)                       \
	ADDQ      $64, AX                  \
	SUBQ      $16, CX                  \
	JGE       loop                     \
tail:                                      \
	EACH16(KEEPSUMS)                   \
	MOVQ      R13, DX                  \
	ADDQ      $16, CX                  \
	JZ        done                     \
one:                                       \
	VCVTSS2SD (SI)(AX*1), X4, X4       \
	single                             \
	VADDSD    (DX), X4, X4             \
	VMOVSD    X4, (DX)                 \
	ADDQ      $4, AX                   \
	ADDQ      $8, DX                   \
	DECQ      CX                       \
	JNZ       one                      \
done:                                      \
	VMOVUPD   (R13), Y0                \
	VMOVUPD   32(R13), Y1              \
	VADDPD    64(R13), Y0, Y0          \
	VADDPD    96(R13), Y1, Y1          \
	VADDPD    Y1, Y0, Y0               \
	VEXTRACTF128 $1, Y0, X1            \
	VADDPD    X1, X0, X0               \
	VPERMILPD $1, X0, X1               \
	VADDSD    X1, X0, X0               \
	VDIVSD    X12, X0, X0

#define KEEPSUMS(at, v, tmp, half) VMOVUPD v, 2*at(R13)

#define PLAIN(at, v, tmp, half) \
	VCVTPS2PD at(SI)(AX*1), tmp \
	VADDPD    tmp, v, v

#define PLAINONE

#define SQUARE(at, v, tmp, half) \
	VCVTPS2PD at(SI)(AX*1), tmp \
	VSUBPD    V14, tmp, tmp     \
	VMULPD    tmp, tmp, tmp     \
	VADDPD    tmp, v, v

#define SQUAREONE \
	VSUBSD X14, X4, X4 \
	VMULSD X4, X4, X4

#define NORMALIZE(at, v, tmp, half) \
	VCVTPS2PD at(SI)(AX*1), v \
	VSUBPD    V14, v, v       \
	VMULPD    V13, v, v       \
	NARROW(v, half)

#define TIMESGAMMA(at, v, tmp, half) VMULPS at(R8)(AX*1), half, half

#define PLUSBETA(at, v, tmp, half) VADDPS at(R9)(AX*1), half, half

#define STORE(at, v, tmp, half) VMOVUPS half, at(BX)(AX*1)

TEXT LAYERNORM_F32(SB), NOSPLIT, $128-8
	MOVQ args+0(FP), DI
	MOVQ LayerNormF32Args_Src(DI), SI
	MOVQ LayerNormF32Args_Dst(DI), BX
	MOVQ LayerNormF32Args_Gamma(DI), R8
	MOVQ LayerNormF32Args_Beta(DI), R9
	MOVQ LayerNormF32Args_Rows(DI), R10
	MOVQ LayerNormF32Args_Cols(DI), R11
	LEAQ sums-128(SP), R13
	VXORPD X12, X12, X12
	VCVTSI2SDQ R11, X12, X12

row:
	SUM(PLAIN, PLAINONE, sum, sumTail, sumOne, sumDone)
	VBROADCASTSD X0, V14
	SUM(SQUARE, SQUAREONE, square, squareTail, squareOne, squareDone)
	VXORPD    X1, X1, X1
	VCVTSS2SD LayerNormF32Args_Eps(DI), X1, X1
	VADDSD    X1, X0, X0
	VSQRTSD   X0, X0, X0
	VMOVSD    layerNormOne<>(SB), X1
	VDIVSD    X0, X1, X0
	VBROADCASTSD X0, V13

	XORQ AX, AX
	MOVQ R11, CX
	SUBQ $16, CX
	JLT  tail

loop:
	EACH16(NORMALIZE)
	TESTQ R8, R8
	JZ    noGamma
	EACH16(TIMESGAMMA)

noGamma:
	TESTQ R9, R9
	JZ    noBeta
	EACH16(PLUSBETA)

noBeta:
	EACH16(STORE)
	ADDQ $64, AX
	SUBQ $16, CX
	JGE  loop

tail:
	ADDQ $16, CX
	JZ   next

one:
	VCVTSS2SD (SI)(AX*1), X4, X4
	VSUBSD    X14, X4, X4
	VMULSD    X13, X4, X4
	VCVTSD2SS X4, X4, X4
	TESTQ     R8, R8
	JZ        noGammaOne
	VMULSS    (R8)(AX*1), X4, X4

noGammaOne:
	TESTQ     R9, R9
	JZ        noBetaOne
	VADDSS    (R9)(AX*1), X4, X4

noBetaOne:
	VMOVSS    X4, (BX)(AX*1)
	ADDQ      $4, AX
	DECQ      CX
	JNZ       one

next:
	ADDQ LayerNormF32Args_SrcStride(DI), SI
	ADDQ LayerNormF32Args_DstStride(DI), BX
	DECQ R10
	JNZ  row
	VZEROUPPER
	RET

DATA layerNormOne<>+0(SB)/8, $0x3ff0000000000000
GLOBL layerNormOne<>(SB), RODATA|NOPTR, $8
