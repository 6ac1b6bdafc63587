// The body of the 6 x 16 kernels func winogradMultiplyS16*(args *WinogradMultiplyArgs), included in their TEXT: ROW0 to ROW5 add two
// depths of a row, whose accumulators are in Y(2r) and Y(2r+1). Y12, Y13: weights of columns 0-7, 8-15.
//
// DI args, R8 bytes of a row of V, R10 positions left, R11, R12, R13 the position in V, U and C, R14 rows left, DX the rows in C.

// WEIGHTS loads two depths of 16 columns.
#define WEIGHTS(off) \
	VMOVDQU off(BX), Y12; \
	VMOVDQU off+32(BX), Y13

// ADVANCE goes on by four depths: SI, R9 point to rows 0 and 3, CX counts.
#define ADVANCE(loop) \
	ADDQ $8, SI; \
	ADDQ $8, R9; \
	ADDQ $128, BX; \
	SUBQ $4, CX; \
	JNZ loop

// BEGIN begins a row with zeros, or with what C holds.
#define BEGIN(off, c0, c1) \
	VPAND off(DX), Y15, c0; \
	VPAND off+32(DX), Y15, c1

#define END(off, c0, c1) \
	VMOVDQU c0, off(DX); \
	VMOVDQU c1, off+32(DX)

	MOVQ args+0(FP), DI
	MOVQ WinogradMultiplyArgs_K(DI), R8
	ADDQ R8, R8
	MOVQ WinogradMultiplyArgs_Positions(DI), R10
	MOVQ WinogradMultiplyArgs_V(DI), R11
	MOVQ WinogradMultiplyArgs_U(DI), R12
	MOVQ WinogradMultiplyArgs_C(DI), R13

position:
	MOVQ WinogradMultiplyArgs_M(DI), R14
	MOVQ R11, AX
	MOVQ R13, DX

rows:
	// AX the first row, SI and R9 rows 0 and 3.
	MOVQ AX, SI
	LEAQ (R8)(R8*2), R9
	ADDQ SI, R9
	MOVQ R12, BX
	MOVQ WinogradMultiplyArgs_K(DI), CX
	VPXOR Y15, Y15, Y15
	CMPB WinogradMultiplyArgs_Add(DI), $0
	JEQ  begin
	VPCMPEQD Y15, Y15, Y15

begin:
	CMPQ R14, $6
	JGE  begin6
	CMPQ R14, $4
	JGE  begin4
	CMPQ R14, $2
	JGE  begin2
	BEGIN(0, Y0, Y1)

	PCALIGN $32
rows1:
	WEIGHTS(0)
	ROW0(0(SI))
	WEIGHTS(64)
	ROW0(4(SI))
	ADVANCE(rows1)
	END(0, Y0, Y1)
	JMP nextPosition

begin6:
	BEGIN(0, Y0, Y1)
	BEGIN(64, Y2, Y3)
	BEGIN(128, Y4, Y5)
	BEGIN(192, Y6, Y7)
	BEGIN(256, Y8, Y9)
	BEGIN(320, Y10, Y11)

	PCALIGN $32
rows6:
	WEIGHTS(0)
	ROW0(0(SI))
	ROW1(0(SI)(R8*1))
	ROW2(0(SI)(R8*2))
	ROW3(0(R9))
	ROW4(0(R9)(R8*1))
	ROW5(0(R9)(R8*2))
	WEIGHTS(64)
	ROW0(4(SI))
	ROW1(4(SI)(R8*1))
	ROW2(4(SI)(R8*2))
	ROW3(4(R9))
	ROW4(4(R9)(R8*1))
	ROW5(4(R9)(R8*2))
	ADVANCE(rows6)
	END(0, Y0, Y1)
	END(64, Y2, Y3)
	END(128, Y4, Y5)
	END(192, Y6, Y7)
	END(256, Y8, Y9)
	END(320, Y10, Y11)
	LEAQ (R8)(R8*2), CX
	LEAQ (AX)(CX*2), AX
	ADDQ $384, DX
	SUBQ $6, R14
	JNZ  rows
	JMP  nextPosition

begin4:
	BEGIN(0, Y0, Y1)
	BEGIN(64, Y2, Y3)
	BEGIN(128, Y4, Y5)
	BEGIN(192, Y6, Y7)

	PCALIGN $32
rows4:
	WEIGHTS(0)
	ROW0(0(SI))
	ROW1(0(SI)(R8*1))
	ROW2(0(SI)(R8*2))
	ROW3(0(R9))
	WEIGHTS(64)
	ROW0(4(SI))
	ROW1(4(SI)(R8*1))
	ROW2(4(SI)(R8*2))
	ROW3(4(R9))
	ADVANCE(rows4)
	END(0, Y0, Y1)
	END(64, Y2, Y3)
	END(128, Y4, Y5)
	END(192, Y6, Y7)
	LEAQ (AX)(R8*4), AX
	ADDQ $256, DX
	SUBQ $4, R14
	JNZ  rows
	JMP  nextPosition

begin2:
	BEGIN(0, Y0, Y1)
	BEGIN(64, Y2, Y3)

	PCALIGN $32
rows2:
	WEIGHTS(0)
	ROW0(0(SI))
	ROW1(0(SI)(R8*1))
	WEIGHTS(64)
	ROW0(4(SI))
	ROW1(4(SI)(R8*1))
	ADVANCE(rows2)
	END(0, Y0, Y1)
	END(64, Y2, Y3)
	LEAQ (AX)(R8*2), AX
	ADDQ $128, DX
	SUBQ $2, R14
	JNZ  rows

nextPosition:
	ADDQ WinogradMultiplyArgs_VStride(DI), R11
	ADDQ WinogradMultiplyArgs_UStride(DI), R12
	ADDQ WinogradMultiplyArgs_CStride(DI), R13
	DECQ R10
	JNZ  position
	VZEROUPPER
	RET
