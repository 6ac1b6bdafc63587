//go:build !purego

#include "go_asm.h"
#include "textflag.h"

#define TILEROWS 6
#include "igemm_f32_tiles_amd64.h"

// The first row of the tile, further down the frame.
#define ROW row-88(SP)

// Eight masks of a row of 16 columns: at byte offset 4*(16-n) starts a pair of
// vectors whose first n lanes are set.
DATA tailMask16<>+0(SB)/8, $-1
DATA tailMask16<>+8(SB)/8, $-1
DATA tailMask16<>+16(SB)/8, $-1
DATA tailMask16<>+24(SB)/8, $-1
DATA tailMask16<>+32(SB)/8, $-1
DATA tailMask16<>+40(SB)/8, $-1
DATA tailMask16<>+48(SB)/8, $-1
DATA tailMask16<>+56(SB)/8, $-1
DATA tailMask16<>+64(SB)/8, $0
DATA tailMask16<>+72(SB)/8, $0
DATA tailMask16<>+80(SB)/8, $0
DATA tailMask16<>+88(SB)/8, $0
DATA tailMask16<>+96(SB)/8, $0
DATA tailMask16<>+104(SB)/8, $0
DATA tailMask16<>+112(SB)/8, $0
DATA tailMask16<>+120(SB)/8, $0
GLOBL tailMask16<>(SB), RODATA|NOPTR, $128

#define ZERO12 \
	VXORPS Y0, Y0, Y0    \
	VXORPS Y1, Y1, Y1    \
	VXORPS Y2, Y2, Y2    \
	VXORPS Y3, Y3, Y3    \
	VXORPS Y4, Y4, Y4    \
	VXORPS Y5, Y5, Y5    \
	VXORPS Y6, Y6, Y6    \
	VXORPS Y7, Y7, Y7    \
	VXORPS Y8, Y8, Y8    \
	VXORPS Y9, Y9, Y9    \
	VXORPS Y10, Y10, Y10 \
	VXORPS Y11, Y11, Y11

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

// STEP6X8 is STEP6 for the first eight columns of a panel.
#define STEP6X8(a, b) \
	VMOVUPS      b(SI), Y12         \
	VBROADCASTSS a(R8)(BX*1), Y14   \
	VBROADCASTSS a(R9)(BX*1), Y15   \
	VFMADD231PS  Y12, Y14, Y0       \
	VBROADCASTSS a(R10)(BX*1), Y14  \
	VFMADD231PS  Y12, Y15, Y2       \
	VBROADCASTSS a(R11)(BX*1), Y15  \
	VFMADD231PS  Y12, Y14, Y4       \
	VBROADCASTSS a(R12)(BX*1), Y14  \
	VFMADD231PS  Y12, Y15, Y6       \
	VBROADCASTSS a(R13)(BX*1), Y15  \
	VFMADD231PS  Y12, Y14, Y8       \
	VFMADD231PS  Y12, Y15, Y10

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

// CLAMP bounds v by Lo in Y14 and Hi in Y15; a NaN is the operand they return.
#define CLAMP(v) \
	VMAXPS v, Y14, v \
	VMINPS v, Y15, v

// STORE16 finishes a row of 16 columns: R8 is the output, R9 the residual or 0,
// R11 the bias; the rest of the rows is done when R10 reaches 0.
#define STORE16(v0, v1, nores) \
	VADDPS  (R11), v0, v0       \
	VADDPS  32(R11), v1, v1     \
	TESTQ   R9, R9              \
	JZ      nores               \
	VADDPS  (R9), v0, v0        \
	VADDPS  32(R9), v1, v1      \
	ADDQ    DX, R9              \
nores:                          \
	CLAMP(v0)                   \
	CLAMP(v1)                   \
	VMOVUPS v0, (R8)            \
	VMOVUPS v1, 32(R8)          \
	ADDQ    CX, R8              \
	DECQ    R10                 \
	JZ      stored

// STORETAIL is STORE16 of the lanes that the masks on the stack name.
#define STORETAIL(v0, v1, nores) \
	VADDPS     (R11), v0, v0       \
	VADDPS     32(R11), v1, v1     \
	TESTQ      R9, R9              \
	JZ         nores               \
	VMASKMOVPS (R9), Y12, Y14      \
	VMASKMOVPS 32(R9), Y13, Y15    \
	VADDPS     Y14, v0, v0         \
	VADDPS     Y15, v1, v1         \
	ADDQ       DX, R9              \
nores:                             \
	VBROADCASTSS IGemmF32Args_Lo(DI), Y14 \
	VBROADCASTSS IGemmF32Args_Hi(DI), Y15 \
	CLAMP(v0)                      \
	CLAMP(v1)                      \
	VMASKMOVPS v0, Y12, (R8)       \
	VMASKMOVPS v1, Y13, 32(R8)     \
	ADDQ       CX, R8              \
	DECQ       R10                 \
	JZ         stored

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

// EPILOGUE points R8, R9, R10 and R11 at the first row's outputs, as STORE16 wants them.
#define EPILOGUE \
	MOVQ  ROW, R12                        \
	MOVQ  IGemmF32Args_CStride(DI), CX    \
	MOVQ  CX, R8                          \
	IMULQ R12, R8                         \
	ADDQ  R14, R8                         \
	ADDQ  IGemmF32Args_C(DI), R8          \
	MOVQ  IGemmF32Args_Bias(DI), R11      \
	ADDQ  R14, R11                        \
	MOVQ  rows-8(SP), R10                 \
	MOVQ  IGemmF32Args_ResStride(DI), DX  \
	IMULQ DX, R12                         \
	MOVQ  IGemmF32Args_Res(DI), R9        \
	LEAQ  (R9)(R14*1), AX                 \
	ADDQ  R12, AX                         \
	TESTQ R9, R9                          \
	CMOVQNE AX, R9                        \
	VBROADCASTSS IGemmF32Args_Lo(DI), Y14 \
	VBROADCASTSS IGemmF32Args_Hi(DI), Y15

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
	// Few rows take two panels at a time, to keep as many sums in flight.
	PREFETCHING(BP, AX)
	CMPQ rows-8(SP), $3
	JGT  one
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
