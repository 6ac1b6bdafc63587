// The body of func lsqGradF32*(args *LSQGradF32Args). DI args, SI X, R8 DY, DX the output, CX elements left,
// AX byte offset. V7 zeros, V8 1/Scale, V9 Scale, V10 Lo, V11 below, V12 Hi; V13 and V14 the
// sums for scale and zero point, as float64.

DATA lsqMagic<>+0(SB)/4, $12582912.0
GLOBL lsqMagic<>(SB), RODATA|NOPTR, $4

// LSQ computes the gradient V5 of x in V0 for dy in V1 and adds to the sums; V6 is x again. In order: dy inside the
// activation; n in V3; what rounding has added in V2, and Lo and Hi less the zero point outside the
// range; dy inside the range; what is clipped in V6; the sums, without what a NaN makes.
#define LSQ \
	VBROADCASTSS LSQGradF32Args_ActLo(DI), V3  \
	VBROADCASTSS LSQGradF32Args_ActHi(DI), V4  \
	VMAXPS       V0, V3, V0                    \
	VMINPS       V0, V4, V0                    \
	IFLT(V3, V6, V1, V7, V5, V2)               \
	IFLT(V6, V4, V5, V7, V5, V2)               \
	VBROADCASTSS lsqMagic<>(SB), V3            \
	VMULPS       V8, V0, V2                    \
	VADDPS       V3, V2, V2                    \
	VSUBPS       V3, V2, V2                    \
	VBROADCASTSS LSQGradF32Args_Zero(DI), V3   \
	VADDPS       V2, V3, V3                    \
	VFMSUB213PS  V0, V9, V2                    \
	VBROADCASTSS LSQGradF32Args_above(DI), V4  \
	IFLT(V3, V10, V11, V2, V2, V0)             \
	IFLT(V12, V3, V4, V2, V2, V0)              \
	IFLT(V3, V10, V7, V5, V5, V0)              \
	IFLT(V12, V3, V7, V5, V5, V0)              \
	IFLT(V3, V10, V1, V7, V6, V0)              \
	IFLT(V12, V3, V1, V6, V6, V0)              \
	VMULPS       V1, V2, V0                    \
	ZERONAN(V3, V0, V2)                        \
	ADDWIDE(V13)                               \
	VADDPS       V7, V6, V0                    \
	ADDWIDE(V14)

TEXT LSQ_GRAD_F32(SB), NOSPLIT, $0-8
	MOVQ args+0(FP), DI
	MOVQ LSQGradF32Args_X(DI), SI
	MOVQ LSQGradF32Args_DY(DI), R8
	MOVQ LSQGradF32Args_DX(DI), DX
	MOVQ LSQGradF32Args_N(DI), CX
	VBROADCASTSS LSQGradF32Args_inverse(DI), V8
	VBROADCASTSS LSQGradF32Args_Scale(DI), V9
	VBROADCASTSS LSQGradF32Args_Lo(DI), V10
	VBROADCASTSS LSQGradF32Args_below(DI), V11
	VBROADCASTSS LSQGradF32Args_Hi(DI), V12
	VXORPS V7, V7, V7
	VXORPS V13, V13, V13
	VXORPS V14, V14, V14
	XORQ AX, AX
	SUBQ $VLANES, CX
	JLT  tail

loop:
	VMOVUPS (SI)(AX*1), V0
	VMOVUPS (SI)(AX*1), V6
	VMOVUPS (R8)(AX*1), V1
	LSQ
	VMOVUPS V5, (DX)(AX*1)
	ADDQ $VSIZE, AX
	SUBQ $VLANES, CX
	JGE  loop

tail:
	ADDQ $VLANES, CX
	JZ   done
	TAILMASK(CX, BX)
	LOADTAIL((SI)(AX*1), V0)
	LOADTAIL((SI)(AX*1), V6)
	LOADTAIL((R8)(AX*1), V1)
	LSQ
	STORETAIL(V5, (DX)(AX*1))

done:
	VMOVUPD V13, LSQGradF32Args_scale(DI)
	VMOVUPD V14, LSQGradF32Args_zero(DI)
	VZEROUPPER
	RET
