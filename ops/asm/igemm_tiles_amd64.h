// How the igemm kernels walk over the rows of a call, a tile of TILEROWS at a time, and
// find the bytes of each row. A kernel defines TILEROWS and the fields of its arguments,
// which DI points to: ARG_A, ARG_OFFSETS, ARG_ASTRIDE, ARG_PAD, ARG_KS, ARG_B, ARG_M,
// ARG_NEXT, ARG_NEXTEND and ARG_NEXTSTEP. The state of the walk is in the frame:
//
//	rows-8       rows of the tile
//	left-16      rows left, those of the tile among them
//	base-24      what offsets count from
//	offsets-32   offsets of the tile: TILEROWS of them per position
//	pad-40       distance of Pad from ARG_A
//	step-48      bytes that the prefetch pointer advances per step of the loop over depths, 0 at the end
//	buffer-80    the offsets of a tile whose rows are a stride apart

// FIRSTTILE begins the walk and sets the prefetch pointer; fill and walking are labels of its
// own. It spoils AX, CX and SI.
#define FIRSTTILE(prefetch, fill, walking) \
	MOVQ  ARG_M(DI), AX; \
	MOVQ  AX, left-16(SP); \
	MOVQ  ARG_A(DI), AX; \
	MOVQ  AX, base-24(SP); \
	MOVQ  ARG_PAD(DI), CX; \
	SUBQ  AX, CX; \
	MOVQ  CX, pad-40(SP); \
	MOVQ  ARG_OFFSETS(DI), SI; \
	TESTQ SI, SI; \
	JNZ   walking; \
	LEAQ  buffer-80(SP), SI; \
	XORL  AX, AX; \
	XORL  CX, CX; \
fill: \
	MOVL  CX, (SI)(AX*4); \
	ADDQ  ARG_ASTRIDE(DI), CX; \
	INCQ  AX; \
	CMPQ  AX, $TILEROWS; \
	JLT   fill; \
walking: \
	MOVQ    SI, offsets-32(SP); \
	MOVQ    ARG_NEXT(DI), prefetch; \
	TESTQ   prefetch, prefetch; \
	CMOVQEQ ARG_B(DI), prefetch

// STARTTILE sets the rows of a tile. Where rows are a stride apart, the last tile repeats its
// last one. part, repeat and sized are labels of its own. It spoils AX, CX and SI.
#define STARTTILE(part, repeat, sized) \
	MOVQ left-16(SP), AX; \
	CMPQ AX, $TILEROWS; \
	JLT  part; \
	MOVQ $TILEROWS, rows-8(SP); \
	JMP  sized; \
part: \
	MOVQ AX, rows-8(SP); \
	CMPQ ARG_OFFSETS(DI), $0; \
	JNE  sized; \
	LEAQ buffer-80(SP), SI; \
	MOVL -4(SI)(AX*4), CX; \
repeat: \
	MOVL CX, (SI)(AX*4); \
	INCQ AX; \
	CMPQ AX, $TILEROWS; \
	JLT  repeat; \
sized:

// NEXTTILE goes on with the next tile, or to done; strided is a label of its own.
#define NEXTTILE(tile, strided, done) \
	SUBQ  $TILEROWS, left-16(SP); \
	JLE   done; \
	CMPQ  ARG_OFFSETS(DI), $0; \
	JEQ   strided; \
	MOVQ  ARG_KS(DI), AX; \
	IMUL3Q $(4*TILEROWS), AX, AX; \
	ADDQ  AX, offsets-32(SP); \
	JMP   tile; \
strided: \
	MOVQ  ARG_ASTRIDE(DI), AX; \
	IMUL3Q $TILEROWS, AX, AX; \
	ADDQ  AX, base-24(SP); \
	JMP   tile

// PIXEL points r at the bytes of row i of the position whose offsets p points to.
#define PIXEL(i, p, r) \
	MOVLQSX (4*i)(p), r; \
	TESTQ   r, r; \
	CMOVQLT pad-40(SP), r; \
	ADDQ    base-24(SP), r

// PREFETCHING sets step: weights that a later call reads come near, evenly over the call.
#define PREFETCHING(prefetch, tmp) \
	MOVQ    ARG_NEXTSTEP(DI), tmp; \
	MOVQ    tmp, step-48(SP); \
	CMPQ    prefetch, ARG_NEXTEND(DI); \
	SBBQ    tmp, tmp; \
	ANDQ    tmp, step-48(SP)
