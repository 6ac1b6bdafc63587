//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "tail_amd64.h"
#include "igemm_u8s8_tiles_amd64.h"
#include "vex_amd64.h"

// A 6 x 16 tile. VPDPBUSD adds exact products of four depths; the unsigned operand is
// four bytes of A, broadcast from the pixel.

// ROW adds four depths of one row: the pixel at a, into Y(c0), Y(c1). AX counts bytes of depth; Y12,
// Y13: weights.
#define ROW(a, c0, c1) \
	VPBROADCASTD (a)(AX*1), Y14; \
	VPDPBUSD_VEX(12, 14, c0); \
	VPDPBUSD_VEX(13, 14, c1)

#define ROWS1 ROW(R8, 0, 1)
#define ROWS2 ROWS1; ROW(R9, 2, 3)
#define ROWS4 ROWS2; ROW(R10, 4, 5); ROW(R11, 6, 7)
#define ROWS6 ROWS4; ROW(R14, 8, 9); ROW(R15, 10, 11)

// func igemmU8S8AVXVNNI(args *IGemmU8S8Args, output igemmOutput)
TEXT ·igemmU8S8AVXVNNI(SB), NOSPLIT, $120-9
#include "igemm_u8s8_bytes_amd64.h"
