// The body of the 6 x 16 kernels that multiply bytes, four depths of a column side by side, included in their TEXT: ROWS1 to ROWS6 add
// four depths of the rows that R8 to R11, R14 and R15 point to, whose accumulators are in Y(2r) and Y(2r+1). AX counts
// bytes of depth; Y12, Y13: weights of columns 0-7 and 8-15.

// PIXELS points at the rows of the position at SI.
#define PIXELS1 PIXEL(0, SI, R8)
#define PIXELS2 PIXELS1; PIXEL(1, SI, R9)
#define PIXELS4 PIXELS2; PIXEL(2, SI, R10); PIXEL(3, SI, R11)
#define PIXELS6 PIXELS4; PIXEL(4, SI, R14); PIXEL(5, SI, R15)

// MULTIPLY is the whole loop over positions (SI to CX) and depths (DX bytes each).
#define MULTIPLY(position, depth, pixels, rows) \
position: \
	pixels; \
	XORL AX, AX; \
depth: \
	PREFETCHT0 (BP); \
	VMOVDQU 0(BX), Y12; \
	VMOVDQU 32(BX), Y13; \
	rows; \
	ADDQ step-48(SP), BP; \
	ADDQ $64, BX; \
	ADDQ $4, AX; \
	CMPQ AX, DX; \
	JLT  depth; \
	ADDQ $24, SI; \
	CMPQ SI, CX; \
	JLT  position

	MOVQ args+0(FP), DI
	MOVQ $0, row-104(SP)
	FIRSTTILE(BP, fill, walking)

tile:
	STARTTILE(part, repeat, started)

	// Panels of 16 columns: R12 = first column, BX = weights, R13 = rows of the tile.
	MOVQ IGemmU8S8Args_B(DI), BX
	XORL R12, R12

panel:
	// Start from the bias.
	PREFETCHING(BP, AX)
	MOVQ    rows-8(SP), R13
	MOVQ    offsets-32(SP), SI
	MOVQ    IGemmU8S8Args_KS(DI), CX
	LEAQ    (CX)(CX*2), CX
	LEAQ    (SI)(CX*8), CX
	MOVQ    IGemmU8S8Args_KC(DI), DX
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

	// Multiply: row r accumulates in Y(2r), Y(2r+1).
	CMPQ R13, $2
	JLT  rows1
	JEQ  rows2
	CMPQ R13, $4
	JLE  rows4
	MULTIPLY(rows6, rows6depth, PIXELS6, ROWS6)
	JMP  spill
	MULTIPLY(rows4, rows4depth, PIXELS4, ROWS4)
	JMP  spill
	MULTIPLY(rows2, rows2depth, PIXELS2, ROWS2)
	JMP  spill
	MULTIPLY(rows1, rows1depth, PIXELS1, ROWS1)

#include "igemm_u8s8_avx2_amd64.h"
