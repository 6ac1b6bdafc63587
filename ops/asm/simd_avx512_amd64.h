// The names of simd_avx2_amd64.h for AVX-512 vectors. K1 holds the mask of a tail.

#define VSIZE 64
#define VLANES 16
#define V0 Z0
#define V1 Z1
#define V2 Z2
#define V3 Z3
#define V4 Z4
#define V5 Z5
#define V6 Z6
#define V7 Z7
#define V8 Z8
#define V9 Z9
#define V10 Z10
#define V11 Z11
#define V12 Z12
#define V13 Z13
#define V14 Z14

#define TAILMASK(n, tmp) \
	MOVL  $-1, tmp    \
	BZHIL n, tmp, tmp \
	KMOVW tmp, K1

#define LOADTAIL(mem, dst) VMOVUPS.Z mem, K1, dst
#define STORETAIL(src, mem) VMOVUPS src, K1, mem
#define KEEPTAIL(a, b, dst) VBLENDMPS a, b, K1, dst

#define IFLT(a, b, x, y, dst, tmp) \
	VCMPPS    $0x11, b, a, K2 \
	VBLENDMPS x, y, K2, dst

#define ORNAN(x, v, tmp) \
	VCMPPS $3, x, x, K2   \
	VADDPS x, x, K2, v

#define ZERONAN(x, v, tmp) \
	VCMPPS    $7, x, x, K2 \
	VMOVUPS.Z v, K2, v

#define ADDWIDE(acc) \
	VCVTPS2PD     Y0, Z1       \
	VADDPD        Z1, acc, acc \
	VEXTRACTF64X4 $1, Z0, Y0   \
	VCVTPS2PD     Y0, Z1       \
	VADDPD        Z1, acc, acc

#define CLEAR16 \
	VXORPD X0, X0, X0 \
	VXORPD X1, X1, X1

#define EACH16(op) \
	op(0, Z0, Z4, Y0)  \
	op(32, Z1, Z5, Y1)

#define NARROW(v, half) VCVTPD2PS v, half

#define LDEXP(n, v, tmp) VSCALEFPS n, v, v

#define HSUM \
	VEXTRACTF64X4 $1, Z0, Y1    \
	VADDPS        Y1, Y0, Y0    \
	VEXTRACTF128  $1, Y0, X1    \
	VADDPS        X1, X0, X0    \
	VPERMILPS     $0x4e, X0, X1 \
	VADDPS        X1, X0, X0    \
	VPERMILPS     $0xb1, X0, X1 \
	VADDPS        X1, X0, X0    \
	VBROADCASTSS  X0, V0

#define HMAX \
	VEXTRACTF64X4 $1, Z0, Y1    \
	NANMAX(Y1, Y0, Y3)          \
	VEXTRACTF128  $1, Y0, X1    \
	NANMAX(X1, X0, X3)          \
	VPERMILPS     $0x4e, X0, X1 \
	NANMAX(X1, X0, X3)          \
	VPERMILPS     $0xb1, X0, X1 \
	NANMAX(X1, X0, X3)          \
	VBROADCASTSS  X0, V0

#define NANMAX(x, v, tmp) \
	VMAXPS v, x, v   \
	ORNAN(x, v, tmp)
