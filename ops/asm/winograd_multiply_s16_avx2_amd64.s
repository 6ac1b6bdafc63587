//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// A 6 x 16 tile: VPMADDWD adds exact products of two depths in int32.

// STEP adds two depths of one row.
#define STEP(a, c0, c1) \
	VPBROADCASTD a, Y14; \
	VPMADDWD Y12, Y14, Y15; \
	VPADDD Y15, c0, c0; \
	VPMADDWD Y13, Y14, Y14; \
	VPADDD Y14, c1, c1

#define ROW0(a) STEP(a, Y0, Y1)
#define ROW1(a) STEP(a, Y2, Y3)
#define ROW2(a) STEP(a, Y4, Y5)
#define ROW3(a) STEP(a, Y6, Y7)
#define ROW4(a) STEP(a, Y8, Y9)
#define ROW5(a) STEP(a, Y10, Y11)

// func winogradMultiplyS16AVX2(args *WinogradMultiplyArgs)
TEXT ·winogradMultiplyS16AVX2(SB), NOSPLIT, $0-8
#include "winograd_multiply_s16_amd64.h"
