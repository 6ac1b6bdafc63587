//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "tail_amd64.h"
#include "igemm_u8s8_tiles_amd64.h"

// A 6 x 16 tile. VPMADDUBSW adds products of two depths in int16, which they fit, VPMADDWD two such sums in int32.

DATA pairOnes<>+0(SB)/8, $0x0001000100010001
DATA pairOnes<>+8(SB)/8, $0x0001000100010001
DATA pairOnes<>+16(SB)/8, $0x0001000100010001
DATA pairOnes<>+24(SB)/8, $0x0001000100010001
GLOBL pairOnes<>(SB), RODATA|NOPTR, $32

// ROW adds four depths of one row: the pixel at a.
#define ROW(a, c0, c1) \
	VPBROADCASTD (a)(AX*1), Y14; \
	VPMADDUBSW Y12, Y14, Y15; \
	VPMADDUBSW Y13, Y14, Y14; \
	VPMADDWD pairOnes<>(SB), Y15, Y15; \
	VPMADDWD pairOnes<>(SB), Y14, Y14; \
	VPADDD Y15, c0, c0; \
	VPADDD Y14, c1, c1

#define ROWS1 ROW(R8, Y0, Y1)
#define ROWS2 ROWS1; ROW(R9, Y2, Y3)
#define ROWS4 ROWS2; ROW(R10, Y4, Y5); ROW(R11, Y6, Y7)
#define ROWS6 ROWS4; ROW(R14, Y8, Y9); ROW(R15, Y10, Y11)

// func igemmU8S8PairsAVX2(args *IGemmU8S8Args, output igemmOutput)
TEXT ·igemmU8S8PairsAVX2(SB), NOSPLIT, $120-9
#include "igemm_u8s8_bytes_amd64.h"
