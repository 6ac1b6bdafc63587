//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "vex_amd64.h"

// A 6 x 16 tile: VPDPWSSD adds products of two depths in int32.

// STEP adds two depths of one row, in Y(c0) and Y(c1).
#define STEP(a, c0, c1) \
	VPBROADCASTD a, Y14; \
	VPDPWSSD_VEX(12, 14, c0); \
	VPDPWSSD_VEX(13, 14, c1)

#define ROW0(a) STEP(a, 0, 1)
#define ROW1(a) STEP(a, 2, 3)
#define ROW2(a) STEP(a, 4, 5)
#define ROW3(a) STEP(a, 6, 7)
#define ROW4(a) STEP(a, 8, 9)
#define ROW5(a) STEP(a, 10, 11)

// func winogradMultiplyS16AVXVNNI(args *WinogradMultiplyArgs)
TEXT ·winogradMultiplyS16AVXVNNI(SB), NOSPLIT, $0-8
#include "winograd_multiply_s16_amd64.h"
