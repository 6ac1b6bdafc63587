//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "tail_amd64.h"

// Blocks of 32 channels. The bytes of two taps are interleaved within
// 128-bit lanes, widened, and multiplied with VPMADDWD; Y(j) accumulates
// channels 4j to 4j+3 of the low lane and 16+4j to 16+4j+3 of the high one,
// an order that the packs of the epilogue undo. Fewer than 32 channels are
// blocks of 8 with the channels in order, two of them at a time where there are 16.

// TAPS adds two taps, Y4 and b. BX: weights, Y15: zero.
#define TAPS(b) \
	VPUNPCKLBW b, Y4, Y6; \
	VPUNPCKHBW b, Y4, Y7; \
	VPUNPCKLBW Y15, Y6, Y4; \
	VPUNPCKHBW Y15, Y6, Y5; \
	VPUNPCKLBW Y15, Y7, Y6; \
	VPUNPCKHBW Y15, Y7, Y7; \
	VPMADDWD   0(BX), Y4, Y4; \
	VPMADDWD   32(BX), Y5, Y5; \
	VPMADDWD   64(BX), Y6, Y6; \
	VPMADDWD   96(BX), Y7, Y7; \
	VPADDD     Y4, Y0, Y0; \
	VPADDD     Y5, Y1, Y1; \
	VPADDD     Y6, Y2, Y2; \
	VPADDD     Y7, Y3, Y3; \
	ADDQ       $128, BX

// LANES loads 32 values of 4 bytes from AX in the order of the accumulators.
#define LANES(c0, c1, c2, c3) \
	VMOVDQU    0(AX)(R10*4), Y4; \
	VMOVDQU    32(AX)(R10*4), Y5; \
	VMOVDQU    64(AX)(R10*4), Y6; \
	VMOVDQU    96(AX)(R10*4), Y7; \
	VPERM2I128 $0x20, Y6, Y4, c0; \
	VPERM2I128 $0x31, Y6, Y4, c1; \
	VPERM2I128 $0x20, Y7, Y5, c2; \
	VPERM2I128 $0x31, Y7, Y5, c3

// Loads of 8, 4 to 7 and 1 to 3 channels from p, of which none is read that does not exist. What is
// behind them has weights of 0. CX: channels, X7: their places among first and last four, DX: CX/2.
#define LOAD8(p, x) \
	VMOVQ (p)(R10*1), x
#define LOAD4(p, x) \
	VMOVD   (p), x; \
	VPINSRD $1, -4(p)(CX*1), x, x; \
	VPSHUFB X7, x, x
#define LOAD1(p, x) \
	VPINSRB $0, (p), X15, x; \
	VPINSRB $1, (p)(DX*1), x, x; \
	VPINSRB $2, -1(p)(CX*1), x, x

// ADD8 adds two taps of 8 channels, X4 and b, to Y0.
#define ADD8(b) \
	VPUNPCKLBW b, X4, X4; \
	VPMOVZXBW  X4, Y4; \
	VPMADDWD   (BX), Y4, Y4; \
	VPADDD     Y4, Y0, Y0

// ADD16 adds two taps of 16 channels, X4 and b, to Y0 and Y1. DX: distance of blocks of weights.
#define ADD16(b) \
	VPUNPCKHBW b, X4, X6; \
	VPUNPCKLBW b, X4, X4; \
	VPMOVZXBW  X4, Y4; \
	VPMOVZXBW  X6, Y6; \
	VPMADDWD   (BX), Y4, Y4; \
	VPMADDWD   (BX)(DX*1), Y6, Y6; \
	VPADDD     Y4, Y0, Y0; \
	VPADDD     Y6, Y1, Y1

// NARROWTAPS adds AX taps with LOAD and ADD.
#define NARROWTAPS(LOAD, ADD, pair, last, added) \
	SUBQ $2, AX; \
	JLT  last; \
pair: \
	MOVQ 0(SI), R8; \
	MOVQ 8(SI), R9; \
	LOAD(R8, X4); \
	LOAD(R9, X5); \
	ADD(X5); \
	ADDQ $16, SI; \
	ADDQ $32, BX; \
	SUBQ $2, AX; \
	JGE  pair; \
last: \
	TESTL $1, AX; \
	JZ    added; \
	MOVQ  (SI), R8; \
	LOAD(R8, X4); \
	ADD(X15)

#define LOAD16(p, x) \
	VMOVDQU (p)(R10*1), x

// func dwconvU8S8AVX2(args *DWConvU8S8Args)
TEXT ·dwconvU8S8AVX2(SB), NOSPLIT, $144-8
	// R10: first channel of the block, R11: weights of the block, Y15: zero.
	MOVQ  args+0(FP), DI
	XORL  R10, R10
	MOVQ  DWConvU8S8Args_W(DI), R11
	VPXOR X15, X15, X15

	// Constants: Y12 Hi-Zero, Y13 Zero, Y14 Lo.
	VPBROADCASTD DWConvU8S8Args_Hi(DI), Y12
	VPBROADCASTD DWConvU8S8Args_Zero(DI), Y13
	VPSUBD       Y13, Y12, Y12
	VCVTDQ2PS    Y12, Y12
	VPBROADCASTW DWConvU8S8Args_Zero(DI), Y13
	VPBROADCASTB DWConvU8S8Args_Lo(DI), Y14
	CMPQ         DWConvU8S8Args_C(DI), $32
	JLT          narrow

block:
	// Bias to the stack, multipliers to Y8-Y11, in the order of the accumulators.
	MOVQ    DWConvU8S8Args_Bias(DI), AX
	LANES(Y0, Y1, Y2, Y3)
	VMOVDQU Y0, bias-128(SP)
	VMOVDQU Y1, bias-96(SP)
	VMOVDQU Y2, bias-64(SP)
	VMOVDQU Y3, bias-32(SP)
	MOVQ    DWConvU8S8Args_Mult(DI), AX
	LANES(Y8, Y9, Y10, Y11)

	// R12: pixels left, R13: taps of the pixel, R14: its output.
	MOVQ DWConvU8S8Args_P(DI), R12
	MOVQ DWConvU8S8Args_A(DI), R13
	MOVQ DWConvU8S8Args_Out(DI), R14
	ADDQ R10, R14

pixel:
	VMOVDQU bias-128(SP), Y0
	VMOVDQU bias-96(SP), Y1
	VMOVDQU bias-64(SP), Y2
	VMOVDQU bias-32(SP), Y3
	MOVQ    R11, BX
	MOVQ    R13, SI
	MOVQ    DWConvU8S8Args_KS(DI), AX
	SUBQ    $2, AX
	JLT     lastTap

taps:
	MOVQ    0(SI), R8
	MOVQ    8(SI), R9
	VMOVDQU (R8)(R10*1), Y4
	VMOVDQU (R9)(R10*1), Y5
	TAPS(Y5)
	ADDQ    $16, SI
	SUBQ    $2, AX
	JGE     taps

lastTap:
	TESTL   $1, AX
	JZ      quantize
	MOVQ    (SI), R8
	VMOVDQU (R8)(R10*1), Y4
	TAPS(Y15)

quantize:
	VCVTDQ2PS Y0, Y0
	VCVTDQ2PS Y1, Y1
	VCVTDQ2PS Y2, Y2
	VCVTDQ2PS Y3, Y3
	VMULPS    Y8, Y0, Y0
	VMULPS    Y9, Y1, Y1
	VMULPS    Y10, Y2, Y2
	VMULPS    Y11, Y3, Y3
	VMINPS    Y12, Y0, Y0
	VMINPS    Y12, Y1, Y1
	VMINPS    Y12, Y2, Y2
	VMINPS    Y12, Y3, Y3
	VCVTPS2DQ Y0, Y0
	VCVTPS2DQ Y1, Y1
	VCVTPS2DQ Y2, Y2
	VCVTPS2DQ Y3, Y3
	VPACKSSDW Y1, Y0, Y0
	VPACKSSDW Y3, Y2, Y2
	VPADDSW   Y13, Y0, Y0
	VPADDSW   Y13, Y2, Y2
	VPACKUSWB Y2, Y0, Y0
	VPMAXUB   Y14, Y0, Y0
	VMOVDQU   Y0, (R14)
	MOVQ      DWConvU8S8Args_AStep(DI), AX
	LEAQ      (R13)(AX*8), R13
	ADDQ      DWConvU8S8Args_OutStride(DI), R14
	DECQ      R12
	JNZ       pixel

	// The last block ends at channel C and may overlap the one before.
	MOVQ DWConvU8S8Args_KS(DI), AX
	INCQ AX
	SHRQ $1, AX
	SHLQ $7, AX
	ADDQ AX, R11
	MOVQ DWConvU8S8Args_C(DI), AX
	SUBQ $32, AX
	CMPQ R10, AX
	JGE  done
	ADDQ $32, R10
	CMPQ R10, AX
	CMOVQGT AX, R10
	JMP  block

done:
	VZEROUPPER
	RET

narrow:
	// R15: distance of blocks of weights, CX: channels, X7 and DX as LOAD4 and LOAD1 take them, where there
	// are no two blocks.
	MOVQ  DWConvU8S8Args_KS(DI), R15
	INCQ  R15
	SHRQ  $1, R15
	SHLQ  $5, R15
	MOVQ  DWConvU8S8Args_C(DI), CX
	CMPQ  CX, $16
	JGE   narrow16
	MOVQ  CX, DX
	SHRQ  $1, DX
	MOVL  $12, AX
	SUBL  CX, AX
	IMULL $0x01010101, AX
	ADDL  $0x03020100, AX
	SHLQ  $32, AX
	ORQ   $0x03020100, AX
	VMOVQ AX, X7

narrow8:
	// Y8: bias, Y10: multipliers.
	MOVQ    DWConvU8S8Args_Bias(DI), AX
	VMOVDQU (AX)(R10*4), Y8
	MOVQ    DWConvU8S8Args_Mult(DI), AX
	VMOVUPS (AX)(R10*4), Y10
	MOVQ    DWConvU8S8Args_P(DI), R12
	MOVQ    DWConvU8S8Args_A(DI), R13
	MOVQ    DWConvU8S8Args_Out(DI), R14
	ADDQ    R10, R14

pixel8:
	VMOVDQA Y8, Y0
	MOVQ    R11, BX
	MOVQ    R13, SI
	MOVQ    DWConvU8S8Args_KS(DI), AX
	CMPQ    CX, $4
	JLT     channels1
	CMPQ    CX, $8
	JLT     channels4
	NARROWTAPS(LOAD8, ADD8, pair8, last8, added8)
	JMP     added8

channels4:
	NARROWTAPS(LOAD4, ADD8, pair4, last4, added8)
	JMP added8

channels1:
	NARROWTAPS(LOAD1, ADD8, pair1, last1, added8)

added8:
	VCVTDQ2PS Y0, Y0
	VMULPS    Y10, Y0, Y0
	VMINPS    Y12, Y0, Y0
	VCVTPS2DQ Y0, Y0
	PACK16(Y0, Y15, X0, X1, Y13, X14)
	CMPQ      CX, $8
	JLT       storeFew
	VMOVQ     X0, (R14)

stored8:
	MOVQ DWConvU8S8Args_AStep(DI), AX
	LEAQ (R13)(AX*8), R13
	ADDQ DWConvU8S8Args_OutStride(DI), R14
	DECQ R12
	JNZ  pixel8
	ADDQ R15, R11
	JMP  narrowNext

storeFew:
	VMOVQ X0, AX
	TESTL $4, CX
	JZ    store2
	MOVL  AX, (R14)
	SHRQ  $32, AX

store2:
	MOVQ  CX, R8
	ANDL  $4, R8
	TESTL $2, CX
	JZ    store1
	MOVW  AX, (R14)(R8*1)
	SHRQ  $16, AX
	ADDQ  $2, R8

store1:
	TESTL $1, CX
	JZ    stored8
	MOVB  AX, (R14)(R8*1)
	JMP   stored8

narrow16:
	// Y8, Y9: bias, Y10, Y11: multipliers, DX: distance of blocks of weights.
	MOVQ    R15, DX
	MOVQ    DWConvU8S8Args_Bias(DI), AX
	VMOVDQU 0(AX)(R10*4), Y8
	VMOVDQU 32(AX)(R10*4), Y9
	MOVQ    DWConvU8S8Args_Mult(DI), AX
	VMOVUPS 0(AX)(R10*4), Y10
	VMOVUPS 32(AX)(R10*4), Y11
	MOVQ    DWConvU8S8Args_P(DI), R12
	MOVQ    DWConvU8S8Args_A(DI), R13
	MOVQ    DWConvU8S8Args_Out(DI), R14
	ADDQ    R10, R14

pixel16:
	VMOVDQA   Y8, Y0
	VMOVDQA   Y9, Y1
	MOVQ      R11, BX
	MOVQ      R13, SI
	MOVQ      DWConvU8S8Args_KS(DI), AX
	NARROWTAPS(LOAD16, ADD16, pair16, last16, added16)

added16:
	VCVTDQ2PS Y0, Y0
	VCVTDQ2PS Y1, Y1
	VMULPS    Y10, Y0, Y0
	VMULPS    Y11, Y1, Y1
	VMINPS    Y12, Y0, Y0
	VMINPS    Y12, Y1, Y1
	VCVTPS2DQ Y0, Y0
	VCVTPS2DQ Y1, Y1
	PACK16(Y0, Y1, X0, X1, Y13, X14)
	VMOVDQU   X0, (R14)
	MOVQ      DWConvU8S8Args_AStep(DI), AX
	LEAQ      (R13)(AX*8), R13
	ADDQ      DWConvU8S8Args_OutStride(DI), R14
	DECQ      R12
	JNZ       pixel16
	LEAQ      (R11)(R15*2), R11
	ADDQ      $8, R10

narrowNext:
	// Two blocks while there are 16 channels, else one, which may overlap the one before.
	ADDQ    $8, R10
	MOVQ    CX, AX
	SUBQ    R10, AX
	JLE     done
	CMPQ    AX, $16
	JGE     narrow16
	LEAQ    -8(CX), AX
	CMPQ    R10, AX
	CMOVQGT AX, R10
	JMP     narrow8
