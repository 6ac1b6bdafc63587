// The body of func layerNormF32*(args *LayerNormF32Args): three passes over each row.
//
// DI args, SI Src, BX Dst, R8 Gamma or 0, R9 Beta or 0, R10 rows left, R11 columns, CX columns left,
// AX byte offset of the columns; V11 the row's first value, V14 mean of what the values are above it, V13 1/sqrt(variance+Eps), V12 1/Cols.

// SUMVECTORS adds add(x - V11, v) over the row to V0 and V4, alternating, and the lanes of both into V0. Lanes
// beyond the row hold V14, whose deviation from it is 0; it is 0 for the sum.
#define SUMVECTORS(add, two, one, tail, done) \
	VXORPS V0, V0, V0         \
	VXORPS V4, V4, V4         \
	XORQ AX, AX               \
	MOVQ R11, CX              \
	SUBQ $(2*VLANES), CX      \
	JLT  one                  \
two:                          \
	VMOVUPS (SI)(AX*1), V5    \
	VMOVUPS VSIZE(SI)(AX*1), V6 \
	VSUBPS V11, V5, V5        \
	VSUBPS V11, V6, V6        \
	add(V5, V0)               \
	add(V6, V4)               \
	ADDQ $(2*VSIZE), AX       \
	SUBQ $(2*VLANES), CX      \
	JGE  two                  \
one:                          \
	ADDQ $VLANES, CX          \
	JLT  tail                 \
	VMOVUPS (SI)(AX*1), V5    \
	VSUBPS V11, V5, V5        \
	add(V5, V0)               \
	ADDQ $VSIZE, AX           \
	SUBQ $VLANES, CX          \
tail:                         \
	ADDQ $VLANES, CX          \
	JZ   done                 \
	LOADTAIL((SI)(AX*1), V5)  \
	VSUBPS V11, V5, V5        \
	KEEPTAIL(V5, V14, V5)     \
	add(V5, V4)               \
done:                         \
	VADDPS V4, V0, V0         \
	HSUM                      \
	VMULPS V12, V0, V0

#define PLAIN(x, v) VADDPS x, v, v

#define SQUARE(x, v) \
	VSUBPS      V14, x, x \
	VFMADD231PS x, x, v

TEXT LAYERNORM_F32(SB), NOSPLIT, $0-8
	MOVQ args+0(FP), DI
	MOVQ LayerNormF32Args_Src(DI), SI
	MOVQ LayerNormF32Args_Dst(DI), BX
	MOVQ LayerNormF32Args_Gamma(DI), R8
	MOVQ LayerNormF32Args_Beta(DI), R9
	MOVQ LayerNormF32Args_Rows(DI), R10
	MOVQ LayerNormF32Args_Cols(DI), R11
	VXORPS X0, X0, X0
	VCVTSI2SSQ R11, X0, X0
	VMOVSS layerNormOne<>(SB), X1
	VDIVSS X0, X1, X0
	VBROADCASTSS X0, V12
	MOVQ R11, CX
	ANDQ $(VLANES-1), CX
	TAILMASK(CX, AX)

row:
	VBROADCASTSS (SI), V11
	VXORPS V14, V14, V14
	SUMVECTORS(PLAIN, sum2, sum1, sumTail, sumDone)
	VMOVAPS V0, V14
	SUMVECTORS(SQUARE, square2, square1, squareTail, squareDone)
	VADDSS  LayerNormF32Args_Eps(DI), X0, X0
	VSQRTSS X0, X0, X0
	VMOVSS  layerNormOne<>(SB), X1
	VDIVSS  X0, X1, X0
	VBROADCASTSS X0, V13

	XORQ AX, AX
	MOVQ R11, CX
	SUBQ $VLANES, CX
	JLT  tail

loop:
	VMOVUPS (SI)(AX*1), V0
	VSUBPS V11, V0, V0
	VSUBPS V14, V0, V0
	VMULPS V13, V0, V0
	TESTQ R8, R8
	JZ   noGamma
	VMULPS (R8)(AX*1), V0, V0

noGamma:
	TESTQ R9, R9
	JZ   noBeta
	VADDPS (R9)(AX*1), V0, V0

noBeta:
	VMOVUPS V0, (BX)(AX*1)
	ADDQ $VSIZE, AX
	SUBQ $VLANES, CX
	JGE  loop

tail:
	ADDQ $VLANES, CX
	JZ   next
	LOADTAIL((SI)(AX*1), V0)
	VSUBPS V11, V0, V0
	VSUBPS V14, V0, V0
	VMULPS V13, V0, V0
	TESTQ R8, R8
	JZ   noGammaTail
	LOADTAIL((R8)(AX*1), V1)
	VMULPS V1, V0, V0

noGammaTail:
	TESTQ R9, R9
	JZ   noBetaTail
	LOADTAIL((R9)(AX*1), V1)
	VADDPS V1, V0, V0

noBetaTail:
	STORETAIL(V0, (BX)(AX*1))

next:
	ADDQ LayerNormF32Args_SrcStride(DI), SI
	ADDQ LayerNormF32Args_DstStride(DI), BX
	DECQ R10
	JNZ  row
	VZEROUPPER
	RET

DATA layerNormOne<>+0(SB)/4, $0x3f800000
GLOBL layerNormOne<>(SB), RODATA|NOPTR, $4
