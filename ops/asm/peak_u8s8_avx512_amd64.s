//go:build !purego

#include "textflag.h"

// CLEAR zeroes the twelve sums and the operand.
#define CLEAR \
	VPXORD Z0, Z0, Z0; \
	VPXORD Z1, Z1, Z1; \
	VPXORD Z2, Z2, Z2; \
	VPXORD Z3, Z3, Z3; \
	VPXORD Z4, Z4, Z4; \
	VPXORD Z5, Z5, Z5; \
	VPXORD Z6, Z6, Z6; \
	VPXORD Z7, Z7, Z7; \
	VPXORD Z8, Z8, Z8; \
	VPXORD Z9, Z9, Z9; \
	VPXORD Z10, Z10, Z10; \
	VPXORD Z11, Z11, Z11; \
	VPXORD Z12, Z12, Z12

// ADD2 multiplies words and adds to two sums.
#define ADD2(a, b) \
	VPMADDWD Z12, Z12, Z13; \
	VPMADDWD Z12, Z12, Z14; \
	VPADDD Z13, a, a; \
	VPADDD Z14, b, b

// func peakU8S8AVX512(rounds int) int32
//
// Twelve independent sums of words that were bytes.
TEXT ·peakU8S8AVX512(SB), NOSPLIT, $0-12
	MOVQ rounds+0(FP), CX
	CLEAR
	TESTQ CX, CX
	JLE  done

round:
	ADD2(Z0, Z1)
	ADD2(Z2, Z3)
	ADD2(Z4, Z5)
	ADD2(Z6, Z7)
	ADD2(Z8, Z9)
	ADD2(Z10, Z11)
	DECQ CX
	JNZ  round

done:
	VMOVD X0, AX
	MOVL  AX, ret+8(FP)
	VZEROUPPER
	RET

// func peakU8S8AVX512VNNI(rounds int) int32
//
// Twelve independent sums of bytes.
TEXT ·peakU8S8AVX512VNNI(SB), NOSPLIT, $0-12
	MOVQ rounds+0(FP), CX
	CLEAR
	TESTQ CX, CX
	JLE  done

round:
	VPDPBUSD Z12, Z12, Z0
	VPDPBUSD Z12, Z12, Z1
	VPDPBUSD Z12, Z12, Z2
	VPDPBUSD Z12, Z12, Z3
	VPDPBUSD Z12, Z12, Z4
	VPDPBUSD Z12, Z12, Z5
	VPDPBUSD Z12, Z12, Z6
	VPDPBUSD Z12, Z12, Z7
	VPDPBUSD Z12, Z12, Z8
	VPDPBUSD Z12, Z12, Z9
	VPDPBUSD Z12, Z12, Z10
	VPDPBUSD Z12, Z12, Z11
	DECQ CX
	JNZ  round

done:
	VMOVD X0, AX
	MOVL  AX, ret+8(FP)
	VZEROUPPER
	RET
