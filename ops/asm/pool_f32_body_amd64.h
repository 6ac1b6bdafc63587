// The loops of func {max,average,weighted}PoolF32*(args *PoolF32Args): pixels, four vectors of
// channels, taps; then the other channels by one masked vector at a time.
//
// DI args, SI taps of the pixel, R8 its output, R9 pixels left, R10 divisors, R11 channels left,
// BX byte offset of the channels, CX tap, AX its address, R12 weights of the pixel.

// first sets a sum to its start, add(x, v) adds the operand x to v by way of V8 and V9, last finishes v.
#define POOL(first, add, last) \
	MOVQ args+0(FP), DI                  \
	MOVQ PoolF32Args_A(DI), SI           \
	MOVQ PoolF32Args_Out(DI), R8         \
	MOVQ PoolF32Args_P(DI), R9           \
	MOVQ PoolF32Args_Div(DI), R10        \
	MOVQ PoolF32Args_Weights(DI), R12    \
pixel:                                   \
	XORQ BX, BX                          \
	MOVQ PoolF32Args_C(DI), R11          \
	SUBQ $(4*VLANES), R11                \
	JLT  few                             \
four:                                    \
	first(V0)                            \
	VMOVAPS V0, V1                       \
	VMOVAPS V0, V2                       \
	VMOVAPS V0, V3                       \
	XORQ CX, CX                          \
tap4:                                    \
	MOVQ (SI)(CX*8), AX                  \
	add((AX)(BX*1), V0)                  \
	add(VSIZE(AX)(BX*1), V1)             \
	add((2*VSIZE)(AX)(BX*1), V2)         \
	add((3*VSIZE)(AX)(BX*1), V3)         \
	INCQ CX                              \
	CMPQ CX, PoolF32Args_KS(DI)          \
	JLT  tap4                            \
	last(V0)                             \
	last(V1)                             \
	last(V2)                             \
	last(V3)                             \
	VMOVUPS V0, (R8)(BX*1)               \
	VMOVUPS V1, VSIZE(R8)(BX*1)          \
	VMOVUPS V2, (2*VSIZE)(R8)(BX*1)      \
	VMOVUPS V3, (3*VSIZE)(R8)(BX*1)      \
	ADDQ $(4*VSIZE), BX                  \
	SUBQ $(4*VLANES), R11                \
	JGE  four                            \
few:                                     \
	ADDQ $(4*VLANES), R11                \
	JLE  next                            \
masked:                                  \
	MOVQ $VLANES, CX                     \
	CMPQ R11, CX                         \
	CMOVQLT R11, CX                      \
	TAILMASK(CX, AX)                     \
	first(V0)                            \
	XORQ CX, CX                          \
tap1:                                    \
	MOVQ (SI)(CX*8), AX                  \
	LOADTAIL((AX)(BX*1), V1)             \
	add(V1, V0)                          \
	INCQ CX                              \
	CMPQ CX, PoolF32Args_KS(DI)          \
	JLT  tap1                            \
	last(V0)                             \
	STORETAIL(V0, (R8)(BX*1))            \
	ADDQ $VSIZE, BX                      \
	SUBQ $VLANES, R11                    \
	JGT  masked                          \
next:                                    \
	MOVQ PoolF32Args_AStep(DI), AX       \
	LEAQ (SI)(AX*8), SI                  \
	ADDQ PoolF32Args_OutStride(DI), R8   \
	ADDQ $4, R10                         \
	MOVQ PoolF32Args_KS(DI), AX          \
	LEAQ (R12)(AX*4), R12                \
	DECQ R9                              \
	JNZ  pixel                           \
	VZEROUPPER                           \
	RET

#define MAXFIRST(v) VBROADCASTSS minusInf<>(SB), v
#define MAXADD(x, v) \
	VMOVUPS x, V8     \
	NANMAX(V8, v, V9)
#define MAXLAST(v)

#define AVERAGEFIRST(v) VXORPS v, v, v
#define AVERAGEADD(x, v) VADDPS x, v, v
#define AVERAGELAST(v) \
	VBROADCASTSS (R10), V8 \
	VDIVPS V8, v, v

DATA minusInf<>+0(SB)/4, $0xff800000
GLOBL minusInf<>(SB), RODATA|NOPTR, $4

#define WEIGHTEDADD(x, v) \
	VBROADCASTSS (R12)(CX*4), V8 \
	VMULPS x, V8, V8             \
	VADDPS V8, v, v
