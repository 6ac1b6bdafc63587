// The body of func igemmU8S8AVX512*(args *IGemmU8S8Args, output igemmOutput): a tile of 6
// rows by up to 4 panels of 16 columns. Row r and panel p accumulate in Z(4r+p).
// Scratch holds the finished accumulators, SPILL bytes, where one loop over rows
// makes outputs of them, if not all of them become bytes in place. A kernel defines, besides the name IGEMM_U8S8,
//
//	PREPARE                  what is done once per tile; DI and BP are kept
//	START                    what is done per block: SI, R14 and R15 are its own; R14 = KS, R15 = KC, DX = their product
//	WEIGHTS1, 2, 4(off)      loads the weights of 1, 2 or 4 panels at BX; DX: distance of panels, CX: 3*DX
//	ROW1, 2, 4(off, a, z, c) adds the products of a row to the sums c of its panels; z may be used
//	MULTIPLY(position, depth, pixels, weights, rows)
//	                         the loop over all depths with these macros, then a jump to multiplied; AX counts bytes of a row
#define SPILL 1536

// The rows of a tile; row r's bytes are at R8 to R13 plus AX plus off.
#define PANELS1ROWS1(off) ROW1(off, R8, Z28, Z0)
#define PANELS1ROWS2(off) PANELS1ROWS1(off); ROW1(off, R9, Z29, Z4)
#define PANELS1ROWS4(off) PANELS1ROWS2(off); ROW1(off, R10, Z28, Z8); ROW1(off, R11, Z29, Z12)
#define PANELS1ROWS6(off) PANELS1ROWS4(off); ROW1(off, R12, Z28, Z16); ROW1(off, R13, Z29, Z20)
#define PANELS2ROWS1(off) ROW2(off, R8, Z28, Z0, Z1)
#define PANELS2ROWS2(off) PANELS2ROWS1(off); ROW2(off, R9, Z29, Z4, Z5)
#define PANELS2ROWS4(off) PANELS2ROWS2(off); ROW2(off, R10, Z28, Z8, Z9); ROW2(off, R11, Z29, Z12, Z13)
#define PANELS2ROWS6(off) PANELS2ROWS4(off); ROW2(off, R12, Z28, Z16, Z17); ROW2(off, R13, Z29, Z20, Z21)
#define PANELS4ROWS1(off) ROW4(off, R8, Z28, Z0, Z1, Z2, Z3)
#define PANELS4ROWS2(off) PANELS4ROWS1(off); ROW4(off, R9, Z29, Z4, Z5, Z6, Z7)
#define PANELS4ROWS4(off) PANELS4ROWS2(off); ROW4(off, R10, Z28, Z8, Z9, Z10, Z11); ROW4(off, R11, Z29, Z12, Z13, Z14, Z15)
#define PANELS4ROWS6(off) PANELS4ROWS4(off); ROW4(off, R12, Z28, Z16, Z17, Z18, Z19); ROW4(off, R13, Z29, Z20, Z21, Z22, Z23)

// PIXELS points at the rows of the position at SI.
#define PIXELS1 PIXEL(0, SI, R8)
#define PIXELS2 PIXELS1; PIXEL(1, SI, R9)
#define PIXELS4 PIXELS2; PIXEL(2, SI, R10); PIXEL(3, SI, R11)
#define PIXELS6 PIXELS4; PIXEL(4, SI, R12); PIXEL(5, SI, R13)

// BIAS4 copies the first row's accumulators into another row.
#define BIAS4(c0, c1, c2, c3) \
	VMOVDQA64 Z0, c0; \
	VMOVDQA64 Z1, c1; \
	VMOVDQA64 Z2, c2; \
	VMOVDQA64 Z3, c3

// SPILL4 stores a row.
#define SPILL4(off, c0, c1, c2, c3) \
	VMOVDQU32 c0, off(SI); \
	VMOVDQU32 c1, off+64(SI); \
	VMOVDQU32 c2, off+128(SI); \
	VMOVDQU32 c3, off+192(SI)

// QUANTIZE scales a panel's accumulators into c, adds the residual if R9 is
// set and rounds. mask: its columns; BX is set where pre is to be added.
#define QUANTIZE(off, pre, mult, mask, c, exact, added) \
	VCVTDQ2PS   off(SI), c; \
	TESTQ       BX, BX; \
	JZ          exact; \
	VADDPS      pre, c, c; \
exact: \
	VMULPS      mult, c, c; \
	TESTQ       R9, R9; \
	JZ          added; \
	VPMOVZXBD.Z (off/4)(R9), mask, Z12; \
	VPSUBD      Z21, Z12, Z12; \
	VCVTDQ2PS   Z12, Z12; \
	VMULPS      Z22, Z12, Z12; \
	VADDPS      Z12, c, c; \
added: \
	VCVTPS2DQ   c, c

// DIRECT makes bytes of a row of four whole panels where their accumulators are. AX: Mult of the columns,
// DX: the row of the output, R13: rows left; Z28 Lo, Z29 Hi, Z30 Zero, Z31 the order of the packed dwords.
#define SCALE4(c0, c1, c2, c3) \
	VCVTDQ2PS c0, c0; \
	VCVTDQ2PS c1, c1; \
	VCVTDQ2PS c2, c2; \
	VCVTDQ2PS c3, c3; \
	VMULPS    0(AX), c0, c0; \
	VMULPS    64(AX), c1, c1; \
	VMULPS    128(AX), c2, c2; \
	VMULPS    192(AX), c3, c3

#define STORE4(c0, c1, c2, c3) \
	VCVTPS2DQ c0, c0; \
	VCVTPS2DQ c1, c1; \
	VCVTPS2DQ c2, c2; \
	VCVTPS2DQ c3, c3; \
	VPACKSSDW c1, c0, c0; \
	VPACKSSDW c3, c2, c2; \
	VPADDSW   Z30, c0, c0; \
	VPADDSW   Z30, c2, c2; \
	VPACKUSWB c2, c0, c0; \
	VPERMD    c0, Z31, c0; \
	VPMAXUB   Z28, c0, c0; \
	VPMINUB   Z29, c0, c0; \
	VMOVDQU8  c0, (DX); \
	ADDQ      R12, DX; \
	DECQ      R13; \
	JZ        nextBlock

#define DIRECT(c0, c1, c2, c3) \
	SCALE4(c0, c1, c2, c3); \
	STORE4(c0, c1, c2, c3)

// RESIDUAL makes t of what the residual adds to a panel; R9: the row of the residual.
#define RESIDUAL(off, t) \
	VPMOVZXBD   off(R9), t; \
	VPSUBD.BCST IGemmU8S8Args_ResZero(DI), t, t; \
	VCVTDQ2PS   t, t; \
	VMULPS.BCST IGemmU8S8Args_ResMult(DI), t, t

#define DIRECTRESIDUAL(c0, c1, c2, c3) \
	RESIDUAL(0, Z24); \
	RESIDUAL(16, Z25); \
	RESIDUAL(32, Z26); \
	RESIDUAL(48, Z27); \
	ADDQ   R11, R9; \
	SCALE4(c0, c1, c2, c3); \
	VADDPS Z24, c0, c0; \
	VADDPS Z25, c1, c1; \
	VADDPS Z26, c2, c2; \
	VADDPS Z27, c3, c3; \
	STORE4(c0, c1, c2, c3)

// DEQUANTIZE makes floats of a panel's accumulators: Z16 and Z17 are the bounds, Z18 the
// scale of the row. A NaN is the operand that VMAXPS and VMINPS return.
#define DEQUANTIZE(off, pre, mult, post, mask, added) \
	VCVTDQ2PS off(SI), Z0; \
	VADDPS    pre, Z0, Z0; \
	VMULPS    Z18, mult, Z1; \
	VMULPS    Z1, Z0, Z0; \
	VADDPS    post, Z0, Z0; \
	TESTQ     R9, R9; \
	JZ        added; \
	VADDPS    off(R9), Z0, mask, Z0; \
added: \
	VMAXPS    Z0, Z17, Z0; \
	VMINPS    Z0, Z16, Z0; \
	VMOVUPS   Z0, mask, off(DX)

// COLUMNS4 loads what there is for each column from field, or 0 where that is nil; R10 is the first column.
#define COLUMNS4(field, tmp, v0, v1, v2, v3, loaded) \
	VPXORD      v0, v0, v0; \
	VPXORD      v1, v1, v1; \
	VPXORD      v2, v2, v2; \
	VPXORD      v3, v3, v3; \
	MOVQ        field(DI), tmp; \
	TESTQ       tmp, tmp; \
	JZ          loaded; \
	LEAQ        (tmp)(R10*4), tmp; \
	VMOVDQU32.Z 0(tmp), K1, v0; \
	VMOVDQU32.Z 64(tmp), K2, v1; \
	VMOVDQU32.Z 128(tmp), K3, v2; \
	VMOVDQU32.Z 192(tmp), K4, v3; \
loaded:

// The state of the walk over tiles, further down the frame than that of igemm_tiles_amd64.h:
// first column of the block, its weights and panels, first row of the tile.
#define COLUMN column-88(SP)
#define WEIGHTS weights-96(SP)
#define PANELS panels-104(SP)
#define ROW row-112(SP)

TEXT IGEMM_U8S8(SB), NOSPLIT, $120-9
	MOVQ args+0(FP), DI
	MOVQ $0, ROW
	FIRSTTILE(BP, fill, walking)

tile:
	STARTTILE(part, repeat, started)
	PREPARE
	MOVQ $0, COLUMN
	MOVQ IGemmU8S8Args_B(DI), BX
	MOVQ BX, WEIGHTS

block:
	// DX = bytes from one panel to the next; R11 = panels of this block: 4, 2 or 1.
	PREFETCHING(BP, AX)
	MOVQ  IGemmU8S8Args_KS(DI), R14
	MOVQ  IGemmU8S8Args_KC(DI), R15
	MOVQ  R14, DX
	IMULQ R15, DX
	START
	SHLQ  $4, DX
	ADDQ  IGemmU8S8Args_BGap(DI), DX
	LEAQ  (DX)(DX*2), CX
	MOVQ  COLUMN, R10
	MOVQ  IGemmU8S8Args_N(DI), R11
	SUBQ  R10, R11
	ADDQ  $15, R11
	SHRQ  $4, R11
	MOVQ  $1, R8
	CMPQ  R11, $2
	JLT   sized
	MOVQ  $2, R8
	CMPQ  R11, $4
	JLT   sized
	MOVQ  $4, R8

sized:
	MOVQ R8, PANELS

	// Start from the bias.
	MOVQ      IGemmU8S8Args_Bias(DI), AX
	LEAQ      (AX)(R10*4), AX
	MOVQ      rows-8(SP), R9
	VMOVDQU32 (AX), Z0
	CMPQ      R8, $2
	JLT       biased
	VMOVDQU32 64(AX), Z1
	JEQ       biased
	VMOVDQU32 128(AX), Z2
	VMOVDQU32 192(AX), Z3

biased:
	BIAS4(Z4, Z5, Z6, Z7)
	BIAS4(Z8, Z9, Z10, Z11)
	BIAS4(Z12, Z13, Z14, Z15)
	BIAS4(Z16, Z17, Z18, Z19)
	BIAS4(Z20, Z21, Z22, Z23)

	// Multiply: one loop per number of panels and of rows.
	CMPQ R8, $2
	JLT  panels1
	JEQ  panels2
	CMPQ R9, $2
	JLT  panels4rows1
	JEQ  panels4rows2
	CMPQ R9, $4
	JLE  panels4rows4
	MULTIPLY(panels4rows6, panels4rows6depth, PIXELS6, WEIGHTS4, PANELS4ROWS6)
	MULTIPLY(panels4rows4, panels4rows4depth, PIXELS4, WEIGHTS4, PANELS4ROWS4)
	MULTIPLY(panels4rows2, panels4rows2depth, PIXELS2, WEIGHTS4, PANELS4ROWS2)
	MULTIPLY(panels4rows1, panels4rows1depth, PIXELS1, WEIGHTS4, PANELS4ROWS1)

panels2:
	CMPQ R9, $2
	JLT  panels2rows1
	JEQ  panels2rows2
	CMPQ R9, $4
	JLE  panels2rows4
	MULTIPLY(panels2rows6, panels2rows6depth, PIXELS6, WEIGHTS2, PANELS2ROWS6)
	MULTIPLY(panels2rows4, panels2rows4depth, PIXELS4, WEIGHTS2, PANELS2ROWS4)
	MULTIPLY(panels2rows2, panels2rows2depth, PIXELS2, WEIGHTS2, PANELS2ROWS2)
	MULTIPLY(panels2rows1, panels2rows1depth, PIXELS1, WEIGHTS2, PANELS2ROWS1)

panels1:
	CMPQ R9, $2
	JLT  panels1rows1
	JEQ  panels1rows2
	CMPQ R9, $4
	JLE  panels1rows4
	MULTIPLY(panels1rows6, panels1rows6depth, PIXELS6, WEIGHTS1, PANELS1ROWS6)
	MULTIPLY(panels1rows4, panels1rows4depth, PIXELS4, WEIGHTS1, PANELS1ROWS4)
	MULTIPLY(panels1rows2, panels1rows2depth, PIXELS2, WEIGHTS1, PANELS1ROWS2)
	MULTIPLY(panels1rows1, panels1rows1depth, PIXELS1, WEIGHTS1, PANELS1ROWS1)

multiplied:
	// Four panels of bytes that need no more than their bias need no scratch either.
	MOVQ PANELS, R8
	MOVQ COLUMN, R10
	MOVQ rows-8(SP), R13
	MOVQ ROW, R14
	MOVQ IGemmU8S8Args_N(DI), CX
	SUBQ R10, CX
	CMPQ CX, $64
	JLT  spill
	CMPB output+8(FP), $const_outputUint8
	JNE  spill
	MOVQ IGemmU8S8Args_PreBias(DI), AX
	ORQ  IGemmU8S8Args_ASum(DI), AX
	JNZ  spill

	MOVQ         IGemmU8S8Args_CStride(DI), R12
	MOVQ         R12, DX
	IMULQ        R14, DX
	ADDQ         IGemmU8S8Args_C(DI), DX
	ADDQ         R10, DX
	MOVQ         IGemmU8S8Args_Mult(DI), AX
	LEAQ         (AX)(R10*4), AX
	VPBROADCASTB IGemmU8S8Args_Lo(DI), Z28
	VPBROADCASTB IGemmU8S8Args_Hi(DI), Z29
	VPBROADCASTW IGemmU8S8Args_Zero(DI), Z30
	VMOVDQU32    ·panelOrder<>(SB), Z31
	MOVQ         IGemmU8S8Args_Res(DI), R9
	TESTQ        R9, R9
	JNZ          directResidual
	DIRECT(Z0, Z1, Z2, Z3)
	DIRECT(Z4, Z5, Z6, Z7)
	DIRECT(Z8, Z9, Z10, Z11)
	DIRECT(Z12, Z13, Z14, Z15)
	DIRECT(Z16, Z17, Z18, Z19)
	DIRECT(Z20, Z21, Z22, Z23)

directResidual:
	MOVQ  IGemmU8S8Args_ResStride(DI), R11
	IMULQ R11, R14
	ADDQ  R10, R9
	ADDQ  R14, R9
	DIRECTRESIDUAL(Z0, Z1, Z2, Z3)
	DIRECTRESIDUAL(Z4, Z5, Z6, Z7)
	DIRECTRESIDUAL(Z8, Z9, Z10, Z11)
	DIRECTRESIDUAL(Z12, Z13, Z14, Z15)
	DIRECTRESIDUAL(Z16, Z17, Z18, Z19)
	DIRECTRESIDUAL(Z20, Z21, Z22, Z23)

spill:
	MOVQ IGemmU8S8Args_Scratch(DI), SI
	SPILL4(0, Z0, Z1, Z2, Z3)
	SPILL4(256, Z4, Z5, Z6, Z7)
	SPILL4(512, Z8, Z9, Z10, Z11)
	SPILL4(768, Z12, Z13, Z14, Z15)
	SPILL4(1024, Z16, Z17, Z18, Z19)
	SPILL4(1280, Z20, Z21, Z22, Z23)

	// From here: R8 panels of this block, R10 first column, R13 rows left, R14 row of the output;
	// K5 the columns that exist, K1 to K4 those of each panel.
	MOVQ     R8, AX
	SHLQ     $4, AX
	CMPQ     CX, AX
	CMOVQGT  AX, CX
	MOVQ     $-1, AX
	BZHIQ    CX, AX, AX
	KMOVQ    AX, K5
	KMOVQ    K5, K1
	KSHIFTRQ $16, K5, K2
	KSHIFTRQ $32, K5, K3
	KSHIFTRQ $48, K5, K4

	// Weight zero points: subtract ASum[m]*WZero[n].
	MOVQ        IGemmU8S8Args_ASum(DI), AX
	TESTQ       AX, AX
	JZ          finish
	LEAQ        (AX)(R14*4), AX
	MOVQ        IGemmU8S8Args_WZero(DI), DX
	LEAQ        (DX)(R10*4), DX
	VMOVDQU32.Z 0(DX), K1, Z4
	VMOVDQU32.Z 64(DX), K2, Z5
	VMOVDQU32.Z 128(DX), K3, Z6
	VMOVDQU32.Z 192(DX), K4, Z7
	XORL        CX, CX

compensate:
	VPBROADCASTD (AX)(CX*4), Z8
	VPMULLD      Z8, Z4, Z12
	VPMULLD      Z8, Z5, Z13
	VPMULLD      Z8, Z6, Z14
	VPMULLD      Z8, Z7, Z15
	VMOVDQU32    0(SI), Z0
	VMOVDQU32    64(SI), Z1
	VMOVDQU32    128(SI), Z2
	VMOVDQU32    192(SI), Z3
	VPSUBD       Z12, Z0, Z0
	VPSUBD       Z13, Z1, Z1
	VPSUBD       Z14, Z2, Z2
	VPSUBD       Z15, Z3, Z3
	SPILL4(0, Z0, Z1, Z2, Z3)
	ADDQ         $256, SI
	INCQ         CX
	CMPQ         CX, R13
	JLT          compensate
	MOVQ         IGemmU8S8Args_Scratch(DI), SI

finish:
	// DX = output of the tile's first row, R12 = distance of rows; R9 = its residual or 0, R11 = distance of those.
	MOVQ    IGemmU8S8Args_CStride(DI), R12
	MOVQ    R12, DX
	IMULQ   R14, DX
	ADDQ    IGemmU8S8Args_C(DI), DX
	CMPB    output+8(FP), $const_outputInt32
	JEQ     store32
	MOVQ    IGemmU8S8Args_ResStride(DI), R11
	MOVQ    R11, AX
	IMULQ   R14, AX
	MOVQ    IGemmU8S8Args_Res(DI), R9
	ADDQ    R9, AX
	TESTQ   R9, R9
	CMOVQNE AX, R9
	CMOVQEQ R9, R11
	CMPB    output+8(FP), $const_outputFloat32
	JEQ     dequantize

	// Constants: Z4 to Z7 Mult, Z24 to Z27 PreBias, Z16 Hi, Z18 Zero, Z19 Lo, Z20 the order of the packed dwords,
	// Z21 ResZero, Z22 ResMult.
	COLUMNS4(IGemmU8S8Args_Mult, AX, Z4, Z5, Z6, Z7, mult)
	COLUMNS4(IGemmU8S8Args_PreBias, BX, Z24, Z25, Z26, Z27, pre)
	VPBROADCASTB IGemmU8S8Args_Hi(DI), Z16
	VPBROADCASTW IGemmU8S8Args_Zero(DI), Z18
	VPBROADCASTB IGemmU8S8Args_Lo(DI), Z19
	VMOVDQU32    ·panelOrder<>(SB), Z20
	VPBROADCASTD IGemmU8S8Args_ResZero(DI), Z21
	VBROADCASTSS IGemmU8S8Args_ResMult(DI), Z22
	ADDQ         R10, DX
	LEAQ         (R9)(R10*1), AX
	TESTQ        R9, R9
	CMOVQNE      AX, R9

	// Quantize a row. A block of fewer panels leaves the registers of the others
	// as they are: the mask drops what is made of them.
quantize:
	QUANTIZE(0, Z24, Z4, K1, Z0, exact0, added0)
	CMPQ R8, $2
	JLT  pack
	QUANTIZE(64, Z25, Z5, K2, Z1, exact1, added1)
	CMPQ R8, $2
	JEQ  pack
	QUANTIZE(128, Z26, Z6, K3, Z2, exact2, added2)
	QUANTIZE(192, Z27, Z7, K4, Z3, exact3, added3)

pack:
	// The packs saturate, so the bounds can wait for the bytes.
	VPACKSSDW Z1, Z0, Z8
	VPACKSSDW Z3, Z2, Z9
	VPADDSW   Z18, Z8, Z8
	VPADDSW   Z18, Z9, Z9
	VPACKUSWB Z9, Z8, Z8
	VPERMD    Z8, Z20, Z8
	VPMAXUB   Z19, Z8, Z8
	VPMINUB   Z16, Z8, Z8
	VMOVDQU8  Z8, K5, (DX)
	ADDQ      $256, SI
	ADDQ      R11, R9
	ADDQ      R12, DX
	DECQ      R13
	JNZ       quantize

nextBlock:
	MOVQ  IGemmU8S8Args_KS(DI), AX
	IMULQ IGemmU8S8Args_KC(DI), AX
	MOVQ  R8, BX
	SHLQ  $4, BX
	ADDQ  BX, R10
	IMULQ AX, BX
	MOVQ  IGemmU8S8Args_BGap(DI), AX
	IMULQ R8, AX
	ADDQ  AX, BX
	ADDQ  BX, WEIGHTS
	MOVQ  WEIGHTS, BX
	MOVQ  R10, COLUMN
	CMPQ  R10, IGemmU8S8Args_N(DI)
	JLT   block
	ADDQ  $TILEROWS, ROW
	NEXTTILE(tile, strided, done)

done:
	VZEROUPPER
	RET

dequantize:
	// Float outputs: Z4 to Z7 Mult, Z8 to Z11 PostBias, Z24 to Z27 PreBias, Z16 and Z17 the bounds; AX the
	// scales of rows or 0.
	COLUMNS4(IGemmU8S8Args_Mult, AX, Z4, Z5, Z6, Z7, floatMult)
	COLUMNS4(IGemmU8S8Args_PreBias, BX, Z24, Z25, Z26, Z27, floatPre)
	COLUMNS4(IGemmU8S8Args_PostBias, BX, Z8, Z9, Z10, Z11, floatPost)
	VBROADCASTSS IGemmU8S8Args_FloatHi(DI), Z16
	VBROADCASTSS IGemmU8S8Args_FloatLo(DI), Z17
	VBROADCASTSS ·floatOne<>(SB), Z18
	LEAQ         (DX)(R10*4), DX
	LEAQ         (R9)(R10*4), AX
	TESTQ        R9, R9
	CMOVQNE      AX, R9
	MOVQ         IGemmU8S8Args_RowScale(DI), AX
	LEAQ         (AX)(R14*4), BX
	TESTQ        AX, AX
	CMOVQNE      BX, AX

dequantizeRow:
	TESTQ        AX, AX
	JZ           scaled
	VBROADCASTSS (AX), Z18
	ADDQ         $4, AX

scaled:
	DEQUANTIZE(0, Z24, Z4, Z8, K1, floatAdded0)
	CMPQ R8, $2
	JLT  rowStored
	DEQUANTIZE(64, Z25, Z5, Z9, K2, floatAdded1)
	CMPQ R8, $2
	JEQ  rowStored
	DEQUANTIZE(128, Z26, Z6, Z10, K3, floatAdded2)
	DEQUANTIZE(192, Z27, Z7, Z11, K4, floatAdded3)

rowStored:
	ADDQ $256, SI
	ADDQ R11, R9
	ADDQ R12, DX
	DECQ R13
	JNZ  dequantizeRow
	JMP  nextBlock

store32:
	// The accumulators themselves.
	LEAQ (DX)(R10*4), DX

store32Row:
	VMOVDQU32 0(SI), Z0
	VMOVDQU32 64(SI), Z1
	VMOVDQU32 128(SI), Z2
	VMOVDQU32 192(SI), Z3
	VMOVDQU32 Z0, K1, 0(DX)
	VMOVDQU32 Z1, K2, 64(DX)
	VMOVDQU32 Z2, K3, 128(DX)
	VMOVDQU32 Z3, K4, 192(DX)
	ADDQ      $256, SI
	ADDQ      R12, DX
	DECQ      R13
	JNZ       store32Row
	JMP       nextBlock

DATA ·floatOne<>+0(SB)/4, $0x3f800000
GLOBL ·floatOne<>(SB), RODATA|NOPTR, $4

// Packing four panels leaves in each 128-bit lane L four columns of each: dword p of lane L
// is part L of panel p.
DATA ·panelOrder<>+0(SB)/8, $0x0000000400000000
DATA ·panelOrder<>+8(SB)/8, $0x0000000c00000008
DATA ·panelOrder<>+16(SB)/8, $0x0000000500000001
DATA ·panelOrder<>+24(SB)/8, $0x0000000d00000009
DATA ·panelOrder<>+32(SB)/8, $0x0000000600000002
DATA ·panelOrder<>+40(SB)/8, $0x0000000e0000000a
DATA ·panelOrder<>+48(SB)/8, $0x0000000700000003
DATA ·panelOrder<>+56(SB)/8, $0x0000000f0000000b
GLOBL ·panelOrder<>(SB), RODATA|NOPTR, $64
