// The end of a histogram kernel, included in its TEXT: setting up, and counting.
//
// SI: values, CX: values left, R8, R9, R10, R11: the tables, DX: the bins of a
// vector on the stack.

// COUNT4 counts four bins, one in each table.
#define COUNT4(off) \
	MOVL off(DX), AX; \
	MOVL off+4(DX), BX; \
	INCL (R8)(AX*4); \
	MOVL off+8(DX), AX; \
	INCL (R9)(BX*4); \
	MOVL off+12(DX), BX; \
	INCL (R10)(AX*4); \
	INCL (R11)(BX*4)

#define TABLES \
	MOVQ HistogramF32Args_X(DI), SI; \
	MOVQ HistogramF32Args_N(DI), CX; \
	MOVQ HistogramF32Args_Counts(DI), R8; \
	MOVQ HistogramF32Args_Stride(DI), AX; \
	LEAQ (R8)(AX*4), R9; \
	LEAQ (R9)(AX*4), R10; \
	LEAQ (R10)(AX*4), R11
