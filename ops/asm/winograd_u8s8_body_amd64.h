// The transformations of WinogradU8S8. The files that include this give V0 to V15 and VSIZE, a vector's bytes.

DATA winogradSix<>+0(SB)/8, $0x0006000600060006
DATA winogradSix<>+8(SB)/8, $0x0006000600060006
DATA winogradSix<>+16(SB)/8, $0x0006000600060006
DATA winogradSix<>+24(SB)/8, $0x0006000600060006
DATA winogradSix<>+32(SB)/8, $0x0006000600060006
DATA winogradSix<>+40(SB)/8, $0x0006000600060006
DATA winogradSix<>+48(SB)/8, $0x0006000600060006
DATA winogradSix<>+56(SB)/8, $0x0006000600060006
GLOBL winogradSix<>(SB), RODATA|NOPTR, $64

DATA winogradInverse9<>+0(SB)/4, $0x38e38e39
GLOBL winogradInverse9<>(SB), RODATA|NOPTR, $4

DATA winogradInverse3<>+0(SB)/4, $0xaaaaaaab
GLOBL winogradInverse3<>(SB), RODATA|NOPTR, $4

// The one-dimensional transformations of the input, of 16-bit lanes in V0 to V5 into V6 to V11.

// IN4: d0-d2, d1+d2, d2-d1, d1-d3.
#define IN4 \
	VPSUBW V2, V0, V6 \
	VPADDW V2, V1, V7 \
	VPSUBW V1, V2, V8 \
	VPSUBW V3, V1, V9

// IN6: with e = d4-d2, f = 2(d3-d1), a = d4-4d2 and b = d3-4d1: 4(d0-d2)+e, a+b, a-b, e+f, e-f, d5-d3-2f.
#define IN6 \
	VPSUBW V2, V0, V6    \
	VPSLLW $2, V6, V6    \
	VPSUBW V2, V4, V12   \
	VPADDW V12, V6, V6   \
	VPSUBW V1, V3, V13   \
	VPADDW V13, V13, V13 \
	VPSUBW V3, V5, V11   \
	VPADDW V13, V12, V9  \
	VPSUBW V13, V12, V10 \
	VPADDW V13, V13, V13 \
	VPSUBW V13, V11, V11 \
	VPSLLW $2, V2, V2    \
	VPSUBW V2, V4, V4    \
	VPSLLW $2, V1, V1    \
	VPSUBW V1, V3, V3    \
	VPADDW V3, V4, V7    \
	VPSUBW V3, V4, V8

// PIXEL loads VSIZE/2 channels of pixel i; PUT and GET address the tile on the stack; STOREPOS steps AX over the
// positions of V.
#define PIXEL(i, v) \
	MOVQ      (8*(i))(SI), AX \
	VPMOVZXBW (AX)(BX*1), v

#define PUT(i, v) VMOVUPS v, (VSIZE*(i))(R11)
#define GET(i, v) VMOVUPS (VSIZE*(i))(R11), v

#define STOREPOS(v) \
	VMOVUPS v, (AX) \
	ADDQ    R9, AX

#define COLUMN4(i) \
	PIXEL(i, V0)   \
	PIXEL(i+4, V1) \
	PIXEL(i+8, V2) \
	PIXEL(i+12, V3) \
	IN4            \
	PUT(i, V6)     \
	PUT(i+4, V7)   \
	PUT(i+8, V8)   \
	PUT(i+12, V9)

#define ROW4(i) \
	GET(i, V0)   \
	GET(i+1, V1) \
	GET(i+2, V2) \
	GET(i+3, V3) \
	IN4          \
	STOREPOS(V6) \
	STOREPOS(V7) \
	STOREPOS(V8) \
	STOREPOS(V9)

#define COLUMN6(i) \
	PIXEL(i, V0)    \
	PIXEL(i+6, V1)  \
	PIXEL(i+12, V2) \
	PIXEL(i+18, V3) \
	PIXEL(i+24, V4) \
	PIXEL(i+30, V5) \
	IN6             \
	PUT(i, V6)      \
	PUT(i+6, V7)    \
	PUT(i+12, V8)   \
	PUT(i+18, V9)   \
	PUT(i+24, V10)  \
	PUT(i+30, V11)

#define ROW6(i) \
	GET(i, V0)    \
	GET(i+1, V1)  \
	GET(i+2, V2)  \
	GET(i+3, V3)  \
	GET(i+4, V4)  \
	GET(i+5, V5)  \
	IN6           \
	STOREPOS(V6)  \
	STOREPOS(V7)  \
	STOREPOS(V8)  \
	STOREPOS(V9)  \
	STOREPOS(V10) \
	STOREPOS(V11)

// INPUT4 and INPUT6 transform VSIZE/2 channels of a tile of 4 x 4 or 6 x 6 pixels: columns, then rows.
#define INPUT4 \
	COLUMN4(0) \
	COLUMN4(1) \
	COLUMN4(2) \
	COLUMN4(3) \
	LEAQ (R8)(DX*2), AX \
	ROW4(0)    \
	ROW4(4)    \
	ROW4(8)    \
	ROW4(12)

#define INPUT6 \
	COLUMN6(0) \
	COLUMN6(1) \
	COLUMN6(2) \
	COLUMN6(3) \
	COLUMN6(4) \
	COLUMN6(5) \
	LEAQ (R8)(DX*2), AX \
	ROW6(0)    \
	ROW6(6)    \
	ROW6(12)   \
	ROW6(18)   \
	ROW6(24)   \
	ROW6(30)

// INPUT1D transforms VSIZE/2 channels of a line of 6 pixels.
#define INPUT1D \
	PIXEL(0, V0)  \
	PIXEL(1, V1)  \
	PIXEL(2, V2)  \
	PIXEL(3, V3)  \
	PIXEL(4, V4)  \
	PIXEL(5, V5)  \
	LEAQ (R8)(DX*2), AX \
	IN6           \
	STOREPOS(V6)  \
	STOREPOS(V7)  \
	STOREPOS(V8)  \
	STOREPOS(V9)  \
	STOREPOS(V10) \
	STOREPOS(V11)

// INPUT is the loop over tiles and their channels, the last VSIZE/2 of which may overlap those before. DI args, SI pixel
// pointers of the tile, R8 the tile in V, R9 PosStride, R10 tiles left, R11 the tile on the stack, R12 channels
// left, BX bytes from where a pixel points to the channels, DX channels done.
#define INPUT(positions, body) \
	MOVQ args+0(FP), DI                   \
	MOVQ WinogradInputArgs_Pixels(DI), SI \
	MOVQ WinogradInputArgs_V(DI), R8      \
	MOVQ WinogradInputArgs_PosStride(DI), R9 \
	MOVQ WinogradInputArgs_Tiles(DI), R10 \
	LEAQ tile-(VSIZE*positions)(SP), R11     \
tile:                                     \
	XORL DX, DX                           \
	MOVQ WinogradInputArgs_C(DI), R12     \
channels:                                 \
	MOVQ WinogradInputArgs_Offset(DI), BX \
	ADDQ DX, BX                           \
	body                                  \
	ADDQ $(VSIZE/2), DX                   \
	SUBQ $(VSIZE/2), R12                  \
	JLE  next                             \
	CMPQ R12, $(VSIZE/2)                  \
	JGE  channels                         \
	LEAQ -(VSIZE/2)(DX)(R12*1), DX        \
	MOVQ $(VSIZE/2), R12                  \
	JMP  channels                         \
next:                                     \
	MOVQ WinogradInputArgs_C(DI), AX      \
	LEAQ (R8)(AX*2), R8                   \
	ADDQ $(8*positions), SI               \
	DECQ R10                              \
	JNZ  tile                             \
	VZEROUPPER                            \
	RET

// The transformations of VSIZE/4 columns of two depths of weights, the window in V0 to V8 by rows. A row of G g goes from h0 to
// h2 into its positions at AX, R11 apart. V15 is spoiled, and V12 to V14 hold the sum of the first and the last row.

// ACROSS2: 2h0, h0+h1+h2, h0-h1+h2, 2h2.
#define ACROSS2(h0, h1, h2) \
	LEAQ    (AX)(R11*2), CX  \
	VPADDW  h0, h0, V15      \
	VMOVUPS V15, (AX)        \
	VPADDW  h2, h2, V15      \
	VMOVUPS V15, (CX)(R11*1) \
	VPADDW  h2, h0, h0       \
	VPADDW  h1, h0, V15      \
	VMOVUPS V15, (AX)(R11*1) \
	VPSUBW  h1, h0, V15      \
	VMOVUPS V15, (CX)        \
	LEAQ    (CX)(R11*2), AX

// ACROSS4: 6h0, h0+h1+h2, h0-h1+h2, h0+2h1+4h2, h0-2h1+4h2, 6h2.
#define ACROSS4(h0, h1, h2) \
	LEAQ    (AX)(R11*2), CX  \
	LEAQ    (CX)(R11*1), R12 \
	VPMULLW winogradSix<>(SB), h0, V15 \
	VMOVUPS V15, (AX)        \
	VPMULLW winogradSix<>(SB), h2, V15 \
	VMOVUPS V15, (R12)(R11*2) \
	VPADDW  h2, h0, V15      \
	VPADDW  h1, V15, V15     \
	VMOVUPS V15, (AX)(R11*1) \
	VPADDW  h1, h1, h1       \
	VPSUBW  h1, V15, V15     \
	VMOVUPS V15, (CX)        \
	VPSLLW  $2, h2, h2       \
	VPADDW  h2, h0, h0       \
	VPADDW  h1, h0, V15      \
	VMOVUPS V15, (R12)       \
	VPSUBW  h1, h0, V15      \
	VMOVUPS V15, (R12)(R11*1) \
	LEAQ    (R12)(R11*2), AX \
	ADDQ    R11, AX

#define EACH(op, a0, a1, a2, b0, b1, b2, c0, c1, c2) \
	op a0, b0, c0 \
	op a1, b1, c1 \
	op a2, b2, c2

#define WEIGHTS2 \
	EACH(VPADDW, V0, V1, V2, V0, V1, V2, V9, V10, V11)    \
	ACROSS2(V9, V10, V11)                                 \
	EACH(VPADDW, V0, V1, V2, V6, V7, V8, V12, V13, V14)   \
	EACH(VPADDW, V3, V4, V5, V12, V13, V14, V9, V10, V11) \
	ACROSS2(V9, V10, V11)                                 \
	EACH(VPSUBW, V3, V4, V5, V12, V13, V14, V9, V10, V11) \
	ACROSS2(V9, V10, V11)                                 \
	EACH(VPADDW, V6, V7, V8, V6, V7, V8, V9, V10, V11)    \
	ACROSS2(V9, V10, V11)

#define WEIGHTS4 \
	VMOVUPS winogradSix<>(SB), V15                        \
	EACH(VPMULLW, V15, V15, V15, V0, V1, V2, V9, V10, V11) \
	ACROSS4(V9, V10, V11)                                 \
	EACH(VPADDW, V0, V1, V2, V6, V7, V8, V12, V13, V14)   \
	EACH(VPADDW, V3, V4, V5, V12, V13, V14, V9, V10, V11) \
	ACROSS4(V9, V10, V11)                                 \
	EACH(VPSUBW, V3, V4, V5, V12, V13, V14, V9, V10, V11) \
	ACROSS4(V9, V10, V11)                                 \
	VPSLLW  $2, V6, V12                                   \
	VPSLLW  $2, V7, V13                                   \
	VPSLLW  $2, V8, V14                                   \
	EACH(VPADDW, V0, V1, V2, V12, V13, V14, V12, V13, V14) \
	EACH(VPADDW, V3, V4, V5, V3, V4, V5, V3, V4, V5)      \
	EACH(VPADDW, V3, V4, V5, V12, V13, V14, V9, V10, V11) \
	ACROSS4(V9, V10, V11)                                 \
	EACH(VPSUBW, V3, V4, V5, V12, V13, V14, V9, V10, V11) \
	ACROSS4(V9, V10, V11)                                 \
	VMOVUPS winogradSix<>(SB), V15                        \
	EACH(VPMULLW, V15, V15, V15, V6, V7, V8, V9, V10, V11) \
	ACROSS4(V9, V10, V11)

#define WEIGHTS1D ACROSS4(V0, V1, V2)

#define WIDEN(a, v) VPMOVSXBW a, v

// WINDOW and LINE load 9 or 3 weights of the same depths and columns.
#define WINDOW(load) \
	load((SI), V0)         \
	load((SI)(R8*1), V1)   \
	load((SI)(R8*2), V2)   \
	load((R9), V3)         \
	load((R9)(R8*1), V4)   \
	load((R9)(R8*2), V5)   \
	load((R10), V6)        \
	load((R10)(R8*1), V7)  \
	load((R10)(R8*2), V8)

#define LINE(load) \
	load((SI), V0)         \
	load((SI)(R8*1), V1)   \
	load((SI)(R8*2), V2)

// WEIGHTS is the loop over the depths of a panel of 16 columns packed by two depths, VSIZE/2 bytes of each position of the window at a
// time. SI, R9 and R10 the rows of the window, R8 TapStride, R11 PosStride, DX place in U, BX steps left.
#define WEIGHTS(window, body) \
	MOVQ args+0(FP), DI                        \
	MOVQ WinogradWeightsArgs_W(DI), SI         \
	MOVQ WinogradWeightsArgs_TapStride(DI), R8 \
	MOVQ WinogradWeightsArgs_U(DI), DX         \
	MOVQ WinogradWeightsArgs_PosStride(DI), R11 \
	MOVQ WinogradWeightsArgs_K(DI), BX         \
	SHRQ $(VSIZE/64), BX                       \
	LEAQ (R8)(R8*2), AX                        \
	LEAQ (SI)(AX*1), R9                        \
	LEAQ (R9)(AX*1), R10                       \
depths:                                        \
	window(WIDEN)                              \
	MOVQ DX, AX                                \
	body                                       \
	ADDQ $(VSIZE/2), SI                        \
	ADDQ $(VSIZE/2), R9                        \
	ADDQ $(VSIZE/2), R10                       \
	ADDQ $VSIZE, DX                            \
	DECQ BX                                    \
	JNZ  depths                                \
	VZEROUPPER                                 \
	RET

// WEIGHTSQUADS is WEIGHTS of a panel packed by four depths: VSIZE bytes of each position of the window at a time, of whose columns
// R13 picks two depths. R14 ends the picks. NEXTQUADS takes a step off BX and sets DX, which is 128 bytes further, to the next place.
#define QUAD(a, v) \
	VMOVUPS a, v          \
	VPSHUFB (R13), v, v   \
	VPSRAW  $8, v, v

#define WEIGHTSQUADS(window, body) \
	MOVQ args+0(FP), DI                        \
	MOVQ WinogradWeightsArgs_W(DI), SI         \
	MOVQ WinogradWeightsArgs_TapStride(DI), R8 \
	MOVQ WinogradWeightsArgs_U(DI), DX         \
	MOVQ WinogradWeightsArgs_PosStride(DI), R11 \
	MOVQ WinogradWeightsArgs_K(DI), BX         \
	SHRQ $(VSIZE/32), BX                       \
	LEAQ (R8)(R8*2), AX                        \
	LEAQ (SI)(AX*1), R9                        \
	LEAQ (R9)(AX*1), R10                       \
	LEAQ winogradPick<>+128(SB), R14           \
columns:                                       \
	LEAQ -128(R14), R13                        \
depths:                                        \
	window(QUAD)                               \
	MOVQ DX, AX                                \
	body                                       \
	ADDQ $64, DX                               \
	ADDQ $64, R13                              \
	CMPQ R13, R14                              \
	JNE  depths                                \
	ADDQ $VSIZE, SI                            \
	ADDQ $VSIZE, R9                            \
	ADDQ $VSIZE, R10                           \
	NEXTQUADS(columns)                         \
	JNZ  columns                               \
	VZEROUPPER                                 \
	RET

// The upper bytes of words take depths 0 and 1 of each column, or 2 and 3.
DATA winogradPick<>+0(SB)/8, $0x0580048001800080
DATA winogradPick<>+8(SB)/8, $0x0D800C8009800880
DATA winogradPick<>+16(SB)/8, $0x0580048001800080
DATA winogradPick<>+24(SB)/8, $0x0D800C8009800880
DATA winogradPick<>+32(SB)/8, $0x0580048001800080
DATA winogradPick<>+40(SB)/8, $0x0D800C8009800880
DATA winogradPick<>+48(SB)/8, $0x0580048001800080
DATA winogradPick<>+56(SB)/8, $0x0D800C8009800880
DATA winogradPick<>+64(SB)/8, $0x0780068003800280
DATA winogradPick<>+72(SB)/8, $0x0F800E800B800A80
DATA winogradPick<>+80(SB)/8, $0x0780068003800280
DATA winogradPick<>+88(SB)/8, $0x0F800E800B800A80
DATA winogradPick<>+96(SB)/8, $0x0780068003800280
DATA winogradPick<>+104(SB)/8, $0x0F800E800B800A80
DATA winogradPick<>+112(SB)/8, $0x0780068003800280
DATA winogradPick<>+120(SB)/8, $0x0F800E800B800A80
GLOBL winogradPick<>(SB), RODATA|NOPTR, $128

// The one-dimensional transformations of the output, of V0 to V5 into V6 to V9.

// OUT4: m0+m1+m2, m1-m2-m3.
#define OUT4 \
	VPADDD V1, V0, V6 \
	VPADDD V2, V6, V6 \
	VPSUBD V2, V1, V7 \
	VPSUBD V3, V7, V7

// OUT6: with a = m1+m2, b = m1-m2, c = m3+m4 and d = m3-m4: m0-4a+c, d-2b, c-a, 2d-b+m5.
#define OUT6 \
	VPADDD V2, V1, V10   \
	VPSUBD V2, V1, V11   \
	VPADDD V4, V3, V12   \
	VPSUBD V4, V3, V13   \
	VPSLLD $2, V10, V6   \
	VPSUBD V6, V0, V6    \
	VPADDD V12, V6, V6   \
	VPADDD V11, V11, V7  \
	VPSUBD V7, V13, V7   \
	VPSUBD V10, V12, V8  \
	VPADDD V13, V13, V9  \
	VPSUBD V11, V9, V9   \
	VPADDD V5, V9, V9

// LOADPOS steps AX over the positions of M.
#define LOADPOS(v) \
	VMOVUPS (AX), v \
	ADDQ    R9, AX

// SUM makes the sum of products of pixel i, whose element of Y is 2^shift times it, or INVERSE with the inverse of a further factor. Sums have 64 bytes a pixel.
#define SUM(i, shift, v) \
	VPSRAD  $(shift), v, v \
	VMOVUPS v, (64*(i))(R12)

#define INVERSE(i, shift, v) \
	VPMULLD V15, v, v  \
	SUM(i, shift, v)

#define ALONG2(i) \
	LOADPOS(V0) \
	LOADPOS(V1) \
	LOADPOS(V2) \
	LOADPOS(V3) \
	OUT4        \
	PUT(i, V6)  \
	PUT(i+1, V7)

#define ALONG4(i) \
	LOADPOS(V0)  \
	LOADPOS(V1)  \
	LOADPOS(V2)  \
	LOADPOS(V3)  \
	LOADPOS(V4)  \
	LOADPOS(V5)  \
	OUT6         \
	PUT(i, V6)   \
	PUT(i+1, V7) \
	PUT(i+2, V8) \
	PUT(i+3, V9)

#define DOWN2(i) \
	GET(i, V0)   \
	GET(i+2, V1) \
	GET(i+4, V2) \
	GET(i+6, V3) \
	OUT4         \
	SUM(i, 2, V6) \
	SUM(i+2, 2, V7)

#define DOWN4(i, shift) \
	GET(i, V0)    \
	GET(i+4, V1)  \
	GET(i+8, V2)  \
	GET(i+12, V3) \
	GET(i+16, V4) \
	GET(i+20, V5) \
	OUT6          \
	INVERSE(i, shift, V6)       \
	INVERSE(i+4, shift-1, V7)   \
	INVERSE(i+8, shift-2, V8)   \
	INVERSE(i+12, shift-2, V9)

// OUTPUT2 and OUTPUT4 transform VSIZE/4 columns of a tile of 2 x 2 or 4 x 4 pixels: rows, then columns.
#define OUTPUT2 \
	ALONG2(0) \
	ALONG2(2) \
	ALONG2(4) \
	ALONG2(6) \
	DOWN2(0)  \
	DOWN2(1)

#define OUTPUT4 \
	VPBROADCASTD winogradInverse9<>(SB), V15 \
	ALONG4(0)   \
	ALONG4(4)   \
	ALONG4(8)   \
	ALONG4(12)  \
	ALONG4(16)  \
	ALONG4(20)  \
	DOWN4(0, 6) \
	DOWN4(1, 5) \
	DOWN4(2, 4) \
	DOWN4(3, 4)

// OUTPUT1D transforms VSIZE/4 columns of a line of 4 pixels.
#define OUTPUT1D \
	VPBROADCASTD winogradInverse3<>(SB), V15 \
	LOADPOS(V0)    \
	LOADPOS(V1)    \
	LOADPOS(V2)    \
	LOADPOS(V3)    \
	LOADPOS(V4)    \
	LOADPOS(V5)    \
	OUT6           \
	INVERSE(0, 3, V6) \
	INVERSE(1, 2, V7) \
	INVERSE(2, 1, V8) \
	INVERSE(3, 1, V9)
