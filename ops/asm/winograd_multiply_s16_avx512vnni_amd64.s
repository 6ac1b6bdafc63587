//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// A 12 x 16 tile: VPDPWSSD adds products of two depths, those of a row being one broadcast operand, in int32.

#define MAC(a, weights, c) VPDPWSSD.BCST a, weights, c

// func winogradMultiplyS16AVX512VNNI(args *WinogradMultiplyArgs)
TEXT ·winogradMultiplyS16AVX512VNNI(SB), NOSPLIT, $0-8
#include "winograd_multiply_s16_body_avx512_amd64.h"
