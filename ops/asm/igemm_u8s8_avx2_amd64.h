// The end of the 6 x 16 kernels, included in their TEXT: the tile in Y0 to Y11, row
// r in Y(2r) and Y(2r+1), becomes outputs, then the next panel follows at the
// label panel, with its first column in R12, or the next tile at the label tile.
// Frame: 120 bytes, of which igemm_tiles_amd64.h has the first 80; arguments: args *IGemmU8S8Args,
// output igemmOutput. DI: args, R12: first column of the panel; BX, R8 and BP are kept.

#define TAIL tail-96(SP)
#define TILEROW row-104(SP)

// COLUMNS2 loads what there is for each column from field, or 0 where that is nil.
#define COLUMNS2(field, tmp, v0, v1, loaded) \
	VPXOR   v0, v0, v0; \
	VPXOR   v1, v1, v1; \
	MOVQ    field(DI), tmp; \
	TESTQ   tmp, tmp; \
	JZ      loaded; \
	VMOVDQU (tmp)(R12*4), v0; \
	VMOVDQU 32(tmp)(R12*4), v1; \
loaded:

	// Spill to scratch, 64 bytes per row, so that one loop over rows can finish it.
spill:
	MOVQ    IGemmU8S8Args_Scratch(DI), SI
	VMOVDQU Y0, 0(SI)
	VMOVDQU Y1, 32(SI)
	VMOVDQU Y2, 64(SI)
	VMOVDQU Y3, 96(SI)
	VMOVDQU Y4, 128(SI)
	VMOVDQU Y5, 160(SI)
	VMOVDQU Y6, 192(SI)
	VMOVDQU Y7, 224(SI)
	VMOVDQU Y8, 256(SI)
	VMOVDQU Y9, 288(SI)
	VMOVDQU Y10, 320(SI)
	VMOVDQU Y11, 352(SI)

	// Weight zero points: subtract ASum[m]*WZero[n].
	MOVQ    TILEROW, R14
	MOVQ    rows-8(SP), R13
	MOVQ    IGemmU8S8Args_ASum(DI), AX
	TESTQ   AX, AX
	JZ      finish
	LEAQ    (AX)(R14*4), AX
	MOVQ    IGemmU8S8Args_WZero(DI), DX
	VMOVDQU (DX)(R12*4), Y0
	VMOVDQU 32(DX)(R12*4), Y1
	XORL    CX, CX

compensate:
	VPBROADCASTD (AX)(CX*4), Y2
	VPMULLD      Y2, Y0, Y3
	VPMULLD      Y2, Y1, Y4
	VMOVDQU      0(SI), Y5
	VMOVDQU      32(SI), Y6
	VPSUBD       Y3, Y5, Y5
	VPSUBD       Y4, Y6, Y6
	VMOVDQU      Y5, 0(SI)
	VMOVDQU      Y6, 32(SI)
	ADDQ         $64, SI
	INCQ         CX
	CMPQ         CX, R13
	JLT          compensate
	MOVQ         IGemmU8S8Args_Scratch(DI), SI

finish:
	// CX = columns of this panel, DX = output of the tile's first row, R13 = rows left; R9 = its residual
	// or 0, R10 = distance of those.
	MOVQ    IGemmU8S8Args_N(DI), CX
	SUBQ    R12, CX
	MOVQ    IGemmU8S8Args_CStride(DI), DX
	IMULQ   R14, DX
	ADDQ    IGemmU8S8Args_C(DI), DX
	CMPB    output+8(FP), $const_outputInt32
	JEQ     store32
	MOVQ    IGemmU8S8Args_ResStride(DI), R10
	MOVQ    R10, AX
	IMULQ   R14, AX
	MOVQ    IGemmU8S8Args_Res(DI), R9
	ADDQ    R9, AX
	TESTQ   R9, R9
	CMOVQNE AX, R9
	CMOVQEQ R9, R10
	CMPB    output+8(FP), $const_outputFloat32
	JEQ     dequantize

	// Constants: Y0, Y1 Mult, Y2 Hi-Zero, X3 Zero, X4 Lo, Y5 ResZero, Y6 ResMult, Y11, Y12 PreBias, R14 whether there is one.
	COLUMNS2(IGemmU8S8Args_Mult, AX, Y0, Y1, mult)
	COLUMNS2(IGemmU8S8Args_PreBias, R14, Y11, Y12, pre)
	VPBROADCASTD IGemmU8S8Args_Hi(DI), Y2
	VPBROADCASTD IGemmU8S8Args_Zero(DI), Y3
	VPSUBD       Y3, Y2, Y2
	VCVTDQ2PS    Y2, Y2
	VPBROADCASTW IGemmU8S8Args_Zero(DI), Y3
	VPBROADCASTB IGemmU8S8Args_Lo(DI), X4
	VPBROADCASTD IGemmU8S8Args_ResZero(DI), Y5
	VBROADCASTSS IGemmU8S8Args_ResMult(DI), Y6
	ADDQ         R12, DX
	LEAQ         (R9)(R12*1), AX
	TESTQ        R9, R9
	CMOVQNE      AX, R9

quantize:
	VCVTDQ2PS 0(SI), Y8
	VCVTDQ2PS 32(SI), Y9
	TESTQ     R14, R14
	JZ        exact
	VADDPS    Y11, Y8, Y8
	VADDPS    Y12, Y9, Y9

exact:
	VMULPS    Y0, Y8, Y8
	VMULPS    Y1, Y9, Y9
	TESTQ     R9, R9
	JZ        clamp

	// Residual: whole panels read it in place, the last one through the stack.
	MOVQ R9, AX
	CMPQ CX, $16
	JGE  residual
	LEAQ TAIL, R11
	COPY(AX, R11, CX, R15, X10, copy8, copy4, copy2, copy1, copied)
	LEAQ TAIL, AX

residual:
	VPMOVZXBD 0(AX), Y10
	VPSUBD    Y5, Y10, Y10
	VCVTDQ2PS Y10, Y10
	VMULPS    Y6, Y10, Y10
	VADDPS    Y10, Y8, Y8
	VPMOVZXBD 8(AX), Y10
	VPSUBD    Y5, Y10, Y10
	VCVTDQ2PS Y10, Y10
	VMULPS    Y6, Y10, Y10
	VADDPS    Y10, Y9, Y9
	ADDQ      R10, R9

clamp:
	// The upper bound keeps the conversion from overflowing.
	VMINPS       Y2, Y8, Y8
	VMINPS       Y2, Y9, Y9
	VCVTPS2DQ    Y8, Y8
	VCVTPS2DQ    Y9, Y9
	PACK16(Y8, Y9, X8, X9, Y3, X4)
	CMPQ         CX, $16
	JLT          storeTail
	VMOVDQU      X8, (DX)

quantized:
	ADDQ $64, SI
	ADDQ IGemmU8S8Args_CStride(DI), DX
	DECQ R13
	JNZ  quantize

nextPanel:
	ADDQ IGemmU8S8Args_BGap(DI), BX
	ADDQ $16, R12
	CMPQ R12, IGemmU8S8Args_N(DI)
	JLT  panel
	ADDQ $TILEROWS, TILEROW
	NEXTTILE(tile, strided, done)

done:
	VZEROUPPER
	RET

storeTail:
	MOVQ   DX, AX
	TESTL  $8, CX
	JZ     store4
	VMOVQ  X8, (AX)
	VPSRLDQ $8, X8, X8
	ADDQ   $8, AX

store4:
	TESTL   $4, CX
	JZ      store2
	VMOVD   X8, (AX)
	VPSRLDQ $4, X8, X8
	ADDQ    $4, AX

store2:
	TESTL   $2, CX
	JZ      store1
	VPEXTRW $0, X8, (AX)
	VPSRLDQ $2, X8, X8
	ADDQ    $2, AX

store1:
	TESTL   $1, CX
	JZ      quantized
	VPEXTRB $0, X8, (AX)
	JMP     quantized

dequantize:
	// Float outputs: Y0, Y1 Mult, Y2, Y3 PreBias, Y4, Y5 PostBias, Y6, Y7 the masks of the columns that exist, Y11, Y12 the
	// bounds, Y13 the scale of the row; R14 the scales of rows or 0.
	COLUMNS2(IGemmU8S8Args_Mult, AX, Y0, Y1, floatMult)
	COLUMNS2(IGemmU8S8Args_PreBias, AX, Y2, Y3, floatPre)
	COLUMNS2(IGemmU8S8Args_PostBias, AX, Y4, Y5, floatPost)
	VMOVD        CX, X7
	VPBROADCASTD X7, Y7
	VPCMPGTD     ·columnIndex<>+0(SB), Y7, Y6
	VPCMPGTD     ·columnIndex<>+32(SB), Y7, Y7
	VBROADCASTSS IGemmU8S8Args_FloatHi(DI), Y11
	VBROADCASTSS IGemmU8S8Args_FloatLo(DI), Y12
	VBROADCASTSS ·floatOne<>(SB), Y13
	LEAQ         (DX)(R12*4), DX
	LEAQ         (R9)(R12*4), AX
	TESTQ        R9, R9
	CMOVQNE      AX, R9
	MOVQ         IGemmU8S8Args_RowScale(DI), AX
	LEAQ         (AX)(R14*4), R14
	TESTQ        AX, AX
	CMOVQEQ      AX, R14

dequantizeRow:
	TESTQ        R14, R14
	JZ           scaled
	VBROADCASTSS (R14), Y13
	ADDQ         $4, R14

scaled:
	VCVTDQ2PS  0(SI), Y8
	VCVTDQ2PS  32(SI), Y9
	VADDPS     Y2, Y8, Y8
	VADDPS     Y3, Y9, Y9
	VMULPS     Y13, Y0, Y10
	VMULPS     Y13, Y1, Y14
	VMULPS     Y10, Y8, Y8
	VMULPS     Y14, Y9, Y9
	VADDPS     Y4, Y8, Y8
	VADDPS     Y5, Y9, Y9
	TESTQ      R9, R9
	JZ         added
	VMASKMOVPS (R9), Y6, Y10
	VADDPS     Y10, Y8, Y8
	VMASKMOVPS 32(R9), Y7, Y10
	VADDPS     Y10, Y9, Y9
	ADDQ       R10, R9

added:
	// A NaN is the operand that VMAXPS and VMINPS return.
	VMAXPS  Y8, Y12, Y8
	VMAXPS  Y9, Y12, Y9
	VMINPS  Y8, Y11, Y8
	VMINPS  Y9, Y11, Y9
	CMPQ    CX, $16
	JLT     floatTail
	VMOVUPS Y8, 0(DX)
	VMOVUPS Y9, 32(DX)

floatStored:
	ADDQ $64, SI
	ADDQ IGemmU8S8Args_CStride(DI), DX
	DECQ R13
	JNZ  dequantizeRow
	JMP  nextPanel

floatTail:
	VMASKMOVPS Y8, Y6, 0(DX)
	VMASKMOVPS Y9, Y7, 32(DX)
	JMP        floatStored

store32:
	// The accumulators themselves; Y2, Y3 mask the columns that exist.
	LEAQ         (DX)(R12*4), DX
	VMOVD        CX, X2
	VPBROADCASTD X2, Y2
	VPCMPGTD     ·columnIndex<>+32(SB), Y2, Y3
	VPCMPGTD     ·columnIndex<>+0(SB), Y2, Y2

store32Row:
	VMOVDQU    0(SI), Y8
	VMOVDQU    32(SI), Y9
	CMPQ       CX, $16
	JLT        store32Tail
	VMOVDQU    Y8, 0(DX)
	VMOVDQU    Y9, 32(DX)

store32Next:
	ADDQ $64, SI
	ADDQ IGemmU8S8Args_CStride(DI), DX
	DECQ R13
	JNZ  store32Row
	JMP  nextPanel

store32Tail:
	VPMASKMOVD Y8, Y2, 0(DX)
	VPMASKMOVD Y9, Y3, 32(DX)
	JMP        store32Next

DATA ·floatOne<>+0(SB)/4, $0x3f800000
GLOBL ·floatOne<>(SB), RODATA|NOPTR, $4

// The numbers 0 to 15.
DATA ·columnIndex<>+0(SB)/8, $0x0000000100000000
DATA ·columnIndex<>+8(SB)/8, $0x0000000300000002
DATA ·columnIndex<>+16(SB)/8, $0x0000000500000004
DATA ·columnIndex<>+24(SB)/8, $0x0000000700000006
DATA ·columnIndex<>+32(SB)/8, $0x0000000900000008
DATA ·columnIndex<>+40(SB)/8, $0x0000000b0000000a
DATA ·columnIndex<>+48(SB)/8, $0x0000000d0000000c
DATA ·columnIndex<>+56(SB)/8, $0x0000000f0000000e
GLOBL ·columnIndex<>(SB), RODATA|NOPTR, $64
