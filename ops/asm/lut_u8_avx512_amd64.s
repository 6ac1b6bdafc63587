//go:build !purego

#include "textflag.h"

// VPERMI2W looks up words, in 64 of them: the table is 128 words in Z4 to Z7. Bits 1 to 6 of an index
// select the word in each half, bit 7 the half, bit 0 the byte. Bytes at even places are looked up in the
// low byte of their word, those at odd places in the high byte.

// LOOKUP makes r of the word in whose halves the index in t selects; in half, bit 7 is set.
#define LOOKUP(t, r, half) \
	VMOVDQA64 t, r; \
	VPERMI2W  Z5, Z4, r; \
	VPERMI2W  Z7, Z6, t; \
	VMOVDQU16 t, half, r

// func lutU8AVX512(dst, src *uint8, n int, table *[256]uint8)
TEXT ·lutU8AVX512(SB), NOSPLIT, $0-32
	// DX: dst, SI: src, CX: bytes left, K1: bytes of the vector; words of 0x80, 1, 0x100, K6: odd bytes.
	MOVQ         dst+0(FP), DX
	MOVQ         src+8(FP), SI
	MOVQ         n+16(FP), CX
	MOVQ         table+24(FP), R8
	VMOVDQU64    0(R8), Z4
	VMOVDQU64    64(R8), Z5
	VMOVDQU64    128(R8), Z6
	VMOVDQU64    192(R8), Z7
	MOVL         $0x80, AX
	VPBROADCASTW AX, Z8
	MOVL         $1, AX
	VPBROADCASTW AX, Z9
	MOVL         $0x100, AX
	VPBROADCASTW AX, Z10
	MOVQ         $0xAAAAAAAAAAAAAAAA, AX
	KMOVQ        AX, K6
	KXNORQ       K1, K1, K1
	SUBQ         $64, CX
	JLT          tail

block:
	VMOVDQU8.Z (SI), K1, Z0

	// Even places: Z1.
	VPTESTMW Z8, Z0, K2
	VPTESTMW Z9, Z0, K3
	VPSRLW   $1, Z0, Z2
	LOOKUP(Z2, Z1, K2)
	VPSRLW   $8, Z1, K3, Z1

	// Odd places: Z3.
	VPMOVW2M  Z0, K2
	VPTESTNMW Z10, Z0, K3
	VPSRLW    $9, Z0, Z2
	LOOKUP(Z2, Z3, K2)
	VPSLLW    $8, Z3, K3, Z3

	VMOVDQU8 Z3, K6, Z1
	VMOVDQU8 Z1, K1, (DX)
	ADDQ     $64, SI
	ADDQ     $64, DX
	SUBQ     $64, CX
	JGE      block

tail:
	// The last vector is masked; no bytes are left behind it.
	ADDQ  $64, CX
	JZ    done
	MOVQ  $-1, AX
	BZHIQ CX, AX, AX
	KMOVQ AX, K1
	XORL  CX, CX
	JMP   block

done:
	VZEROUPPER
	RET
