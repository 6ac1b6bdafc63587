//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// STORE2 writes 8 bytes to each of two rows of the result at R9, R11 apart.
#define STORE2(x) \
	VMOVQ   x, (R9); \
	VPEXTRQ $1, x, (R9)(R11*1); \
	LEAQ    (R9)(R11*2), R9

// func transposeU8AVX2(args *TransposeU8Args)
//
// M is at least 8 and N at least 16: blocks of 8 x 16, of which the last in each direction may
// overlap the one before.
TEXT ·transposeU8AVX2(SB), NOSPLIT, $0-8
	// R12, R13: row and column of the block, R14, R15: the last ones; R10, R11: strides.
	MOVQ args+0(FP), DI
	MOVQ TransposeU8Args_M(DI), R14
	SUBQ $8, R14
	MOVQ TransposeU8Args_N(DI), R15
	SUBQ $16, R15
	MOVQ TransposeU8Args_SrcStride(DI), R10
	MOVQ TransposeU8Args_DstStride(DI), R11
	XORL R13, R13

columns:
	XORL R12, R12

block:
	// SI, BX: source rows 0 and 4, R9: result.
	MOVQ  R12, SI
	IMULQ R10, SI
	ADDQ  TransposeU8Args_Src(DI), SI
	ADDQ  R13, SI
	LEAQ  (R10)(R10*2), AX
	LEAQ  (SI)(R10*4), BX
	MOVQ  R13, R9
	IMULQ R11, R9
	ADDQ  TransposeU8Args_Dst(DI), R9
	ADDQ  R12, R9

	// Interleave rows 4 apart, then 2, then 1: each column becomes 8 bytes.
	VMOVDQU    (SI), X0
	VMOVDQU    (SI)(R10*1), X1
	VMOVDQU    (SI)(R10*2), X2
	VMOVDQU    (SI)(AX*1), X3
	VMOVDQU    (BX), X4
	VMOVDQU    (BX)(R10*1), X5
	VMOVDQU    (BX)(R10*2), X6
	VMOVDQU    (BX)(AX*1), X7
	VPUNPCKLBW X4, X0, X8
	VPUNPCKHBW X4, X0, X12
	VPUNPCKLBW X5, X1, X9
	VPUNPCKHBW X5, X1, X13
	VPUNPCKLBW X6, X2, X10
	VPUNPCKHBW X6, X2, X14
	VPUNPCKLBW X7, X3, X11
	VPUNPCKHBW X7, X3, X15
	VPUNPCKLBW X10, X8, X0
	VPUNPCKHBW X10, X8, X2
	VPUNPCKLBW X11, X9, X1
	VPUNPCKHBW X11, X9, X3
	VPUNPCKLBW X14, X12, X4
	VPUNPCKHBW X14, X12, X6
	VPUNPCKLBW X15, X13, X5
	VPUNPCKHBW X15, X13, X7
	VPUNPCKLBW X1, X0, X8
	VPUNPCKHBW X1, X0, X9
	VPUNPCKLBW X3, X2, X10
	VPUNPCKHBW X3, X2, X11
	VPUNPCKLBW X5, X4, X12
	VPUNPCKHBW X5, X4, X13
	VPUNPCKLBW X7, X6, X14
	VPUNPCKHBW X7, X6, X15
	STORE2(X8)
	STORE2(X9)
	STORE2(X10)
	STORE2(X11)
	STORE2(X12)
	STORE2(X13)
	STORE2(X14)
	STORE2(X15)

	// Next block.
	CMPQ    R12, R14
	JGE     rowsDone
	ADDQ    $8, R12
	CMPQ    R12, R14
	CMOVQGT R14, R12
	JMP     block

rowsDone:
	CMPQ    R13, R15
	JGE     done
	ADDQ    $16, R13
	CMPQ    R13, R15
	CMOVQGT R15, R13
	JMP     columns

done:
	VZEROUPPER
	RET

// func interleaveU8AVX2(args *TransposeU8Args)
//
// Up to 4 rows of at least 16 bytes become pixels of 4 bytes without gaps.
TEXT ·interleaveU8AVX2(SB), NOSPLIT, $0-8
	// X0-X3: rows, those that do not exist hold Fill; SI, R8, R9, R10: their
	// pointers, DX: result, R13: column, R15: the last one.
	MOVQ         args+0(FP), DI
	MOVQ         TransposeU8Args_M(DI), CX
	MOVQ         TransposeU8Args_Src(DI), SI
	MOVQ         TransposeU8Args_SrcStride(DI), AX
	LEAQ         (SI)(AX*1), R8
	LEAQ         (SI)(AX*2), R9
	LEAQ         (R8)(AX*2), R10
	MOVQ         TransposeU8Args_Dst(DI), DX
	MOVQ         TransposeU8Args_N(DI), R15
	SUBQ         $16, R15
	VPBROADCASTB TransposeU8Args_Fill(DI), X1
	VMOVDQA      X1, X2
	VMOVDQA      X1, X3
	XORL         R13, R13

interleave:
	VMOVDQU (SI)(R13*1), X0
	CMPQ    CX, $2
	JLT     loaded
	VMOVDQU (R8)(R13*1), X1
	JEQ     loaded
	VMOVDQU (R9)(R13*1), X2
	CMPQ    CX, $4
	JLT     loaded
	VMOVDQU (R10)(R13*1), X3

loaded:
	VPUNPCKLBW X1, X0, X4
	VPUNPCKHBW X1, X0, X5
	VPUNPCKLBW X3, X2, X6
	VPUNPCKHBW X3, X2, X7
	VPUNPCKLWD X6, X4, X8
	VPUNPCKHWD X6, X4, X9
	VPUNPCKLWD X7, X5, X10
	VPUNPCKHWD X7, X5, X11
	LEAQ       (DX)(R13*4), R11
	VMOVDQU    X8, 0(R11)
	VMOVDQU    X9, 16(R11)
	VMOVDQU    X10, 32(R11)
	VMOVDQU    X11, 48(R11)
	CMPQ       R13, R15
	JGE        interleaved
	ADDQ       $16, R13
	CMPQ       R13, R15
	CMOVQGT    R15, R13
	JMP        interleave

interleaved:
	VZEROUPPER
	RET

// rgbShuffle<> takes the bytes of each of 3 planes to where they belong in the first, second
// and third 16 bytes of 16 pixels.
DATA rgbShuffle<>+0(SB)/8, $0x8002808001808000
DATA rgbShuffle<>+8(SB)/8, $0x0580800480800380
DATA rgbShuffle<>+16(SB)/8, $0x0280800180800080
DATA rgbShuffle<>+24(SB)/8, $0x8080048080038080
DATA rgbShuffle<>+32(SB)/8, $0x8080018080008080
DATA rgbShuffle<>+40(SB)/8, $0x8004808003808002
DATA rgbShuffle<>+48(SB)/8, $0x8080078080068080
DATA rgbShuffle<>+56(SB)/8, $0x800a808009808008
DATA rgbShuffle<>+64(SB)/8, $0x8007808006808005
DATA rgbShuffle<>+72(SB)/8, $0x0a80800980800880
DATA rgbShuffle<>+80(SB)/8, $0x0780800680800580
DATA rgbShuffle<>+88(SB)/8, $0x8080098080088080
DATA rgbShuffle<>+96(SB)/8, $0x0d80800c80800b80
DATA rgbShuffle<>+104(SB)/8, $0x80800f80800e8080
DATA rgbShuffle<>+112(SB)/8, $0x80800c80800b8080
DATA rgbShuffle<>+120(SB)/8, $0x800f80800e80800d
DATA rgbShuffle<>+128(SB)/8, $0x800c80800b80800a
DATA rgbShuffle<>+136(SB)/8, $0x0f80800e80800d80
GLOBL rgbShuffle<>(SB), RODATA|NOPTR, $144

// RGB writes 16 bytes of pixels that have one value of each of the planes X0, X1 and X2.
#define RGB(r, g, b, at) \
	VPSHUFB r, X0, X3; \
	VPSHUFB g, X1, X4; \
	VPSHUFB b, X2, X5; \
	VPOR    X4, X3, X3; \
	VPOR    X5, X3, X3; \
	VMOVDQU X3, at(R11)

// func interleave3U8AVX2(args *TransposeU8Args)
//
// 3 rows of at least 16 bytes become pixels of 3 bytes without gaps.
TEXT ·interleave3U8AVX2(SB), NOSPLIT, $0-8
	// X7-X15: shuffles; SI, R8, R9: rows, DX: result, R13: column, R15: the last one.
	MOVQ    args+0(FP), DI
	MOVQ    TransposeU8Args_Src(DI), SI
	MOVQ    TransposeU8Args_SrcStride(DI), AX
	LEAQ    (SI)(AX*1), R8
	LEAQ    (SI)(AX*2), R9
	MOVQ    TransposeU8Args_Dst(DI), DX
	MOVQ    TransposeU8Args_N(DI), R15
	SUBQ    $16, R15
	LEAQ    rgbShuffle<>(SB), AX
	VMOVDQU 0(AX), X7
	VMOVDQU 16(AX), X8
	VMOVDQU 32(AX), X9
	VMOVDQU 48(AX), X10
	VMOVDQU 64(AX), X11
	VMOVDQU 80(AX), X12
	VMOVDQU 96(AX), X13
	VMOVDQU 112(AX), X14
	VMOVDQU 128(AX), X15
	XORL    R13, R13

pixels:
	VMOVDQU (SI)(R13*1), X0
	VMOVDQU (R8)(R13*1), X1
	VMOVDQU (R9)(R13*1), X2
	LEAQ    (R13)(R13*2), R11
	ADDQ    DX, R11
	RGB(X7, X8, X9, 0)
	RGB(X10, X11, X12, 16)
	RGB(X13, X14, X15, 32)
	CMPQ    R13, R15
	JGE     done
	ADDQ    $16, R13
	CMPQ    R13, R15
	CMOVQGT R15, R13
	JMP     pixels

done:
	VZEROUPPER
	RET
