//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "igemm_u8s8_tiles_amd64.h"

// VPDPBUSD adds exact products of four depths; the unsigned operand is four bytes of
// A, broadcast from the pixel.

#define IGEMM_U8S8 ·igemmU8S8AVX512VNNI
#define PREPARE

// START: positions from SI to R14, R15 bytes each.
#define START \
	MOVQ offsets-32(SP), SI; \
	LEAQ (R14)(R14*2), R14; \
	LEAQ (SI)(R14*8), R14

#define WEIGHTS1(off) \
	VMOVDQU32 off(BX), Z24
#define WEIGHTS2(off) \
	WEIGHTS1(off); \
	VMOVDQU32 off(BX)(DX*1), Z25
#define WEIGHTS4(off) \
	WEIGHTS2(off); \
	VMOVDQU32 off(BX)(DX*2), Z26; \
	VMOVDQU32 off(BX)(CX*1), Z27

#define ROW1(off, a, z, c0) \
	VPBROADCASTD off(a)(AX*1), z; \
	VPDPBUSD     Z24, z, c0
#define ROW2(off, a, z, c0, c1) \
	ROW1(off, a, z, c0); \
	VPDPBUSD Z25, z, c1
#define ROW4(off, a, z, c0, c1, c2, c3) \
	ROW2(off, a, z, c0, c1); \
	VPDPBUSD Z26, z, c2; \
	VPDPBUSD Z27, z, c3

// MULTIPLY goes over the positions and the depths of each.
#define MULTIPLY(position, depth, pixels, weights, rows) \
position: \
	pixels; \
	XORL AX, AX; \
depth: \
	PREFETCHT0 (BP); \
	weights(0); \
	rows(0); \
	ADDQ step-48(SP), BP; \
	ADDQ $64, BX; \
	ADDQ $4, AX; \
	CMPQ AX, R15; \
	JLT  depth; \
	ADDQ $24, SI; \
	CMPQ SI, R14; \
	JLT  position; \
	JMP  multiplied

// func igemmU8S8AVX512VNNI(args *IGemmU8S8Args, output igemmOutput)
#include "igemm_u8s8_body_avx512_amd64.h"
