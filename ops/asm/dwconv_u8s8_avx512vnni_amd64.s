//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "narrow_avx512_amd64.h"

// The bytes of four taps are interleaved and multiplied with VPDPBUSD.

#define DWCONV_U8S8 ·dwconvU8S8AVX512VNNI

// TAPS adds four taps. BX: weights.
#define TAPS(a0, a1, a2, a3) \
	VPUNPCKLBW a1, a0, Z8; \
	VPUNPCKHBW a1, a0, Z9; \
	VPUNPCKLBW a3, a2, Z10; \
	VPUNPCKHBW a3, a2, Z11; \
	VPUNPCKLWD Z10, Z8, Z12; \
	VPUNPCKHWD Z10, Z8, Z13; \
	VPUNPCKLWD Z11, Z9, Z14; \
	VPUNPCKHWD Z11, Z9, Z15; \
	VPDPBUSD   0(BX), Z12, Z0; \
	VPDPBUSD   64(BX), Z13, Z1; \
	VPDPBUSD   128(BX), Z14, Z2; \
	VPDPBUSD   192(BX), Z15, Z3; \
	ADDQ       $256, BX

// TAPLOOP: AX+4 taps are left behind the label lastTaps.
#define TAPLOOP \
	SUBQ $4, AX; \
	JLT lastTaps; \
taps: \
	TAP(0, Z4); \
	TAP(1, Z5); \
	TAP(2, Z6); \
	TAP(3, Z7); \
	TAPS(Z4, Z5, Z6, Z7); \
	ADDQ $32, SI; \
	SUBQ $4, AX; \
	JGE taps; \
lastTaps: \
	CMPQ AX, $-3; \
	JLT quantize; \
	TAP(0, Z4); \
	JEQ one; \
	TAP(1, Z5); \
	CMPQ AX, $-2; \
	JEQ two; \
	TAP(2, Z6); \
	TAPS(Z4, Z5, Z6, Z31); \
	JMP quantize; \
one: \
	TAPS(Z4, Z31, Z31, Z31); \
	JMP quantize; \
two: \
	TAPS(Z4, Z5, Z31, Z31)

#define GROUPS(ks) \
	ADDQ $3, ks; \
	SHRQ $2, ks

// func dwconvU8S8AVX512VNNI(args *DWConvU8S8Args)
#include "dwconv_u8s8_body_avx512_amd64.h"
