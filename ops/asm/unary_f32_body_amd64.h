// The bodies of func *F32<ISA>(dst, src *float32, n int, p, q float32).
// A function f turns V0 into f(V0) and may use V1 to V12; V13 and V14 hold p and q.

CONST(tanhSplit<>, TANH_SPLIT)
CONST(tanh0<>, TANH0)
CONST(tanh1<>, TANH1)
CONST(tanh2<>, TANH2)
CONST(tanh3<>, TANH3)
CONST(tanh4<>, TANH4)

CONST(erf0<>, ERF0)
CONST(erf1<>, ERF1)
CONST(erf2<>, ERF2)
CONST(erf3<>, ERF3)
CONST(erf4<>, ERF4)
CONST(erf5<>, ERF5)
CONST(erf6<>, ERF6)
CONST(erfSqrt2<>, ERF_SQRT2)

CONST(tailSlope<>, TAIL_SLOPE)
CONST(tailLow<>, TAIL_LOW)
CONST(tailInverse<>, TAIL_INVERSE)
CONST(tail0<>, TAIL0)
CONST(tail1<>, TAIL1)
CONST(tail2<>, TAIL2)
CONST(tail3<>, TAIL3)
CONST(tail4<>, TAIL4)
CONST(tail5<>, TAIL5)
CONST(tail6<>, TAIL6)
CONST(tail7<>, TAIL7)
CONST(tail8<>, TAIL8)
CONST(tail9<>, TAIL9)
CONST(tail10<>, TAIL10)

CONST(halfInverse<>, HALF_INVERSE)
CONST(softInverse<>, SOFT_INVERSE)

CONST(log0<>, LOG0)
CONST(log1<>, LOG1)
CONST(log2<>, LOG2)
CONST(log3<>, LOG3)
CONST(log4<>, LOG4)
CONST(logMin<>, LOG_MIN)
CONST(logScale<>, LOG_SCALE)
CONST(logShift<>, LOG_SHIFT)
CONST(logSqrtHalf<>, LOG_SQRT_HALF)

CONST(gelu1Hi<>, GELU1_HI)
CONST(gelu1Lo<>, GELU1_LO)
CONST(gelu3Hi<>, GELU3_HI)
CONST(gelu3Lo<>, GELU3_LO)

#define CLAMP(v, lo, hi) \
	VMAXPS v, lo, v \
	VMINPS v, hi, v

#define LEAKYRELU \
	VMULPS V13, V0, V1   \
	VXORPS V2, V2, V2    \
	IFLT(V2, V0, V0, V1, V0, V3)

// HARDSIGMOID6 makes V1 of min(max(V0+3, 0), 6).
#define HARDSIGMOID6 \
	VADDPS  mathThree<>(SB), V0, V1 \
	VXORPS  V2, V2, V2              \
	VMOVUPS mathSix<>(SB), V3       \
	CLAMP(V1, V2, V3)

#define HARDSIGMOID \
	HARDSIGMOID6      \
	VDIVPS V3, V1, V0

#define HARDSWISH \
	HARDSIGMOID6      \
	VMULPS V1, V0, V0 \
	VDIVPS V3, V0, V0

#define EXPF EXP(V0, V1, V2, V3, V4) \
	VMOVAPS V1, V0

// SIGMOIDRATIO makes of x < 0 ? z/(1+z) : 1/(1+z), with z = e^-|x| in V3, the sigmoid, accurate for either sign:
// the quotient V8, and V7*V6, which corrects it by what it and the sum s = V4 left: V7 is n - V8*s - V8*e, with e
// the error of s, and V6 about 1/s.
#define SIGMOIDRATIO \
	VXORPS  V5, V5, V5             \
	VMOVUPS mathOne<>(SB), V6      \
	IFLT(V0, V5, V3, V6, V7, V7)   \
	VADDPS  V6, V3, V4             \
	VSUBPS  V6, V4, V5             \
	VSUBPS  V5, V3, V5             \
	VDIVPS  V4, V7, V8             \
	VFNMADD231PS V4, V8, V7        \
	VFNMADD231PS V5, V8, V7        \
	VMOVUPS halfInverse<>(SB), V6  \
	VFNMADD231PS mathHalf<>(SB), V4, V6

// TIMESRATIO multiplies x by it; x in the correction is bounded, since infinity times 0 is NaN.
#define TIMESRATIO \
	VMOVUPS mathSixteen<>(SB), V1  \
	VMINPS  V1, V0, V1             \
	VMULPS  V6, V7, V7             \
	VMULPS  V1, V7, V7             \
	VFMADD213PS V7, V8, V0

#define EXPMINUSABS \
	VORPS   mathSign<>(SB), V0, V1 \
	EXP(V1, V3, V2, V4, V5)

#define SIGMOID \
	EXPMINUSABS  \
	SIGMOIDRATIO \
	VFMADD213PS V8, V6, V7 \
	VMOVAPS V7, V0

#define SILU \
	EXPMINUSABS  \
	SIGMOIDRATIO \
	TIMESRATIO

// TANH: |x| + |x|^3*p(x^2) near 0, else 1 - 2/(e^2|x| + 1), with the sign of x, of zero too.
#define TANH \
	VANDPS  mathAbs<>(SB), V0, V1     \
	VADDPS  V1, V1, V2                \
	EXP(V2, V3, V4, V5, V6)               \
	VADDPS  mathOne<>(SB), V3, V3     \
	VMOVUPS mathTwo<>(SB), V4         \
	VDIVPS  V3, V4, V4                \
	VMOVUPS mathOne<>(SB), V5         \
	VSUBPS  V4, V5, V5                \
	VMULPS  V0, V0, V6                \
	VMOVUPS tanh4<>(SB), V7           \
	VFMADD213PS tanh3<>(SB), V6, V7   \
	VFMADD213PS tanh2<>(SB), V6, V7   \
	VFMADD213PS tanh1<>(SB), V6, V7   \
	VFMADD213PS tanh0<>(SB), V6, V7   \
	VMULPS  V6, V7, V7                \
	VFMADD213PS V1, V1, V7            \
	VMOVUPS tanhSplit<>(SB), V8       \
	VANDPS  mathSign<>(SB), V0, V2    \
	IFLT(V1, V8, V7, V5, V0, V9)          \
	VORPS   V2, V0, V0

// TAIL makes q and d of the factor q/d in P(X > t) = q/d*e^(-t^2/2) of the standard normal distribution, t in
// [0, 16]: q is tail0 and a small polynomial p in u = 2t/(t+3) - 1, in [0.5, 0.58], and d is 1 + 1.25t.
#define TAIL(t, q, p, u, d) \
	VADDPS  mathThree<>(SB), t, p   \
	VDIVPS  p, t, u                 \
	VMOVUPS mathOne<>(SB), d        \
	VADDPS  u, u, u                 \
	VSUBPS  d, u, u                 \
	VFMADD231PS tailSlope<>(SB), t, d \
	VMOVUPS tail10<>(SB), p         \
	VFMADD213PS tail9<>(SB), u, p   \
	VFMADD213PS tail8<>(SB), u, p   \
	VFMADD213PS tail7<>(SB), u, p   \
	VFMADD213PS tail6<>(SB), u, p   \
	VFMADD213PS tail5<>(SB), u, p   \
	VFMADD213PS tail4<>(SB), u, p   \
	VFMADD213PS tail3<>(SB), u, p   \
	VFMADD213PS tail2<>(SB), u, p   \
	VFMADD213PS tail1<>(SB), u, p   \
	VFMADD213PS tailLow<>(SB), u, p \
	VADDPS  tail0<>(SB), p, q

// ERFNEAR0 makes r of V0 + V0*p(square).
#define ERFNEAR0(square, r) \
	VMOVUPS erf6<>(SB), r            \
	VFMADD213PS erf5<>(SB), square, r \
	VFMADD213PS erf4<>(SB), square, r \
	VFMADD213PS erf3<>(SB), square, r \
	VFMADD213PS erf2<>(SB), square, r \
	VFMADD213PS erf1<>(SB), square, r \
	VFMADD213PS erf0<>(SB), square, r \
	VFMADD213PS V0, V0, r

// ERF: x + x*p(x^2) below 1, else 1 - 2*P(X > sqrt(2)*|x|) with the sign of x.
#define ERF \
	VANDPS  mathAbs<>(SB), V0, V1     \
	VMOVUPS mathTen<>(SB), V2         \
	VMINPS  V1, V2, V1                \
	VMULPS  erfSqrt2<>(SB), V1, V2    \
	TAIL(V2, V3, V6, V4, V5)              \
	VDIVPS  V5, V3, V3                \
	VMULPS  V1, V1, V5                \
	VXORPS  mathSign<>(SB), V5, V6    \
	EXP(V6, V7, V8, V9, V10)               \
	VMULPS  V3, V7, V7                \
	VMOVUPS mathOne<>(SB), V8         \
	VFNMADD231PS mathTwo<>(SB), V7, V8 \
	VANDPS  mathSign<>(SB), V0, V6    \
	VORPS   V6, V8, V8                \
	ERFNEAR0(V5, V7)                  \
	VMOVUPS mathOne<>(SB), V9         \
	IFLT(V1, V9, V7, V8, V0, V10)

// GELU: max(x, 0) - |x|*P(X > |x|), NaN at -Inf as x*0 is. e^(-x^2/2) takes in what rounding left out of x^2
// and, relative to q = V2, of q itself, of d = V4 and of the quotient V5: (q - p - tail0) - (V5*d - q) - V5*(1.25t + 1 - d).
#define GELU \
	VANDPS  mathAbs<>(SB), V0, V1        \
	VMOVUPS mathSixteen<>(SB), V2        \
	VMINPS  V1, V2, V1                   \
	TAIL(V1, V2, V6, V3, V4)                 \
	VDIVPS  V4, V2, V5                   \
	VSUBPS  tail0<>(SB), V2, V7          \
	VSUBPS  V7, V6, V7                   \
	VMOVUPS mathOne<>(SB), V8            \
	VSUBPS  V4, V8, V8                   \
	VFMADD231PS tailSlope<>(SB), V1, V8  \
	VFNMADD231PS V4, V5, V2              \
	VADDPS  V7, V2, V2                   \
	VFNMADD231PS V8, V5, V2              \
	VMULPS  tailInverse<>(SB), V2, V2    \
	VMULPS  V1, V1, V3                   \
	VMOVAPS V3, V4                       \
	VFMSUB231PS V1, V1, V4               \
	VFNMADD231PS mathHalf<>(SB), V4, V2  \
	VMULPS  mathMinusHalf<>(SB), V3, V3  \
	EXPPARTS(V3, V4, V6, V7, V8)             \
	VMULPS  V5, V2, V2                   \
	VMULPS  V6, V2, V2                   \
	VFMADD213PS V2, V5, V6               \
	LDEXP(V4, V6, V7)                    \
	VXORPS  V7, V7, V7                   \
	VMINPS  V0, V7, V8                   \
	VFMADD213PS V7, V7, V8               \
	VMAXPS  V0, V7, V7                   \
	VADDPS  V8, V7, V7                   \
	VFNMADD231PS V1, V6, V7              \
	VMOVAPS V7, V0

// GELUTANH: x*s(2u) with s the sigmoid. 2u = |x|*(c1 + c3*x^2) is a sum of two numbers, V9 and its
// error V10, since e^-2u has an error relative to the absolute one of 2u.
#define GELUTANH \
	VANDPS  mathAbs<>(SB), V0, V1        \
	VMOVUPS mathSixteen<>(SB), V2        \
	VMINPS  V1, V2, V1                   \
	VMULPS  V1, V1, V2                   \
	VMOVAPS V2, V3                       \
	VFMSUB231PS V1, V1, V3               \
	VMULPS  gelu3Hi<>(SB), V2, V4        \
	VMOVAPS V4, V5                       \
	VFMSUB231PS gelu3Hi<>(SB), V2, V5    \
	VFMADD231PS gelu3Hi<>(SB), V3, V5    \
	VFMADD231PS gelu3Lo<>(SB), V2, V5    \
	VMOVUPS gelu1Hi<>(SB), V6            \
	VADDPS  V4, V6, V7                   \
	VSUBPS  V6, V7, V8                   \
	VSUBPS  V8, V7, V9                   \
	VSUBPS  V9, V6, V9                   \
	VSUBPS  V8, V4, V8                   \
	VADDPS  V9, V8, V8                   \
	VADDPS  V5, V8, V8                   \
	VADDPS  gelu1Lo<>(SB), V8, V8        \
	VMULPS  V7, V1, V9                   \
	VMOVAPS V9, V10                      \
	VFMSUB231PS V7, V1, V10              \
	VFMADD231PS V8, V1, V10              \
	VXORPS  mathSign<>(SB), V9, V9       \
	EXP(V9, V3, V4, V5, V6)                  \
	VFNMADD231PS V10, V3, V3             \
	SIGMOIDRATIO                         \
	TIMESRATIO

// LOG1P makes r of w*p(w), where log(1+f) = s*(2 + r), s = f/(2+f), w = s^2.
#define LOG1P(w, r) \
	VMOVUPS log4<>(SB), r       \
	VFMADD213PS log3<>(SB), w, r \
	VFMADD213PS log2<>(SB), w, r \
	VFMADD213PS log1<>(SB), w, r \
	VFMADD213PS log0<>(SB), w, r \
	VMULPS  w, r, r

// SOFTPLUS: max(x, 0) + log(1 + z), z = e^-|x|: the quotient V5 = z/(2+z) is corrected by what it and the sum
// V4 left, as in SIGMOIDRATIO.
#define SOFTPLUS \
	EXPMINUSABS                    \
	VMOVUPS mathTwo<>(SB), V1      \
	VADDPS  V1, V3, V4             \
	VSUBPS  V1, V4, V2             \
	VSUBPS  V2, V3, V2             \
	VDIVPS  V4, V3, V5             \
	VFNMADD231PS V4, V5, V3        \
	VFNMADD231PS V2, V5, V3        \
	VMULPS  V5, V5, V6             \
	LOG1P(V6, V7)                  \
	VMULPS  V5, V7, V7             \
	VFMADD231PS softInverse<>(SB), V3, V7 \
	VADDPS  V5, V5, V8             \
	VADDPS  V7, V8, V8             \
	VXORPS  V1, V1, V1             \
	VMAXPS  V0, V1, V1             \
	VADDPS  V8, V1, V0

// LOG: x = 2^k*(1+f) with 1+f in [sqrt(1/2), sqrt(2)); k*ln 2 + f - (f^2/2 - s*(f^2/2 + r)), in that order.
// At the end -1/|sqrt(x)| is the result for 0 and, NaN, below.
#define LOG \
	VMOVUPS logMin<>(SB), V1          \
	VMULPS  logScale<>(SB), V0, V4    \
	IFLT(V0, V1, V4, V0, V2, V5)      \
	VXORPS  V6, V6, V6                \
	VMOVUPS logShift<>(SB), V4        \
	IFLT(V0, V1, V4, V6, V3, V5)      \
	VPSUBD  logSqrtHalf<>(SB), V2, V4 \
	VPSRAD  $23, V4, V4               \
	VPSLLD  $23, V4, V5               \
	VPSUBD  V5, V2, V2                \
	VCVTDQ2PS V4, V4                  \
	VSUBPS  V3, V4, V4                \
	VSUBPS  mathOne<>(SB), V2, V2     \
	VADDPS  mathTwo<>(SB), V2, V5     \
	VDIVPS  V5, V2, V5                \
	VMULPS  V5, V5, V6                \
	LOG1P(V6, V7)                     \
	VMULPS  V2, V2, V8                \
	VMULPS  mathHalf<>(SB), V8, V8    \
	VADDPS  V7, V8, V9                \
	VMULPS  expLn2Lo<>(SB), V4, V10   \
	VFMADD231PS V9, V5, V10           \
	VSUBPS  V10, V8, V8               \
	VSUBPS  V2, V8, V8                \
	VFMSUB231PS expLn2Hi<>(SB), V4, V8 \
	VSQRTPS V0, V9                    \
	VANDPS  mathAbs<>(SB), V9, V9     \
	VMOVUPS mathMinusOne<>(SB), V10   \
	VDIVPS  V9, V10, V9               \
	VXORPS  V10, V10, V10             \
	IFLT(V10, V0, V8, V9, V8, V11)    \
	VMOVUPS mathInf<>(SB), V10        \
	IFLT(V0, V10, V8, V0, V0, V11)

#define CLAMPPQ CLAMP(V0, V13, V14)

// UNARY is the loop around f: full vectors, then a masked one.
#define UNARY(f) \
	MOVQ dst+0(FP), DI          \
	MOVQ src+8(FP), SI          \
	MOVQ n+16(FP), CX           \
	VBROADCASTSS p+24(FP), V13  \
	VBROADCASTSS q+28(FP), V14  \
	SUBQ $VLANES, CX            \
	JLT  tail                   \
loop:                           \
	VMOVUPS (SI), V0            \
	f                           \
	VMOVUPS V0, (DI)            \
	ADDQ $VSIZE, SI             \
	ADDQ $VSIZE, DI             \
	SUBQ $VLANES, CX            \
	JGE  loop                   \
tail:                           \
	ADDQ $VLANES, CX            \
	JZ   done                   \
	TAILMASK(CX, AX)            \
	LOADTAIL((SI), V0)          \
	f                           \
	STORETAIL(V0, (DI))         \
done:                           \
	VZEROUPPER                  \
	RET
