//go:build !purego

#include "textflag.h"

// A table of 256 is 16 tables of 16, each one VPSHUFB, which gives 0 where bit 7 of
// the index is set. For indices below 128, table i is applied to x-16i: all tables up
// to the one that x belongs to contribute, and as each but the first is
// stored as its difference (XOR) to the one before, the sum (XOR) is the last. The saturating
// subtraction keeps negative indices negative. The other half is the same with
// x XOR 128.

// DIFF stores table i, in both lanes, as the difference to the one before.
#define DIFF(i) \
	VBROADCASTI128 (16*i)(R8), Y0; \
	VBROADCASTI128 (16*i-16)(R8), Y1; \
	VPXOR          Y1, Y0, Y0; \
	VMOVDQU        Y0, (32*i)(SP)

// SAME stores table i as it is.
#define SAME(i) \
	VBROADCASTI128 (16*i)(R8), Y0; \
	VMOVDQU        Y0, (32*i)(SP)

// FIRST and NEXT look both halves up: Y0, Y4: indices, Y8: result.
#define FIRST(i) \
	VMOVDQU (32*i)(SP), Y10; \
	VMOVDQU (32*i+256)(SP), Y11; \
	VPSHUFB Y0, Y10, Y8; \
	VPSHUFB Y4, Y11, Y9
#define NEXT(i) \
	VPSUBSB Y15, Y0, Y0; \
	VPSUBSB Y15, Y4, Y4; \
	VMOVDQU (32*i)(SP), Y10; \
	VMOVDQU (32*i+256)(SP), Y11; \
	VPSHUFB Y0, Y10, Y10; \
	VPSHUFB Y4, Y11, Y11; \
	VPXOR   Y10, Y8, Y8; \
	VPXOR   Y11, Y9, Y9

// func lutU8AVX2(dst, src *uint8, n int, table *[256]uint8)
TEXT ·lutU8AVX2(SB), NOSPLIT, $544-32
	// DX: dst, SI: src, CX: bytes left.
	MOVQ dst+0(FP), DX
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ table+24(FP), R8
	CMPQ CX, $32
	JLT  few

	// Tables to the stack; Y15: 16 in every byte, Y14: 128.
	SAME(0)
	DIFF(1)
	DIFF(2)
	DIFF(3)
	DIFF(4)
	DIFF(5)
	DIFF(6)
	DIFF(7)
	SAME(8)
	DIFF(9)
	DIFF(10)
	DIFF(11)
	DIFF(12)
	DIFF(13)
	DIFF(14)
	DIFF(15)
	MOVL         $0x10, AX
	VMOVD        AX, X15
	VPBROADCASTB X15, Y15
	VPSLLW       $3, Y15, Y14

block:
	VMOVDQU (SI), Y0
	VPXOR   Y14, Y0, Y4
	FIRST(0)
	NEXT(1)
	NEXT(2)
	NEXT(3)
	NEXT(4)
	NEXT(5)
	NEXT(6)
	NEXT(7)
	VPXOR   Y9, Y8, Y8
	VMOVDQU Y8, (DX)
	ADDQ    $32, SI
	ADDQ    $32, DX
	SUBQ    $32, CX
	CMPQ    CX, $32
	JGE     block

few:
	TESTQ CX, CX
	JZ    done

fewByte:
	MOVBLZX (SI), AX
	MOVBLZX (R8)(AX*1), AX
	MOVB    AX, (DX)
	INCQ    SI
	INCQ    DX
	DECQ    CX
	JNZ     fewByte

done:
	VZEROUPPER
	RET
