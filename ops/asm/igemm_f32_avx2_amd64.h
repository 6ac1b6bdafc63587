// What the float32 igemm kernels of AVX2 share: sums of a 6 x 16 tile in Y0 to Y11, row r in Y(2r) and Y(2r+1), and how they become
// outputs. DI: args, R14: byte offset of the panel's columns, R15: columns left.
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

// STEP6X8 is one depth of six rows by the first eight columns of a panel.
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
