//go:build !purego

#include "textflag.h"

// ADD2 multiplies and adds to two sums; with words a product of two needs two instructions.
#define ADD2(a, b) \
	VPMADDWD Y12, Y12, Y13; \
	VPMADDWD Y12, Y12, Y14; \
	VPADDD Y13, a, a; \
	VPADDD Y14, b, b

// func peakU8S8AVX2(rounds int) int32
//
// Twelve independent sums of words that were bytes.
TEXT ·peakU8S8AVX2(SB), NOSPLIT, $0-12
	MOVQ rounds+0(FP), CX
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	VPXOR Y4, Y4, Y4
	VPXOR Y5, Y5, Y5
	VPXOR Y6, Y6, Y6
	VPXOR Y7, Y7, Y7
	VPXOR Y8, Y8, Y8
	VPXOR Y9, Y9, Y9
	VPXOR Y10, Y10, Y10
	VPXOR Y11, Y11, Y11
	VPXOR Y12, Y12, Y12
	TESTQ CX, CX
	JLE  done

round:
	ADD2(Y0, Y1)
	ADD2(Y2, Y3)
	ADD2(Y4, Y5)
	ADD2(Y6, Y7)
	ADD2(Y8, Y9)
	ADD2(Y10, Y11)
	DECQ CX
	JNZ  round

done:
	VMOVD X0, AX
	MOVL  AX, ret+8(FP)
	VZEROUPPER
	RET
