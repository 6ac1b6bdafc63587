// WIDEN turns the bytes of a tile's rows into int16, in scratch, for kernels that multiply
// with VPMADDWD. Behind SPILL bytes, scratch holds per row 2*KS*KC bytes of A and 64 bytes of
// distance that keep rows from sharing cache sets: 6*(2*KS*KC+ROWGAP) bytes.
//
// R8: distance of rows in scratch, R13: rows of the tile; both are kept for the caller. AX: offsets of a
// position, R9: its place in row 0, R11: in row R12; SI, BX: what is widened, DX: KC.
#define ROWGAP 64
#define WIDEN \
	MOVQ IGemmU8S8Args_KS(DI), R10; \
	MOVQ IGemmU8S8Args_KC(DI), DX; \
	MOVQ R10, R8; \
	IMULQ DX, R8; \
	LEAQ ROWGAP(R8)(R8*1), R8; \
	MOVQ rows-8(SP), R13; \
	MOVQ offsets-32(SP), AX; \
	MOVQ IGemmU8S8Args_Scratch(DI), R9; \
	ADDQ $SPILL, R9; \
widenPosition: \
	XORL R12, R12; \
	MOVQ R9, R11; \
widenRow: \
	MOVLQSX (AX)(R12*4), SI; \
	TESTQ SI, SI; \
	CMOVQLT pad-40(SP), SI; \
	ADDQ base-24(SP), SI; \
	MOVQ R11, BX; \
	MOVQ DX, CX; \
	SUBQ $16, CX; \
	JLT widen8; \
widen16: \
	VPMOVZXBW (SI), Y0; \
	VMOVDQU Y0, (BX); \
	ADDQ $16, SI; \
	ADDQ $32, BX; \
	SUBQ $16, CX; \
	JGE widen16; \
widen8: \
	TESTL $8, CX; \
	JZ widen4; \
	VPMOVZXBW (SI), X0; \
	VMOVDQU X0, (BX); \
	ADDQ $8, SI; \
	ADDQ $16, BX; \
widen4: \
	TESTL $4, CX; \
	JZ widenNext; \
	VMOVD (SI), X0; \
	VPMOVZXBW X0, X0; \
	VMOVQ X0, (BX); \
widenNext: \
	ADDQ R8, R11; \
	INCQ R12; \
	CMPQ R12, R13; \
	JLT widenRow; \
	ADDQ $24, AX; \
	LEAQ (R9)(DX*2), R9; \
	DECQ R10; \
	JNZ widenPosition
