//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "tail_amd64.h"
#include "igemm_u8s8_tiles_amd64.h"
#include "igemm_u8s8_widen_amd64.h"

// A 6 x 16 tile: the bytes of A become int16 once, in scratch, the weights when
// they are loaded, and VPMADDWD adds exact products of two depths in int32.
#define SPILL 384

// STEP adds two depths of one row. Y12, Y13: weights of columns 0-7, 8-15.
#define STEP(a, c0, c1) \
	VPBROADCASTD a, Y14; \
	VPMADDWD Y12, Y14, Y15; \
	VPADDD Y15, c0, c0; \
	VPMADDWD Y13, Y14, Y14; \
	VPADDD Y14, c1, c1

// WEIGHTS loads two depths of 16 columns.
#define WEIGHTS(off) \
	VPMOVSXBW off(BX), Y12; \
	VPMOVSXBW off+16(BX), Y13

// NEXT advances by four depths: SI, R9 point to rows 0 and 3, CX counts.
#define NEXT(loop) \
	PREFETCHT0 (BP); \
	ADDQ step-48(SP), BP; \
	ADDQ $8, SI; \
	ADDQ $8, R9; \
	ADDQ $64, BX; \
	SUBQ $4, CX; \
	JNZ loop

// func igemmU8S8AVX2(args *IGemmU8S8Args, output igemmOutput)
TEXT ·igemmU8S8AVX2(SB), NOSPLIT, $120-9
	MOVQ args+0(FP), DI
	MOVQ $0, row-104(SP)
	FIRSTTILE(BP, fill, walking)

tile:
	STARTTILE(part, repeat, started)
	WIDEN

	// Panels of 16 columns: R12 = first column, BX = weights, R13 = rows of the tile.
	MOVQ IGemmU8S8Args_B(DI), BX
	XORL R12, R12

panel:
	PREFETCHING(BP, AX)
	MOVQ    rows-8(SP), R13
	MOVQ    IGemmU8S8Args_KS(DI), CX
	IMULQ   IGemmU8S8Args_KC(DI), CX
	MOVQ    IGemmU8S8Args_Scratch(DI), SI
	LEAQ    SPILL(SI), SI
	LEAQ    (R8)(R8*2), R9
	ADDQ    SI, R9
	MOVQ    IGemmU8S8Args_Bias(DI), AX
	VMOVDQU (AX)(R12*4), Y0
	VMOVDQU 32(AX)(R12*4), Y1
	VMOVDQA Y0, Y2
	VMOVDQA Y1, Y3
	VMOVDQA Y0, Y4
	VMOVDQA Y1, Y5
	VMOVDQA Y0, Y6
	VMOVDQA Y1, Y7
	VMOVDQA Y0, Y8
	VMOVDQA Y1, Y9
	VMOVDQA Y0, Y10
	VMOVDQA Y1, Y11
	CMPQ    R13, $2
	JLT     rows1
	JEQ     rows2
	CMPQ    R13, $4
	JLE     rows4

	// Multiply: row r accumulates in Y(2r), Y(2r+1).
	PCALIGN $32
rows6:
	WEIGHTS(0)
	STEP(0(SI), Y0, Y1)
	STEP(0(SI)(R8*1), Y2, Y3)
	STEP(0(SI)(R8*2), Y4, Y5)
	STEP(0(R9), Y6, Y7)
	STEP(0(R9)(R8*1), Y8, Y9)
	STEP(0(R9)(R8*2), Y10, Y11)
	WEIGHTS(32)
	STEP(4(SI), Y0, Y1)
	STEP(4(SI)(R8*1), Y2, Y3)
	STEP(4(SI)(R8*2), Y4, Y5)
	STEP(4(R9), Y6, Y7)
	STEP(4(R9)(R8*1), Y8, Y9)
	STEP(4(R9)(R8*2), Y10, Y11)
	NEXT(rows6)
	JMP  spill

	PCALIGN $32
rows4:
	WEIGHTS(0)
	STEP(0(SI), Y0, Y1)
	STEP(0(SI)(R8*1), Y2, Y3)
	STEP(0(SI)(R8*2), Y4, Y5)
	STEP(0(R9), Y6, Y7)
	WEIGHTS(32)
	STEP(4(SI), Y0, Y1)
	STEP(4(SI)(R8*1), Y2, Y3)
	STEP(4(SI)(R8*2), Y4, Y5)
	STEP(4(R9), Y6, Y7)
	NEXT(rows4)
	JMP  spill

	PCALIGN $32
rows2:
	WEIGHTS(0)
	STEP(0(SI), Y0, Y1)
	STEP(0(SI)(R8*1), Y2, Y3)
	WEIGHTS(32)
	STEP(4(SI), Y0, Y1)
	STEP(4(SI)(R8*1), Y2, Y3)
	NEXT(rows2)
	JMP  spill

	PCALIGN $32
rows1:
	WEIGHTS(0)
	STEP(0(SI), Y0, Y1)
	WEIGHTS(32)
	STEP(4(SI), Y0, Y1)
	NEXT(rows1)

#include "igemm_u8s8_avx2_amd64.h"
