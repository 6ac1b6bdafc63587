// The body of the 12 x 16 kernels func winogradMultiplyS16*(args *WinogradMultiplyArgs), included in their TEXT: MAC(a, weights, c)
// adds the products of two depths of a row to c, and may use Z26. Row r is summed in Z(r); of tiles of up to 6 rows every other pair of depths
// in Z(16+r), since a sum takes longer than a step.
//
// DI args, R8 bytes of a row of V, R10 positions left, R11, R12, R13 the position in V, U and C, R14 rows left, DX the rows in C.

// ROWS1 to ROWS12 add the depths off bytes from AX (rows 0 to 2), SI (3 to 5), R9 and R15.
#define ROWS1(off, w, c0) \
	MAC(off(AX), w, c0)
#define ROWS2(off, w, c0, c1) \
	ROWS1(off, w, c0); \
	MAC(off(AX)(R8*1), w, c1)
#define ROWS4(off, w, c0, c1, c2, c3) \
	ROWS2(off, w, c0, c1); \
	MAC(off(AX)(R8*2), w, c2); \
	MAC(off(SI), w, c3)
#define ROWS6(off, w, c0, c1, c2, c3, c4, c5) \
	ROWS4(off, w, c0, c1, c2, c3); \
	MAC(off(SI)(R8*1), w, c4); \
	MAC(off(SI)(R8*2), w, c5)
#define ROWS12(off, w) \
	ROWS6(off, w, Z0, Z1, Z2, Z3, Z4, Z5); \
	MAC(off(R9), w, Z6); \
	MAC(off(R9)(R8*1), w, Z7); \
	MAC(off(R9)(R8*2), w, Z8); \
	MAC(off(R15), w, Z9); \
	MAC(off(R15)(R8*1), w, Z10); \
	MAC(off(R15)(R8*2), w, Z11)

// WEIGHTS loads four depths of 16 columns.
#define WEIGHTS \
	VMOVDQU32 (BX), Z24; \
	VMOVDQU32 64(BX), Z25

// ADVANCE goes on by four depths; CX counts.
#define ADVANCE(loop) \
	ADDQ $8, AX; \
	ADDQ $8, SI; \
	ADDQ $128, BX; \
	SUBQ $4, CX; \
	JNZ loop

// BEGIN begins a row with zeros, or with what C holds.
#define BEGIN(off, c) VMOVDQU32.Z off(DX), K1, c

#define BEGIN2(off, c, odd) \
	BEGIN(off, c); \
	VPXORD odd, odd, odd

#define END(off, c) VMOVDQU32 c, off(DX)

#define END2(off, c, odd) \
	VPADDD odd, c, c; \
	END(off, c)

	MOVQ  args+0(FP), DI
	MOVQ  WinogradMultiplyArgs_K(DI), R8
	ADDQ  R8, R8
	MOVQ  WinogradMultiplyArgs_Positions(DI), R10
	MOVQ  WinogradMultiplyArgs_V(DI), R11
	MOVQ  WinogradMultiplyArgs_U(DI), R12
	MOVQ  WinogradMultiplyArgs_C(DI), R13
	KXORW K1, K1, K1
	CMPB  WinogradMultiplyArgs_Add(DI), $0
	JEQ   position
	KXNORW K1, K1, K1

position:
	MOVQ WinogradMultiplyArgs_M(DI), R14
	MOVQ R11, AX
	MOVQ R13, DX

rows:
	// A loop over depths moves each to the next row. AX the first row, SI, R9 and R15 rows 3, 6 and 9.
	LEAQ (R8)(R8*2), R15
	LEAQ (AX)(R15*1), SI
	LEAQ (AX)(R15*2), R9
	ADDQ R9, R15
	MOVQ R12, BX
	MOVQ WinogradMultiplyArgs_K(DI), CX
	CMPQ R14, $12
	JGE  begin12
	CMPQ R14, $6
	JGE  begin6
	CMPQ R14, $4
	JGE  begin4
	CMPQ R14, $2
	JGE  begin2
	BEGIN2(0, Z0, Z16)

	PCALIGN $32
rows1:
	WEIGHTS
	ROWS1(0, Z24, Z0)
	ROWS1(4, Z25, Z16)
	ADVANCE(rows1)
	END2(0, Z0, Z16)
	JMP nextPosition

begin12:
	BEGIN(0, Z0)
	BEGIN(64, Z1)
	BEGIN(128, Z2)
	BEGIN(192, Z3)
	BEGIN(256, Z4)
	BEGIN(320, Z5)
	BEGIN(384, Z6)
	BEGIN(448, Z7)
	BEGIN(512, Z8)
	BEGIN(576, Z9)
	BEGIN(640, Z10)
	BEGIN(704, Z11)

	PCALIGN $32
rows12:
	WEIGHTS
	ROWS12(0, Z24)
	ROWS12(4, Z25)
	ADDQ $8, R9
	ADDQ $8, R15
	ADVANCE(rows12)
	END(0, Z0)
	END(64, Z1)
	END(128, Z2)
	END(192, Z3)
	END(256, Z4)
	END(320, Z5)
	END(384, Z6)
	END(448, Z7)
	END(512, Z8)
	END(576, Z9)
	END(640, Z10)
	END(704, Z11)
	LEAQ (R15)(R8*2), AX
	ADDQ $768, DX
	SUBQ $12, R14
	JNZ  rows
	JMP  nextPosition

begin6:
	BEGIN2(0, Z0, Z16)
	BEGIN2(64, Z1, Z17)
	BEGIN2(128, Z2, Z18)
	BEGIN2(192, Z3, Z19)
	BEGIN2(256, Z4, Z20)
	BEGIN2(320, Z5, Z21)

	PCALIGN $32
rows6:
	WEIGHTS
	ROWS6(0, Z24, Z0, Z1, Z2, Z3, Z4, Z5)
	ROWS6(4, Z25, Z16, Z17, Z18, Z19, Z20, Z21)
	ADVANCE(rows6)
	END2(0, Z0, Z16)
	END2(64, Z1, Z17)
	END2(128, Z2, Z18)
	END2(192, Z3, Z19)
	END2(256, Z4, Z20)
	END2(320, Z5, Z21)
	LEAQ (SI)(R8*2), AX
	ADDQ $384, DX
	SUBQ $6, R14
	JNZ  rows
	JMP  nextPosition

begin4:
	BEGIN2(0, Z0, Z16)
	BEGIN2(64, Z1, Z17)
	BEGIN2(128, Z2, Z18)
	BEGIN2(192, Z3, Z19)

	PCALIGN $32
rows4:
	WEIGHTS
	ROWS4(0, Z24, Z0, Z1, Z2, Z3)
	ROWS4(4, Z25, Z16, Z17, Z18, Z19)
	ADVANCE(rows4)
	END2(0, Z0, Z16)
	END2(64, Z1, Z17)
	END2(128, Z2, Z18)
	END2(192, Z3, Z19)
	MOVQ SI, AX
	ADDQ $256, DX
	SUBQ $4, R14
	JNZ  rows
	JMP  nextPosition

begin2:
	BEGIN2(0, Z0, Z16)
	BEGIN2(64, Z1, Z17)

	PCALIGN $32
rows2:
	WEIGHTS
	ROWS2(0, Z24, Z0, Z1)
	ROWS2(4, Z25, Z16, Z17)
	ADVANCE(rows2)
	END2(0, Z0, Z16)
	END2(64, Z1, Z17)
	ADDQ R8, AX
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
