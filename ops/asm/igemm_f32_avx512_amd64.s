//go:build !purego

#include "go_asm.h"
#include "textflag.h"

#define TILEROWS 8
#include "igemm_f32_tiles_amd64.h"

// The state of the walk, further down the frame: byte offset of the panels' columns, columns
// left, positions left, first row of the tile, the prefetch pointer between tiles.
#define COLUMN column-88(SP)
#define LEFT columns-96(SP)
#define POSITIONS positions-104(SP)
#define ROW row-112(SP)
#define PREFETCH prefetch-120(SP)

#define ZERO8(a, b, c, d, e, f, g, h) \
	VPXORD a, a, a \
	VPXORD b, b, b \
	VPXORD c, c, c \
	VPXORD d, d, d \
	VPXORD e, e, e \
	VPXORD f, f, f \
	VPXORD g, g, g \
	VPXORD h, h, h

// LOADROWS8, 4 and 1 point R8-R15 at as many rows of the next position.
#define LOADROWS1 \
	PIXEL(0, AX, R8); \
	ADDQ $32, AX;     \
	XORQ BX, BX

#define LOADROWS4 \
	PIXEL(1, AX, R9);  \
	PIXEL(2, AX, R10); \
	PIXEL(3, AX, R11); \
	LOADROWS1

#define LOADROWS8 \
	PIXEL(4, AX, R12); \
	PIXEL(5, AX, R13); \
	PIXEL(6, AX, R14); \
	PIXEL(7, AX, R15); \
	LOADROWS4

// ROW3, ROW2 and ROW1 add one row's products in one depth of so many panels,
// whose weights are in Z24, Z25 and Z26. The broadcast value alternates between
// two registers.
#define ROW3(a, row, t, v0, v1, v2) \
	VBROADCASTSS a(row)(BX*1), t \
	VFMADD231PS  Z24, t, v0      \
	VFMADD231PS  Z25, t, v1      \
	VFMADD231PS  Z26, t, v2

#define ROW2(a, row, t, v0, v1) \
	VBROADCASTSS a(row)(BX*1), t \
	VFMADD231PS  Z24, t, v0      \
	VFMADD231PS  Z25, t, v1

// ROW24 is ROW2 where no more than half of the second panel's columns are outputs.
#define ROW24(a, row, t, half, v0, v1) \
	VBROADCASTSS a(row)(BX*1), t \
	VFMADD231PS  Z24, t, v0      \
	VFMADD231PS  Y25, half, v1

#define ROW1(a, row, v0) \
	VFMADD231PS.BCST a(row)(BX*1), Z24, v0

// WEIGHTS3, 2 and 1 load a depth of so many panels, BP bytes apart.
#define WEIGHTS1(b) \
	VMOVUPS b(SI), Z24
#define WEIGHTS2(b) \
	WEIGHTS1(b)      \
	VMOVUPS b(SI)(BP*1), Z25
#define WEIGHTS3(b) \
	WEIGHTS2(b)      \
	VMOVUPS b(SI)(BP*2), Z26

// STEPpXr is one depth of r rows by p panels: a is the byte offset into the rows beyond
// BX, b that into the panel. Row r and panel p accumulate in Z(8p+r).
#define STEP3X1(a, b) \
	WEIGHTS3(b)                    \
	ROW3(a, R8, Z27, Z0, Z8, Z16)
#define STEP3X4(a, b) \
	STEP3X1(a, b)                  \
	ROW3(a, R9, Z28, Z1, Z9, Z17)  \
	ROW3(a, R10, Z27, Z2, Z10, Z18) \
	ROW3(a, R11, Z28, Z3, Z11, Z19)
#define STEP3X8(a, b) \
	STEP3X4(a, b)                  \
	ROW3(a, R12, Z27, Z4, Z12, Z20) \
	ROW3(a, R13, Z28, Z5, Z13, Z21) \
	ROW3(a, R14, Z27, Z6, Z14, Z22) \
	ROW3(a, R15, Z28, Z7, Z15, Z23)

#define STEP2X1(a, b) \
	WEIGHTS2(b)                \
	ROW2(a, R8, Z27, Z0, Z8)
#define STEP2X4(a, b) \
	STEP2X1(a, b)              \
	ROW2(a, R9, Z28, Z1, Z9)   \
	ROW2(a, R10, Z27, Z2, Z10) \
	ROW2(a, R11, Z28, Z3, Z11)
#define STEP2X8(a, b) \
	STEP2X4(a, b)              \
	ROW2(a, R12, Z27, Z4, Z12) \
	ROW2(a, R13, Z28, Z5, Z13) \
	ROW2(a, R14, Z27, Z6, Z14) \
	ROW2(a, R15, Z28, Z7, Z15)

#define STEP24X1(a, b) \
	WEIGHTS2(b)                      \
	ROW24(a, R8, Z27, Y27, Z0, Y8)
#define STEP24X4(a, b) \
	STEP24X1(a, b)                   \
	ROW24(a, R9, Z28, Y28, Z1, Y9)   \
	ROW24(a, R10, Z27, Y27, Z2, Y10) \
	ROW24(a, R11, Z28, Y28, Z3, Y11)
#define STEP24X8(a, b) \
	STEP24X4(a, b)                   \
	ROW24(a, R12, Z27, Y27, Z4, Y12) \
	ROW24(a, R13, Z28, Y28, Z5, Y13) \
	ROW24(a, R14, Z27, Y27, Z6, Y14) \
	ROW24(a, R15, Z28, Y28, Z7, Y15)

#define STEP1X1(a, b) \
	WEIGHTS1(b)      \
	ROW1(a, R8, Z0)
#define STEP1X4(a, b) \
	STEP1X1(a, b)    \
	ROW1(a, R9, Z1)  \
	ROW1(a, R10, Z2) \
	ROW1(a, R11, Z3)
#define STEP1X8(a, b) \
	STEP1X4(a, b)    \
	ROW1(a, R12, Z4) \
	ROW1(a, R13, Z5) \
	ROW1(a, R14, Z6) \
	ROW1(a, R15, Z7)

// AHEAD3, 2 and 1 bring panels near, 16 depths ahead: they stream from the second-level cache.
#define AHEAD1 \
	PREFETCHT0 1024(SI) \
	PREFETCHT0 1088(SI)
#define AHEAD2 \
	AHEAD1                      \
	PREFETCHT0 1024(SI)(BP*1)   \
	PREFETCHT0 1088(SI)(BP*1)
#define AHEAD3 \
	AHEAD2                      \
	PREFETCHT0 1024(SI)(BP*2)   \
	PREFETCHT0 1088(SI)(BP*2)

// MULTIPLY is the loop over positions and depths, then goes to finish. SI ends behind the
// first panel. position to next are labels of its own.
#define MULTIPLY(position, depth, rest, next, rows, ahead, sums, finish) \
position: \
	rows; \
	MOVQ IGemmF32Args_KC(DI), DX; \
	SUBQ $2, DX; \
	JLT  rest; \
depth: \
	PREFETCHT0 (CX); \
	ahead; \
	sums(0, 0); \
	sums(4, 64); \
	ADDQ $128, SI; \
	ADDQ step-48(SP), CX; \
	ADDQ $8, BX; \
	SUBQ $2, DX; \
	JGE  depth; \
rest: \
	ADDQ $2, DX; \
	JZ   next; \
	sums(0, 0); \
	ADDQ $64, SI; \
next: \
	DECQ POSITIONS; \
	JNZ  position; \
	JMP  finish

// EPILOGUE points R8 at the first row's outputs and R9 at its residual, or at 0; CX and DX are their
// strides, R10 counts the rows, R11 is the address of the bias; Z30 and Z31 are the bounds.
#define EPILOGUE \
	MOVQ    CX, PREFETCH                      \
	MOVQ    COLUMN, R11                       \
	MOVQ    ROW, R12                          \
	MOVQ    IGemmF32Args_CStride(DI), CX      \
	MOVQ    CX, R8                            \
	IMULQ   R12, R8                           \
	ADDQ    R11, R8                           \
	ADDQ    IGemmF32Args_C(DI), R8            \
	MOVQ    rows-8(SP), R10                   \
	MOVQ    IGemmF32Args_ResStride(DI), DX    \
	IMULQ   DX, R12                           \
	MOVQ    IGemmF32Args_Res(DI), R9          \
	LEAQ    (R9)(R11*1), AX                   \
	ADDQ    R12, AX                           \
	TESTQ   R9, R9                            \
	CMOVQNE AX, R9                            \
	ADDQ    IGemmF32Args_Bias(DI), R11        \
	VBROADCASTSS IGemmF32Args_Lo(DI), Z30     \
	VBROADCASTSS IGemmF32Args_Hi(DI), Z31

// CLAMP bounds v; a NaN is the operand that VMAXPS and VMINPS return.
#define CLAMP(v) \
	VMAXPS v, Z30, v \
	VMINPS v, Z31, v

// STORE3, STORE2 and STORE1 finish a row of so many panels, whose bias is in Z24,
// Z25 and Z26 and whose columns K1, K2 and K3 name.
#define STORE3(v0, v1, v2, nores, done) \
	VADDPS  Z24, v0, v0           \
	VADDPS  Z25, v1, v1           \
	VADDPS  Z26, v2, v2           \
	TESTQ   R9, R9                \
	JZ      nores                 \
	VADDPS  (R9), v0, K1, v0      \
	VADDPS  64(R9), v1, K2, v1    \
	VADDPS  128(R9), v2, K3, v2   \
	ADDQ    DX, R9                \
nores:                            \
	CLAMP(v0)                     \
	CLAMP(v1)                     \
	CLAMP(v2)                     \
	VMOVUPS v0, K1, (R8)          \
	VMOVUPS v1, K2, 64(R8)        \
	VMOVUPS v2, K3, 128(R8)       \
	ADDQ    CX, R8                \
	DECQ    R10                   \
	JZ      done

#define STORE2(v0, v1, nores, done) \
	VADDPS  Z24, v0, v0        \
	VADDPS  Z25, v1, v1        \
	TESTQ   R9, R9             \
	JZ      nores              \
	VADDPS  (R9), v0, K1, v0   \
	VADDPS  64(R9), v1, K2, v1 \
	ADDQ    DX, R9             \
nores:                         \
	CLAMP(v0)                  \
	CLAMP(v1)                  \
	VMOVUPS v0, K1, (R8)       \
	VMOVUPS v1, K2, 64(R8)     \
	ADDQ    CX, R8             \
	DECQ    R10                \
	JZ      done

#define STORE1(v0, nores, done) \
	VADDPS  Z24, v0, v0      \
	TESTQ   R9, R9           \
	JZ      nores            \
	VADDPS  (R9), v0, K1, v0 \
	ADDQ    DX, R9           \
nores:                       \
	CLAMP(v0)                \
	VMOVUPS v0, K1, (R8)     \
	ADDQ    CX, R8           \
	DECQ    R10              \
	JZ      done

// func igemmF32AVX512(args *IGemmF32Args)
//
// DI args, SI first panel, BP bytes from one panel to the next. In the depth loop: AX the offsets of a
// position's rows, CX the prefetch pointer, R8-R15 the rows, BX the byte offset into them, DX depths left.
TEXT ·igemmF32AVX512(SB), NOSPLIT, $120-8
	MOVQ  args+0(FP), DI
	MOVQ  $0, ROW
	MOVQ  IGemmF32Args_KC(DI), BP
	IMULQ IGemmF32Args_KS(DI), BP
	SHLQ  $6, BP
	ADDQ  IGemmF32Args_BGap(DI), BP
	FIRSTTILE(DX, fill, walking)
	MOVQ  DX, PREFETCH

tile:
	STARTTILE(part, repeat, started)
	MOVQ  IGemmF32Args_B(DI), SI
	MOVQ  $0, COLUMN
	MOVQ  IGemmF32Args_N(DI), DX
	MOVQ  DX, LEFT

panels:
	// Three panels at a time; four are two and two, so that no single one is left.
	MOVQ PREFETCH, CX
	PREFETCHING(CX, AX)
	MOVQ IGemmF32Args_KS(DI), AX
	MOVQ AX, POSITIONS
	MOVQ offsets-32(SP), AX
	MOVQ rows-8(SP), BX
	ZERO8(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)
	MOVQ LEFT, DX
	CMPQ DX, $16
	JLE  one
	ZERO8(Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15)
	CMPQ DX, $32
	JLE  two
	CMPQ DX, $64
	JGT  three
	CMPQ DX, $48
	JGT  two

three:
	ZERO8(Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23)
	CMPQ BX, $4
	JGT  position3x8
	CMPQ BX, $1
	JGT  position3x4
	MULTIPLY(position3x1, depth3x1, rest3x1, next3x1, LOADROWS1, AHEAD3, STEP3X1, finish3)
	MULTIPLY(position3x4, depth3x4, rest3x4, next3x4, LOADROWS4, AHEAD3, STEP3X4, finish3)
	MULTIPLY(position3x8, depth3x8, rest3x8, next3x8, LOADROWS8, AHEAD3, STEP3X8, finish3)

finish3:
	// SI has passed the positions of the first of the three panels.
	LEAQ    (SI)(BP*2), SI
	ADDQ    IGemmF32Args_BGap(DI), SI
	EPILOGUE
	MOVQ    LEFT, AX
	KXNORW  K1, K1, K1
	KXNORW  K2, K2, K2
	KXNORW  K3, K3, K3
	CMPQ    AX, $48
	JGE     full3
	SUBQ    $32, AX
	MOVL    $-1, BX
	BZHIL   AX, BX, BX
	KMOVW   BX, K3

full3:
	VMOVUPS (R11), Z24
	VMOVUPS 64(R11), Z25
	VMOVUPS 128(R11), Z26
	STORE3(Z0, Z8, Z16, r30, stored3)
	STORE3(Z1, Z9, Z17, r31, stored3)
	STORE3(Z2, Z10, Z18, r32, stored3)
	STORE3(Z3, Z11, Z19, r33, stored3)
	STORE3(Z4, Z12, Z20, r34, stored3)
	STORE3(Z5, Z13, Z21, r35, stored3)
	STORE3(Z6, Z14, Z22, r36, stored3)
	STORE3(Z7, Z15, Z23, r37, stored3)

stored3:
	ADDQ $192, COLUMN
	SUBQ $48, LEFT
	JGT  panels
	JMP  nextTile

two:
	CMPQ DX, $24
	JLE  columns24
	CMPQ BX, $4
	JGT  position2x8
	CMPQ BX, $1
	JGT  position2x4
	MULTIPLY(position2x1, depth2x1, rest2x1, next2x1, LOADROWS1, AHEAD2, STEP2X1, finish2)
	MULTIPLY(position2x4, depth2x4, rest2x4, next2x4, LOADROWS4, AHEAD2, STEP2X4, finish2)
	MULTIPLY(position2x8, depth2x8, rest2x8, next2x8, LOADROWS8, AHEAD2, STEP2X8, finish2)

columns24:
	CMPQ BX, $4
	JGT  position24x8
	CMPQ BX, $1
	JGT  position24x4
	MULTIPLY(position24x1, depth24x1, rest24x1, next24x1, LOADROWS1, AHEAD2, STEP24X1, finish2)
	MULTIPLY(position24x4, depth24x4, rest24x4, next24x4, LOADROWS4, AHEAD2, STEP24X4, finish2)
	MULTIPLY(position24x8, depth24x8, rest24x8, next24x8, LOADROWS8, AHEAD2, STEP24X8, finish2)

finish2:
	ADDQ    BP, SI
	ADDQ    IGemmF32Args_BGap(DI), SI
	EPILOGUE
	MOVQ    LEFT, AX
	KXNORW  K1, K1, K1
	KXNORW  K2, K2, K2
	CMPQ    AX, $32
	JGE     full2
	SUBQ    $16, AX
	MOVL    $-1, BX
	BZHIL   AX, BX, BX
	KMOVW   BX, K2

full2:
	VMOVUPS (R11), Z24
	VMOVUPS 64(R11), Z25
	STORE2(Z0, Z8, r20, stored2)
	STORE2(Z1, Z9, r21, stored2)
	STORE2(Z2, Z10, r22, stored2)
	STORE2(Z3, Z11, r23, stored2)
	STORE2(Z4, Z12, r24, stored2)
	STORE2(Z5, Z13, r25, stored2)
	STORE2(Z6, Z14, r26, stored2)
	STORE2(Z7, Z15, r27, stored2)

stored2:
	ADDQ $128, COLUMN
	SUBQ $32, LEFT
	JGT  panels
	JMP  nextTile

one:
	CMPQ BX, $4
	JGT  position1x8
	CMPQ BX, $1
	JGT  position1x4
	MULTIPLY(position1x1, depth1x1, rest1x1, next1x1, LOADROWS1, AHEAD1, STEP1X1, finish1)
	MULTIPLY(position1x4, depth1x4, rest1x4, next1x4, LOADROWS4, AHEAD1, STEP1X4, finish1)
	MULTIPLY(position1x8, depth1x8, rest1x8, next1x8, LOADROWS8, AHEAD1, STEP1X8, finish1)

finish1:
	// A single panel is always the last.
	EPILOGUE
	MOVQ    LEFT, AX
	MOVL    $-1, BX
	BZHIL   AX, BX, BX
	KMOVW   BX, K1
	VMOVUPS (R11), Z24
	STORE1(Z0, r10, stored1)
	STORE1(Z1, r11, stored1)
	STORE1(Z2, r12, stored1)
	STORE1(Z3, r13, stored1)
	STORE1(Z4, r14, stored1)
	STORE1(Z5, r15, stored1)
	STORE1(Z6, r16, stored1)
	STORE1(Z7, r17, stored1)

stored1:
nextTile:
	ADDQ $TILEROWS, ROW
	NEXTTILE(tile, strided, done)

done:
	VZEROUPPER
	RET
