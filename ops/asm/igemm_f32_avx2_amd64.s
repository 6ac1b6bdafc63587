//go:build !purego

#include "go_asm.h"
#include "textflag.h"

#include "igemm_f32_avx2_amd64.h"

// STEP6 is one depth of six rows by one panel: a is the byte offset into the
// rows beyond BX, b that into the panel.
#define STEP6(a, b) \
	VMOVUPS      b(SI), Y12         \
	VMOVUPS      b+32(SI), Y13      \
	VBROADCASTSS a(R8)(BX*1), Y14   \
	VBROADCASTSS a(R9)(BX*1), Y15   \
	VFMADD231PS  Y12, Y14, Y0       \
	VFMADD231PS  Y13, Y14, Y1       \
	VBROADCASTSS a(R10)(BX*1), Y14  \
	VFMADD231PS  Y12, Y15, Y2       \
	VFMADD231PS  Y13, Y15, Y3       \
	VBROADCASTSS a(R11)(BX*1), Y15  \
	VFMADD231PS  Y12, Y14, Y4       \
	VFMADD231PS  Y13, Y14, Y5       \
	VBROADCASTSS a(R12)(BX*1), Y14  \
	VFMADD231PS  Y12, Y15, Y6       \
	VFMADD231PS  Y13, Y15, Y7       \
	VBROADCASTSS a(R13)(BX*1), Y15  \
	VFMADD231PS  Y12, Y14, Y8       \
	VFMADD231PS  Y13, Y14, Y9       \
	VFMADD231PS  Y12, Y15, Y10      \
	VFMADD231PS  Y13, Y15, Y11

// STEP3 is one depth of three rows by two panels, at SI and R12.
#define STEP3(a, b) \
	VBROADCASTSS a(R8)(BX*1), Y12  \
	VBROADCASTSS a(R9)(BX*1), Y13  \
	VBROADCASTSS a(R10)(BX*1), Y14 \
	VMOVUPS      b(SI), Y15        \
	VFMADD231PS  Y15, Y12, Y0      \
	VFMADD231PS  Y15, Y13, Y4      \
	VFMADD231PS  Y15, Y14, Y8      \
	VMOVUPS      b+32(SI), Y15     \
	VFMADD231PS  Y15, Y12, Y1      \
	VFMADD231PS  Y15, Y13, Y5      \
	VFMADD231PS  Y15, Y14, Y9      \
	VMOVUPS      b(R12), Y15       \
	VFMADD231PS  Y15, Y12, Y2      \
	VFMADD231PS  Y15, Y13, Y6      \
	VFMADD231PS  Y15, Y14, Y10     \
	VMOVUPS      b+32(R12), Y15    \
	VFMADD231PS  Y15, Y12, Y3      \
	VFMADD231PS  Y15, Y13, Y7      \
	VFMADD231PS  Y15, Y14, Y11

// STEP1 is one depth of one row by four panels, at SI, R12 bytes apart, the last one at R13.
#define STEP1(a, b) \
	VBROADCASTSS a(R8)(BX*1), Y12            \
	VFMADD231PS  b(SI), Y12, Y0              \
	VFMADD231PS  b+32(SI), Y12, Y1           \
	VFMADD231PS  b(SI)(R12*1), Y12, Y2       \
	VFMADD231PS  b+32(SI)(R12*1), Y12, Y3    \
	VFMADD231PS  b(SI)(R12*2), Y12, Y4       \
	VFMADD231PS  b+32(SI)(R12*2), Y12, Y5    \
	VFMADD231PS  b(R13), Y12, Y6             \
	VFMADD231PS  b+32(R13), Y12, Y7

// EACH8 applies op to the sums of a row of 64 columns and their place in it.
#define EACH8(op) \
	op(0, Y0)   \
	op(32, Y1)  \
	op(64, Y2)  \
	op(96, Y3)  \
	op(128, Y4) \
	op(160, Y5) \
	op(192, Y6) \
	op(224, Y7)

#define ADDBIAS(at, v) VADDPS at(R11), v, v
#define ADDRES(at, v) VADDPS at(R9), v, v
#define STORE(at, v) \
	CLAMP(v)            \
	VMOVUPS v, at(R8)

// STORE32 finishes a row of 32 columns.
#define STORE32(v0, v1, v2, v3, nores) \
	VADDPS  (R11), v0, v0       \
	VADDPS  32(R11), v1, v1     \
	VADDPS  64(R11), v2, v2     \
	VADDPS  96(R11), v3, v3     \
	TESTQ   R9, R9              \
	JZ      nores               \
	VADDPS  (R9), v0, v0        \
	VADDPS  32(R9), v1, v1      \
	VADDPS  64(R9), v2, v2      \
	VADDPS  96(R9), v3, v3      \
	ADDQ    DX, R9              \
nores:                          \
	CLAMP(v0)                   \
	CLAMP(v1)                   \
	CLAMP(v2)                   \
	CLAMP(v3)                   \
	VMOVUPS v0, (R8)            \
	VMOVUPS v1, 32(R8)          \
	VMOVUPS v2, 64(R8)          \
	VMOVUPS v3, 96(R8)          \
	ADDQ    CX, R8              \
	DECQ    R10                 \
	JZ      stored32

// func igemmF32AVX2(args *IGemmF32Args)
//
// DI args, SI panel, R14 byte offset of the panel's columns, R15 columns left.
// In the depth loop: AX the offsets of a position's rows, CX positions left, R8-R13 the rows, BX the
// byte offset into them, DX depths left, BP the prefetch pointer.
TEXT ·igemmF32AVX2(SB), NOSPLIT, $88-8
	MOVQ args+0(FP), DI
	MOVQ $0, ROW
	FIRSTTILE(BP, fill, walking)

tile:
	STARTTILE(part, repeat, started)
	MOVQ IGemmF32Args_B(DI), SI
	MOVQ IGemmF32Args_N(DI), R15
	XORQ R14, R14

panel:
	// Few rows take two panels at a time, one row four, to keep as many sums in flight.
	PREFETCHING(BP, AX)
	CMPQ rows-8(SP), $3
	JGT  one
	CMPQ R15, $64
	JLT  few
	CMPQ rows-8(SP), $1
	JEQ  four

few:
	CMPQ R15, $32
	JGE  two

one:
	ZERO12
	MOVQ offsets-32(SP), AX
	MOVQ IGemmF32Args_KS(DI), CX

position:
	PIXEL(0, AX, R8)
	PIXEL(1, AX, R9)
	PIXEL(2, AX, R10)
	PIXEL(3, AX, R11)
	PIXEL(4, AX, R12)
	PIXEL(5, AX, R13)
	ADDQ $24, AX
	XORQ BX, BX
	MOVQ IGemmF32Args_KC(DI), DX
	CMPQ R15, $8
	JLE  narrow
	SUBQ $4, DX
	JLT  rest

depth4:
	PREFETCHT0 (BP)
	// The panel streams from the second-level cache: 16 depths ahead hides its latency.
	PREFETCHT0 1024(SI)
	PREFETCHT0 1088(SI)
	PREFETCHT0 1152(SI)
	PREFETCHT0 1216(SI)
	STEP6(0, 0)
	STEP6(4, 64)
	STEP6(8, 128)
	STEP6(12, 192)
	ADDQ $256, SI
	ADDQ step-48(SP), BP
	ADDQ $16, BX
	SUBQ $4, DX
	JGE  depth4

rest:
	ADDQ $4, DX
	JZ   next

depth1:
	STEP6(0, 0)
	ADDQ $64, SI
	ADDQ $4, BX
	DECQ DX
	JNZ  depth1

next:
	DECQ CX
	JNZ  position

	// Bias, residual, bounds and store.
	EPILOGUE
	CMPQ R15, $16
	JLT  tail
	STORE16(Y0, Y1, nores0)
	STORE16(Y2, Y3, nores1)
	STORE16(Y4, Y5, nores2)
	STORE16(Y6, Y7, nores3)
	STORE16(Y8, Y9, nores4)
	STORE16(Y10, Y11, nores5)

stored:
	ADDQ IGemmF32Args_BGap(DI), SI
	ADDQ $64, R14
	SUBQ $16, R15
	JGT  panel

nextTile:
	ADDQ $TILEROWS, ROW
	NEXTTILE(tile, strided, done)

done:
	VZEROUPPER
	RET

tail:
	LEAQ    tailMask16<>+64(SB), AX
	MOVQ    R15, BX
	NEGQ    BX
	VMOVUPS (AX)(BX*4), Y12
	VMOVUPS 32(AX)(BX*4), Y13
	STORETAIL(Y0, Y1, tail0)
	STORETAIL(Y2, Y3, tail1)
	STORETAIL(Y4, Y5, tail2)
	STORETAIL(Y6, Y7, tail3)
	STORETAIL(Y8, Y9, tail4)
	STORETAIL(Y10, Y11, tail5)
	JMP     stored

narrow:
	// At most eight columns are left: half the work.
	SUBQ $4, DX
	JLT  narrowRest

narrow4:
	PREFETCHT0 (BP)
	PREFETCHT0 1024(SI)
	PREFETCHT0 1088(SI)
	PREFETCHT0 1152(SI)
	PREFETCHT0 1216(SI)
	STEP6X8(0, 0)
	STEP6X8(4, 64)
	STEP6X8(8, 128)
	STEP6X8(12, 192)
	ADDQ $256, SI
	ADDQ step-48(SP), BP
	ADDQ $16, BX
	SUBQ $4, DX
	JGE  narrow4

narrowRest:
	ADDQ $4, DX
	JZ   next

narrow1:
	STEP6X8(0, 0)
	ADDQ $64, SI
	ADDQ $4, BX
	DECQ DX
	JNZ  narrow1
	JMP  next

four:
	ZERO12
	MOVQ  offsets-32(SP), AX
	MOVQ  IGemmF32Args_KS(DI), CX
	MOVQ  IGemmF32Args_KC(DI), R12
	IMULQ CX, R12
	SHLQ  $6, R12
	ADDQ  IGemmF32Args_BGap(DI), R12
	LEAQ  (R12)(R12*2), R13
	ADDQ  SI, R13

position64:
	PIXEL(0, AX, R8)
	ADDQ $24, AX
	XORQ BX, BX
	MOVQ IGemmF32Args_KC(DI), DX
	SUBQ $2, DX
	JLT  rest64

depth64:
	STEP1(0, 0)
	STEP1(4, 64)
	ADDQ $128, SI
	ADDQ $128, R13
	ADDQ $8, BX
	SUBQ $2, DX
	JGE  depth64

rest64:
	ADDQ $2, DX
	JZ   next64
	STEP1(0, 0)
	ADDQ $64, SI
	ADDQ $64, R13

next64:
	DECQ CX
	JNZ  position64

	MOVQ R13, SI
	ADDQ IGemmF32Args_BGap(DI), SI
	EPILOGUE
	EACH8(ADDBIAS)
	TESTQ R9, R9
	JZ   store64
	EACH8(ADDRES)

store64:
	EACH8(STORE)
	ADDQ $256, R14
	SUBQ $64, R15
	JGT  panel
	JMP  nextTile

two:
	ZERO12
	MOVQ  offsets-32(SP), AX
	MOVQ  IGemmF32Args_KS(DI), CX
	MOVQ  IGemmF32Args_KC(DI), R12
	IMULQ CX, R12
	SHLQ  $6, R12
	ADDQ  IGemmF32Args_BGap(DI), R12
	ADDQ  SI, R12

position32:
	PIXEL(0, AX, R8)
	PIXEL(1, AX, R9)
	PIXEL(2, AX, R10)
	ADDQ $24, AX
	XORQ BX, BX
	MOVQ IGemmF32Args_KC(DI), DX
	SUBQ $2, DX
	JLT  rest32

depth2:
	STEP3(0, 0)
	STEP3(4, 64)
	ADDQ $128, SI
	ADDQ $128, R12
	ADDQ $8, BX
	SUBQ $2, DX
	JGE  depth2

rest32:
	ADDQ $2, DX
	JZ   next32
	STEP3(0, 0)
	ADDQ $64, SI
	ADDQ $64, R12

next32:
	DECQ CX
	JNZ  position32

	MOVQ R12, SI
	ADDQ IGemmF32Args_BGap(DI), SI
	EPILOGUE
	STORE32(Y0, Y1, Y2, Y3, nores6)
	STORE32(Y4, Y5, Y6, Y7, nores7)
	STORE32(Y8, Y9, Y10, Y11, nores8)

stored32:
	ADDQ $128, R14
	SUBQ $32, R15
	JGT  panel
	JMP  nextTile
