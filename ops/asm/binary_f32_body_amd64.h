// The loops of func *F32*(args *BinaryF32Args): rows, vectors of columns, a masked vector.
// f(b) turns V0, from A, and the operand b into V0.
//
// DI args, SI A, DX B, BX Dst, R8 to R10 their strides, R11 rows left, R12 columns,
// CX columns left, AX byte offset of the columns.

#define BINARYSTART \
	MOVQ args+0(FP), DI                \
	MOVQ BinaryF32Args_A(DI), SI       \
	MOVQ BinaryF32Args_B(DI), DX       \
	MOVQ BinaryF32Args_Dst(DI), BX     \
	MOVQ BinaryF32Args_AStride(DI), R8 \
	MOVQ BinaryF32Args_BStride(DI), R9 \
	MOVQ BinaryF32Args_DstStride(DI), R10 \
	MOVQ BinaryF32Args_Rows(DI), R11   \
	MOVQ BinaryF32Args_Cols(DI), R12   \
	MOVQ R12, CX                       \
	ANDQ $(VLANES-1), CX               \
	TAILMASK(CX, AX)

#define BINARYNEXT(row) \
	ADDQ R8, SI  \
	ADDQ R9, DX  \
	ADDQ R10, BX \
	DECQ R11     \
	JNZ  row     \
	VZEROUPPER   \
	RET

#define BINARYVECTOR(f) \
	BINARYSTART                \
row:                           \
	XORQ AX, AX                \
	MOVQ R12, CX               \
	SUBQ $VLANES, CX           \
	JLT  tail                  \
loop:                          \
	VMOVUPS (SI)(AX*1), V0     \
	f((DX)(AX*1))              \
	VMOVUPS V0, (BX)(AX*1)     \
	ADDQ $VSIZE, AX            \
	SUBQ $VLANES, CX           \
	JGE  loop                  \
tail:                          \
	ADDQ $VLANES, CX           \
	JZ   next                  \
	LOADTAIL((SI)(AX*1), V0)   \
	LOADTAIL((DX)(AX*1), V1)   \
	f(V1)                      \
	STORETAIL(V0, (BX)(AX*1))  \
next:                          \
	BINARYNEXT(row)

#define BINARYSCALAR(f) \
	BINARYSTART                \
row:                           \
	VBROADCASTSS (DX), V1      \
	XORQ AX, AX                \
	MOVQ R12, CX               \
	SUBQ $VLANES, CX           \
	JLT  tail                  \
loop:                          \
	VMOVUPS (SI)(AX*1), V0     \
	f(V1)                      \
	VMOVUPS V0, (BX)(AX*1)     \
	ADDQ $VSIZE, AX            \
	SUBQ $VLANES, CX           \
	JGE  loop                  \
tail:                          \
	ADDQ $VLANES, CX           \
	JZ   next                  \
	LOADTAIL((SI)(AX*1), V0)   \
	f(V1)                      \
	STORETAIL(V0, (BX)(AX*1))  \
next:                          \
	BINARYNEXT(row)

#define ADD(b) VADDPS b, V0, V0
#define SUB(b) VSUBPS b, V0, V0
#define MUL(b) VMULPS b, V0, V0
#define DIV(b) VDIVPS b, V0, V0

#define RSUB(b) \
	VMOVUPS b, V2      \
	VSUBPS  V0, V2, V0

#define RDIV(b) \
	VMOVUPS b, V2      \
	VDIVPS  V0, V2, V0
