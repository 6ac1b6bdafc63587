// The body of func requantizeI32F32*(args *RequantizeI32F32Args). DI args, SI, DX, R8, R9: rows of Acc, Y, Real
// and Res; R12 Mult, R13 Bias, R10 rows left, CX columns left, AX byte offset of the columns.
// V8 Lo, V9 Hi, V10 Scale, V11 1.5 * 2^23, V12 ResInv, V13 ResMult.

DATA requantizeMagic<>+0(SB)/4, $12582912.0
GLOBL requantizeMagic<>(SB), RODATA|NOPTR, $4

// REAL turns accumulators x into Real and leaves t in them. LOAD loads a vector of columns; biased and summed are labels of its own.
#define REAL(x, r, LOAD, biased, summed) \
	VCVTDQ2PS x, x              \
	TESTQ     R13, R13          \
	JZ        biased            \
	LOAD((R13)(AX*1), r)        \
	VADDPS    r, x, x           \
biased:                         \
	LOAD((R12)(AX*1), r)        \
	VMULPS    r, x, x           \
	TESTQ     R9, R9            \
	JZ        summed            \
	LOAD((R9)(AX*1), r)         \
	VMULPS    V12, r, r         \
	VADDPS    V11, r, r         \
	VSUBPS    V11, r, r         \
	VMULPS    V13, r, r         \
	VADDPS    r, x, x           \
summed:                         \
	VMULPS    V10, x, r

// ROUND turns t into Y.
#define ROUND(t) \
	VMAXPS V8, t, t  \
	VMINPS V9, t, t  \
	VADDPS V11, t, t \
	VSUBPS V11, t, t \
	VMULPS V10, t, t

#define LOADFULL(mem, dst) VMOVUPS mem, dst

TEXT REQUANTIZE_I32_F32(SB), NOSPLIT, $0-8
	MOVQ args+0(FP), DI
	MOVQ RequantizeI32F32Args_Acc(DI), SI
	MOVQ RequantizeI32F32Args_Y(DI), DX
	MOVQ RequantizeI32F32Args_Real(DI), R8
	MOVQ RequantizeI32F32Args_Res(DI), R9
	MOVQ RequantizeI32F32Args_Mult(DI), R12
	MOVQ RequantizeI32F32Args_Bias(DI), R13
	MOVQ RequantizeI32F32Args_M(DI), R10
	VBROADCASTSS RequantizeI32F32Args_Lo(DI), V8
	VBROADCASTSS RequantizeI32F32Args_Hi(DI), V9
	VBROADCASTSS RequantizeI32F32Args_Scale(DI), V10
	VBROADCASTSS requantizeMagic<>(SB), V11
	VBROADCASTSS RequantizeI32F32Args_ResInv(DI), V12
	VBROADCASTSS RequantizeI32F32Args_ResMult(DI), V13
	MOVQ RequantizeI32F32Args_N(DI), CX
	ANDQ $(VLANES-1), CX
	TAILMASK(CX, AX)

row:
	XORQ AX, AX
	MOVQ RequantizeI32F32Args_N(DI), CX
	SUBQ $VLANES, CX
	JLT  tail

loop:
	VMOVUPS (SI)(AX*1), V0
	REAL(V0, V1, LOADFULL, biased, summed)
	VMOVUPS V1, (R8)(AX*1)
	ROUND(V0)
	VMOVUPS V0, (DX)(AX*1)
	ADDQ $VSIZE, AX
	SUBQ $VLANES, CX
	JGE  loop

tail:
	ADDQ $VLANES, CX
	JZ   next
	LOADTAIL((SI)(AX*1), V0)
	REAL(V0, V1, LOADTAIL, tailBiased, tailSummed)
	STORETAIL(V1, (R8)(AX*1))
	ROUND(V0)
	STORETAIL(V0, (DX)(AX*1))

next:
	ADDQ RequantizeI32F32Args_AccStride(DI), SI
	ADDQ RequantizeI32F32Args_YStride(DI), DX
	ADDQ RequantizeI32F32Args_YStride(DI), R8
	TESTQ R9, R9
	JZ   advanced
	ADDQ RequantizeI32F32Args_ResStride(DI), R9

advanced:
	DECQ R10
	JNZ  row
	VZEROUPPER
	RET
