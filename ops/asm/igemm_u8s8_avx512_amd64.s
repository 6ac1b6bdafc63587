//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "igemm_u8s8_tiles_amd64.h"
#include "igemm_u8s8_widen_amd64.h"

// The bytes of A become int16 once, in scratch, the weights when they are loaded, and
// VPMADDWD adds exact products of two depths in int32.

#define IGEMM_U8S8 ·igemmU8S8AVX512
#define PREPARE WIDEN

// START: R15 = bytes of a widened row, R14 = distance of rows.
#define START \
	LEAQ (DX)(DX*1), R15; \
	LEAQ ROWGAP(R15), R14

#define WEIGHTS1(off) \
	VPMOVSXBW off(BX), Z24
#define WEIGHTS2(off) \
	WEIGHTS1(off); \
	VPMOVSXBW off(BX)(DX*1), Z25
#define WEIGHTS4(off) \
	WEIGHTS2(off); \
	VPMOVSXBW off(BX)(DX*2), Z26; \
	VPMOVSXBW off(BX)(CX*1), Z27

#define ROW1(off, a, z, c0) \
	VPBROADCASTD off(a)(AX*1), z; \
	VPMADDWD     Z24, z, Z30; \
	VPADDD       Z30, c0, c0
#define ROW2(off, a, z, c0, c1) \
	ROW1(off, a, z, c0); \
	VPMADDWD Z25, z, Z31; \
	VPADDD   Z31, c1, c1
#define ROW4(off, a, z, c0, c1, c2, c3) \
	ROW2(off, a, z, c0, c1); \
	VPMADDWD Z26, z, Z30; \
	VPADDD   Z30, c2, c2; \
	VPMADDWD Z27, z, Z31; \
	VPADDD   Z31, c3, c3

// MULTIPLY goes over the depths of all positions, which are one row in scratch.
#define MULTIPLY(position, depth, pixels, weights, rows) \
position: \
	MOVQ IGemmU8S8Args_Scratch(DI), R8; \
	ADDQ $SPILL, R8; \
	LEAQ (R8)(R14*1), R9; \
	LEAQ (R8)(R14*2), R10; \
	LEAQ (R9)(R14*2), R11; \
	LEAQ (R8)(R14*4), R12; \
	LEAQ (R9)(R14*4), R13; \
	XORL AX, AX; \
depth: \
	PREFETCHT0 (BP); \
	weights(0); \
	rows(0); \
	weights(32); \
	rows(4); \
	ADDQ step-48(SP), BP; \
	ADDQ $64, BX; \
	ADDQ $8, AX; \
	CMPQ AX, R15; \
	JLT  depth; \
	JMP  multiplied

// func igemmU8S8AVX512(args *IGemmU8S8Args, output igemmOutput)
#include "igemm_u8s8_body_avx512_amd64.h"
