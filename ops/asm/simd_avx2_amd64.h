// Names by which kernel bodies (*_body_amd64.h) are written once for both vector
// widths: this header gives them AVX2 vectors, simd_avx512_amd64.h AVX-512 ones.
//
// VSIZE is a vector's bytes. Y15 holds the mask of a tail.

#define VSIZE 32
#define VLANES 8
#define V0 Y0
#define V1 Y1
#define V2 Y2
#define V3 Y3
#define V4 Y4
#define V5 Y5
#define V6 Y6
#define V7 Y7
#define V8 Y8
#define V9 Y9
#define V10 Y10
#define V11 Y11
#define V12 Y12
#define V13 Y13
#define V14 Y14

DATA laneMask<>+0(SB)/8, $-1
DATA laneMask<>+8(SB)/8, $-1
DATA laneMask<>+16(SB)/8, $-1
DATA laneMask<>+24(SB)/8, $-1
DATA laneMask<>+32(SB)/8, $0
DATA laneMask<>+40(SB)/8, $0
DATA laneMask<>+48(SB)/8, $0
DATA laneMask<>+56(SB)/8, $0
GLOBL laneMask<>(SB), RODATA|NOPTR, $64

// TAILMASK sets the mask to the first n lanes, n a register in [0, VLANES].
#define TAILMASK(n, tmp) \
	LEAQ    laneMask<>+32(SB), tmp \
	NEGQ    n                      \
	VMOVUPS (tmp)(n*4), Y15        \
	NEGQ    n

// LOADTAIL loads the lanes of the mask and 0 elsewhere; STORETAIL stores them.
#define LOADTAIL(mem, dst) VMASKMOVPS mem, Y15, dst
#define STORETAIL(src, mem) VMASKMOVPS src, Y15, mem

// KEEPTAIL takes the lanes of the mask from a and the others from b.
#define KEEPTAIL(a, b, dst) VBLENDVPS Y15, a, b, dst

// IFLT is x where a < b, else y, also where either is NaN. tmp may be dst.
#define IFLT(a, b, x, y, dst, tmp) \
	VCMPPS    $0x11, b, a, tmp \
	VBLENDVPS tmp, x, y, dst

// ORNAN turns the lanes of v that are NaN in x into NaN.
#define ORNAN(x, v, tmp) \
	VCMPPS $3, x, x, tmp \
	VORPS  tmp, v, v

// ZERONAN clears the lanes of v that are NaN in x.
#define ZERONAN(x, v, tmp) \
	VCMPPS $7, x, x, tmp \
	VANDPS tmp, v, v

// ADDWIDE adds the lanes of V0 to the float64 lanes of acc, two to each. It spoils V0 and V1.
#define ADDWIDE(acc) \
	VCVTPS2PD    X0, Y1       \
	VADDPD       Y1, acc, acc \
	VEXTRACTF128 $1, Y0, X0   \
	VCVTPS2PD    X0, Y1       \
	VADDPD       Y1, acc, acc

// CLEAR16 sets the 16 float64 sums of EACH16 to 0. EACH16 applies op(at, v, tmp, half) to them: each v has those of
// the floats from byte at on, and half is its lower half. NARROW makes floats in half of v.
#define CLEAR16 \
	VXORPD Y0, Y0, Y0 \
	VXORPD Y1, Y1, Y1 \
	VXORPD Y2, Y2, Y2 \
	VXORPD Y3, Y3, Y3

#define EACH16(op) \
	op(0, Y0, Y4, X0)  \
	op(16, Y1, Y5, X1) \
	op(32, Y2, Y6, X2) \
	op(48, Y3, Y7, X3)

#define NARROW(v, half) VCVTPD2PSY v, half

// LDEXP multiplies v by 2 to the power n, n whole and in [-252, 252], with one rounding. It spoils n.
#define LDEXP(n, v, tmp) \
	VCVTPS2DQ n, n                  \
	VPSRAD    $1, n, tmp            \
	VPSUBD    tmp, n, n             \
	VPSLLD    $23, tmp, tmp         \
	VPSLLD    $23, n, n             \
	VPADDD    mathOne<>(SB), tmp, tmp \
	VPADDD    mathOne<>(SB), n, n     \
	VMULPS    tmp, v, v             \
	VMULPS    n, v, v

// HSUM sums the lanes of V0 and broadcasts the sum; HMAX does so for the largest, NaN
// if any is. They spoil V1 to V3.
#define HSUM \
	VEXTRACTF128 $1, Y0, X1 \
	HSUM4

#define HMAX \
	VEXTRACTF128 $1, Y0, X1 \
	HMAX4

#define HSUM4 \
	VADDPS       X1, X0, X0     \
	VPERMILPS    $0x4e, X0, X1  \
	VADDPS       X1, X0, X0     \
	VPERMILPS    $0xb1, X0, X1  \
	VADDPS       X1, X0, X0     \
	VBROADCASTSS X0, V0

#define HMAX4 \
	NANMAX(X1, X0, X3)          \
	VPERMILPS    $0x4e, X0, X1  \
	NANMAX(X1, X0, X3)          \
	VPERMILPS    $0xb1, X0, X1  \
	NANMAX(X1, X0, X3)          \
	VBROADCASTSS X0, V0

// NANMAX makes v the larger of v and x, NaN if either is: VMAXPS returns v when it is.
#define NANMAX(x, v, tmp) \
	VMAXPS v, x, v   \
	ORNAN(x, v, tmp)
