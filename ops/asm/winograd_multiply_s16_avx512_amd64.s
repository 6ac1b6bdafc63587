//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// A 12 x 16 tile: VPMADDWD adds products of two depths in int32.

#define MAC(a, weights, c) \
	VPBROADCASTD a, Z26; \
	VPMADDWD weights, Z26, Z26; \
	VPADDD Z26, c, c

// func winogradMultiplyS16AVX512(args *WinogradMultiplyArgs)
TEXT ·winogradMultiplyS16AVX512(SB), NOSPLIT, $0-8
#include "winograd_multiply_s16_body_avx512_amd64.h"
