//go:build !purego

#include "textflag.h"

// func transposeF32AVX2(dst, src *float32, rows, cols, dstStride, srcStride int)
//
// Blocks of 8 x 8, down the rows so that each row of dst is written in order.
// SI src block, DI dst block, R8 and R9 their row strides in bytes, R12 and R13 three times those,
// AX and BX the fifth rows, CX rows left, DX columns left, R10 and R11 the first block of the column.
TEXT ·transposeF32AVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), R11
	MOVQ src+8(FP), R10
	MOVQ cols+24(FP), DX
	MOVQ srcStride+40(FP), R8
	MOVQ dstStride+32(FP), R9
	SHLQ $2, R8
	SHLQ $2, R9
	LEAQ (R8)(R8*2), R12
	LEAQ (R9)(R9*2), R13

column:
	MOVQ rows+16(FP), CX
	MOVQ R10, SI
	MOVQ R11, DI

block:
	LEAQ (SI)(R8*4), AX
	LEAQ (DI)(R9*4), BX

	// Rows i and i+4 side by side: halves of 4 columns.
	VMOVUPS     (SI), X0
	VINSERTF128 $1, (AX), Y0, Y0
	VMOVUPS     (SI)(R8*1), X1
	VINSERTF128 $1, (AX)(R8*1), Y1, Y1
	VMOVUPS     (SI)(R8*2), X2
	VINSERTF128 $1, (AX)(R8*2), Y2, Y2
	VMOVUPS     (SI)(R12*1), X3
	VINSERTF128 $1, (AX)(R12*1), Y3, Y3
	VMOVUPS     16(SI), X4
	VINSERTF128 $1, 16(AX), Y4, Y4
	VMOVUPS     16(SI)(R8*1), X5
	VINSERTF128 $1, 16(AX)(R8*1), Y5, Y5
	VMOVUPS     16(SI)(R8*2), X6
	VINSERTF128 $1, 16(AX)(R8*2), Y6, Y6
	VMOVUPS     16(SI)(R12*1), X7
	VINSERTF128 $1, 16(AX)(R12*1), Y7, Y7

	// Each 128-bit lane is a transposition of 4 x 4.
	VUNPCKLPS Y1, Y0, Y8
	VUNPCKHPS Y1, Y0, Y9
	VUNPCKLPS Y3, Y2, Y10
	VUNPCKHPS Y3, Y2, Y11
	VUNPCKLPS Y5, Y4, Y12
	VUNPCKHPS Y5, Y4, Y13
	VUNPCKLPS Y7, Y6, Y14
	VUNPCKHPS Y7, Y6, Y15
	VUNPCKLPD Y10, Y8, Y0
	VUNPCKHPD Y10, Y8, Y1
	VUNPCKLPD Y11, Y9, Y2
	VUNPCKHPD Y11, Y9, Y3
	VUNPCKLPD Y14, Y12, Y4
	VUNPCKHPD Y14, Y12, Y5
	VUNPCKLPD Y15, Y13, Y6
	VUNPCKHPD Y15, Y13, Y7
	VMOVUPS   Y0, (DI)
	VMOVUPS   Y1, (DI)(R9*1)
	VMOVUPS   Y2, (DI)(R9*2)
	VMOVUPS   Y3, (DI)(R13*1)
	VMOVUPS   Y4, (BX)
	VMOVUPS   Y5, (BX)(R9*1)
	VMOVUPS   Y6, (BX)(R9*2)
	VMOVUPS   Y7, (BX)(R13*1)

	LEAQ (SI)(R8*8), SI
	ADDQ $32, DI
	SUBQ $8, CX
	JGT  block

	ADDQ $32, R10
	LEAQ (R11)(R9*8), R11
	SUBQ $8, DX
	JGT  column
	VZEROUPPER
	RET

// The column that each lane of three vectors of pixels comes from.
DATA rgbColumn<>+0(SB)/8, $0x0
DATA rgbColumn<>+8(SB)/8, $0x100000000
DATA rgbColumn<>+16(SB)/8, $0x100000001
DATA rgbColumn<>+24(SB)/8, $0x200000002
DATA rgbColumn<>+32(SB)/8, $0x300000002
DATA rgbColumn<>+40(SB)/8, $0x300000003
DATA rgbColumn<>+48(SB)/8, $0x400000004
DATA rgbColumn<>+56(SB)/8, $0x500000004
DATA rgbColumn<>+64(SB)/8, $0x500000005
DATA rgbColumn<>+72(SB)/8, $0x600000006
DATA rgbColumn<>+80(SB)/8, $0x700000006
DATA rgbColumn<>+88(SB)/8, $0x700000007
GLOBL rgbColumn<>(SB), RODATA|NOPTR, $96

// RGB makes Y3 of lanes of the rows in Y0, Y1 and Y2: b and c name those of the second and third.
#define RGB(column, b, c, out) \
	VPERMPS  Y0, column, Y3     \
	VPERMPS  Y1, column, Y4     \
	VPERMPS  Y2, column, Y5     \
	VBLENDPS b, Y4, Y3, Y3      \
	VBLENDPS c, Y5, Y3, Y3      \
	VMOVUPS  Y3, out

// func transposeRGBF32AVX2(dst, src *float32, cols, srcStride int)
//
// Three rows of eight columns become 24 values in a row. SI, R8 and R9 the rows, DI dst, CX columns left.
TEXT ·transposeRGBF32AVX2(SB), NOSPLIT, $0-32
	MOVQ    dst+0(FP), DI
	MOVQ    src+8(FP), SI
	MOVQ    cols+16(FP), CX
	MOVQ    srcStride+24(FP), R9
	LEAQ    (SI)(R9*4), R8
	LEAQ    (R8)(R9*4), R9
	VMOVUPS rgbColumn<>+0(SB), Y6
	VMOVUPS rgbColumn<>+32(SB), Y7
	VMOVUPS rgbColumn<>+64(SB), Y8

pixels:
	VMOVUPS (SI), Y0
	VMOVUPS (R8), Y1
	VMOVUPS (R9), Y2
	RGB(Y6, $0x92, $0x24, (DI))
	RGB(Y7, $0x24, $0x49, 32(DI))
	RGB(Y8, $0x49, $0x92, 64(DI))
	ADDQ $32, SI
	ADDQ $32, R8
	ADDQ $32, R9
	ADDQ $96, DI
	SUBQ $8, CX
	JGT  pixels
	VZEROUPPER
	RET
