//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "narrow_avx512_amd64.h"

// The bytes of two taps are interleaved, widened, and multiplied with VPMADDWD.

#define DWCONV_U8S8 ·dwconvU8S8AVX512

// TAPS adds two taps, Z4 and b. BX: weights, Z31: zero.
#define TAPS(b) \
	VPUNPCKLBW b, Z4, Z6; \
	VPUNPCKHBW b, Z4, Z7; \
	VPUNPCKLBW Z31, Z6, Z4; \
	VPUNPCKHBW Z31, Z6, Z5; \
	VPUNPCKLBW Z31, Z7, Z6; \
	VPUNPCKHBW Z31, Z7, Z7; \
	VPMADDWD   0(BX), Z4, Z4; \
	VPMADDWD   64(BX), Z5, Z5; \
	VPMADDWD   128(BX), Z6, Z6; \
	VPMADDWD   192(BX), Z7, Z7; \
	VPADDD     Z4, Z0, Z0; \
	VPADDD     Z5, Z1, Z1; \
	VPADDD     Z6, Z2, Z2; \
	VPADDD     Z7, Z3, Z3; \
	ADDQ       $256, BX

#define TAPLOOP \
	SUBQ $2, AX; \
	JLT lastTap; \
taps: \
	TAP(0, Z4); \
	TAP(1, Z5); \
	TAPS(Z5); \
	ADDQ $16, SI; \
	SUBQ $2, AX; \
	JGE taps; \
lastTap: \
	TESTL $1, AX; \
	JZ quantize; \
	TAP(0, Z4); \
	TAPS(Z31)

#define GROUPS(ks) \
	INCQ ks; \
	SHRQ $1, ks

// func dwconvU8S8AVX512(args *DWConvU8S8Args)
#include "dwconv_u8s8_body_avx512_amd64.h"
