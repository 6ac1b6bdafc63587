// The transformations of WinogradU8S8 for vectors of 32 bytes.

DATA winogradSix<>+0(SB)/8, $0x0006000600060006
DATA winogradSix<>+8(SB)/8, $0x0006000600060006
DATA winogradSix<>+16(SB)/8, $0x0006000600060006
DATA winogradSix<>+24(SB)/8, $0x0006000600060006
GLOBL winogradSix<>(SB), RODATA|NOPTR, $32

DATA winogradInverse9<>+0(SB)/4, $0x38e38e39
GLOBL winogradInverse9<>(SB), RODATA|NOPTR, $4

// The one-dimensional transformations of the input, of 16-bit lanes in Y0 to Y5 into Y6 to Y11.

// IN4: d0-d2, d1+d2, d2-d1, d1-d3.
#define IN4 \
	VPSUBW Y2, Y0, Y6 \
	VPADDW Y2, Y1, Y7 \
	VPSUBW Y1, Y2, Y8 \
	VPSUBW Y3, Y1, Y9

// IN6: with e = d4-d2, f = 2(d3-d1), a = d4-4d2 and b = d3-4d1: 4(d0-d2)+e, a+b, a-b, e+f, e-f, d5-d3-2f.
#define IN6 \
	VPSUBW Y2, Y0, Y6    \
	VPSLLW $2, Y6, Y6    \
	VPSUBW Y2, Y4, Y12   \
	VPADDW Y12, Y6, Y6   \
	VPSUBW Y1, Y3, Y13   \
	VPADDW Y13, Y13, Y13 \
	VPSUBW Y3, Y5, Y11   \
	VPADDW Y13, Y12, Y9  \
	VPSUBW Y13, Y12, Y10 \
	VPADDW Y13, Y13, Y13 \
	VPSUBW Y13, Y11, Y11 \
	VPSLLW $2, Y2, Y2    \
	VPSUBW Y2, Y4, Y4    \
	VPSLLW $2, Y1, Y1    \
	VPSUBW Y1, Y3, Y3    \
	VPADDW Y3, Y4, Y7    \
	VPSUBW Y3, Y4, Y8

// PIXEL loads 16 channels of pixel i; PUT and GET address the tile on the stack; STOREPOS steps AX over the
// positions of V.
#define PIXEL(i, v) \
	MOVQ      (8*(i))(SI), AX \
	VPMOVZXBW (AX)(BX*1), v

#define PUT(i, v) VMOVDQU v, (32*(i))(R11)
#define GET(i, v) VMOVDQU (32*(i))(R11), v

#define STOREPOS(v) \
	VMOVDQU v, (AX) \
	ADDQ    R9, AX

#define COLUMN4(i) \
	PIXEL(i, Y0)   \
	PIXEL(i+4, Y1) \
	PIXEL(i+8, Y2) \
	PIXEL(i+12, Y3) \
	IN4            \
	PUT(i, Y6)     \
	PUT(i+4, Y7)   \
	PUT(i+8, Y8)   \
	PUT(i+12, Y9)

#define ROW4(i) \
	GET(i, Y0)   \
	GET(i+1, Y1) \
	GET(i+2, Y2) \
	GET(i+3, Y3) \
	IN4          \
	STOREPOS(Y6) \
	STOREPOS(Y7) \
	STOREPOS(Y8) \
	STOREPOS(Y9)

#define COLUMN6(i) \
	PIXEL(i, Y0)    \
	PIXEL(i+6, Y1)  \
	PIXEL(i+12, Y2) \
	PIXEL(i+18, Y3) \
	PIXEL(i+24, Y4) \
	PIXEL(i+30, Y5) \
	IN6             \
	PUT(i, Y6)      \
	PUT(i+6, Y7)    \
	PUT(i+12, Y8)   \
	PUT(i+18, Y9)   \
	PUT(i+24, Y10)  \
	PUT(i+30, Y11)

#define ROW6(i) \
	GET(i, Y0)    \
	GET(i+1, Y1)  \
	GET(i+2, Y2)  \
	GET(i+3, Y3)  \
	GET(i+4, Y4)  \
	GET(i+5, Y5)  \
	IN6           \
	STOREPOS(Y6)  \
	STOREPOS(Y7)  \
	STOREPOS(Y8)  \
	STOREPOS(Y9)  \
	STOREPOS(Y10) \
	STOREPOS(Y11)

// INPUT4 and INPUT6 transform 16 channels of a tile of 4 x 4 or 6 x 6 pixels: columns, then rows.
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

// INPUT is the loop over tiles and their channels, the last 16 of which may overlap those before. DI args, SI pixel
// pointers of the tile, R8 the tile in V, R9 PosStride, R10 tiles left, R11 the tile on the stack, R12 channels
// left, BX bytes from where a pixel points to the channels, DX channels done.
#define INPUT(positions, body) \
	MOVQ args+0(FP), DI                   \
	MOVQ WinogradInputArgs_Pixels(DI), SI \
	MOVQ WinogradInputArgs_V(DI), R8      \
	MOVQ WinogradInputArgs_PosStride(DI), R9 \
	MOVQ WinogradInputArgs_Tiles(DI), R10 \
	LEAQ tile-(32*positions)(SP), R11     \
tile:                                     \
	XORL DX, DX                           \
	MOVQ WinogradInputArgs_C(DI), R12     \
channels:                                 \
	MOVQ WinogradInputArgs_Offset(DI), BX \
	ADDQ DX, BX                           \
	body                                  \
	ADDQ $16, DX                          \
	SUBQ $16, R12                         \
	JLE  next                             \
	CMPQ R12, $16                         \
	JGE  channels                         \
	LEAQ -16(DX)(R12*1), DX               \
	MOVQ $16, R12                         \
	JMP  channels                         \
next:                                     \
	MOVQ WinogradInputArgs_C(DI), AX      \
	LEAQ (R8)(AX*2), R8                   \
	ADDQ $(8*positions), SI               \
	DECQ R10                              \
	JNZ  tile                             \
	VZEROUPPER                            \
	RET

// The transformations of 8 columns of two depths of weights, the window in Y0 to Y8 by rows. A row of G g goes from h0 to
// h2 into its positions at AX, R11 apart. Y15 is spoiled, and Y12 to Y14 hold the sum of the first and the last row.

// ACROSS2: 2h0, h0+h1+h2, h0-h1+h2, 2h2.
#define ACROSS2(h0, h1, h2) \
	LEAQ    (AX)(R11*2), CX  \
	VPADDW  h0, h0, Y15      \
	VMOVDQU Y15, (AX)        \
	VPADDW  h2, h2, Y15      \
	VMOVDQU Y15, (CX)(R11*1) \
	VPADDW  h2, h0, h0       \
	VPADDW  h1, h0, Y15      \
	VMOVDQU Y15, (AX)(R11*1) \
	VPSUBW  h1, h0, Y15      \
	VMOVDQU Y15, (CX)        \
	LEAQ    (CX)(R11*2), AX

// ACROSS4: 6h0, h0+h1+h2, h0-h1+h2, h0+2h1+4h2, h0-2h1+4h2, 6h2.
#define ACROSS4(h0, h1, h2) \
	LEAQ    (AX)(R11*2), CX  \
	LEAQ    (CX)(R11*1), R12 \
	VPMULLW winogradSix<>(SB), h0, Y15 \
	VMOVDQU Y15, (AX)        \
	VPMULLW winogradSix<>(SB), h2, Y15 \
	VMOVDQU Y15, (R12)(R11*2) \
	VPADDW  h2, h0, Y15      \
	VPADDW  h1, Y15, Y15     \
	VMOVDQU Y15, (AX)(R11*1) \
	VPADDW  h1, h1, h1       \
	VPSUBW  h1, Y15, Y15     \
	VMOVDQU Y15, (CX)        \
	VPSLLW  $2, h2, h2       \
	VPADDW  h2, h0, h0       \
	VPADDW  h1, h0, Y15      \
	VMOVDQU Y15, (R12)       \
	VPSUBW  h1, h0, Y15      \
	VMOVDQU Y15, (R12)(R11*1) \
	LEAQ    (R12)(R11*2), AX \
	ADDQ    R11, AX

#define EACH(op, a0, a1, a2, b0, b1, b2, c0, c1, c2) \
	op a0, b0, c0 \
	op a1, b1, c1 \
	op a2, b2, c2

#define WEIGHTS2 \
	EACH(VPADDW, Y0, Y1, Y2, Y0, Y1, Y2, Y9, Y10, Y11)    \
	ACROSS2(Y9, Y10, Y11)                                 \
	EACH(VPADDW, Y0, Y1, Y2, Y6, Y7, Y8, Y12, Y13, Y14)   \
	EACH(VPADDW, Y3, Y4, Y5, Y12, Y13, Y14, Y9, Y10, Y11) \
	ACROSS2(Y9, Y10, Y11)                                 \
	EACH(VPSUBW, Y3, Y4, Y5, Y12, Y13, Y14, Y9, Y10, Y11) \
	ACROSS2(Y9, Y10, Y11)                                 \
	EACH(VPADDW, Y6, Y7, Y8, Y6, Y7, Y8, Y9, Y10, Y11)    \
	ACROSS2(Y9, Y10, Y11)

#define WEIGHTS4 \
	VMOVDQU winogradSix<>(SB), Y15                        \
	EACH(VPMULLW, Y15, Y15, Y15, Y0, Y1, Y2, Y9, Y10, Y11) \
	ACROSS4(Y9, Y10, Y11)                                 \
	EACH(VPADDW, Y0, Y1, Y2, Y6, Y7, Y8, Y12, Y13, Y14)   \
	EACH(VPADDW, Y3, Y4, Y5, Y12, Y13, Y14, Y9, Y10, Y11) \
	ACROSS4(Y9, Y10, Y11)                                 \
	EACH(VPSUBW, Y3, Y4, Y5, Y12, Y13, Y14, Y9, Y10, Y11) \
	ACROSS4(Y9, Y10, Y11)                                 \
	VPSLLW  $2, Y6, Y12                                   \
	VPSLLW  $2, Y7, Y13                                   \
	VPSLLW  $2, Y8, Y14                                   \
	EACH(VPADDW, Y0, Y1, Y2, Y12, Y13, Y14, Y12, Y13, Y14) \
	EACH(VPADDW, Y3, Y4, Y5, Y3, Y4, Y5, Y3, Y4, Y5)      \
	EACH(VPADDW, Y3, Y4, Y5, Y12, Y13, Y14, Y9, Y10, Y11) \
	ACROSS4(Y9, Y10, Y11)                                 \
	EACH(VPSUBW, Y3, Y4, Y5, Y12, Y13, Y14, Y9, Y10, Y11) \
	ACROSS4(Y9, Y10, Y11)                                 \
	VMOVDQU winogradSix<>(SB), Y15                        \
	EACH(VPMULLW, Y15, Y15, Y15, Y6, Y7, Y8, Y9, Y10, Y11) \
	ACROSS4(Y9, Y10, Y11)

// WEIGHTS is the loop over the depths of a panel, 16 bytes of each position of the window at a time. SI, R9 and R10 the
// rows of the window, R8 TapStride, R11 PosStride, DX place in U, BX units of 16 bytes left.
#define WEIGHTS(body) \
	MOVQ args+0(FP), DI                        \
	MOVQ WinogradWeightsArgs_W(DI), SI         \
	MOVQ WinogradWeightsArgs_TapStride(DI), R8 \
	MOVQ WinogradWeightsArgs_U(DI), DX         \
	MOVQ WinogradWeightsArgs_PosStride(DI), R11 \
	MOVQ WinogradWeightsArgs_K(DI), BX         \
	LEAQ (R8)(R8*2), AX                        \
	LEAQ (SI)(AX*1), R9                        \
	LEAQ (R9)(AX*1), R10                       \
depths:                                        \
	VPMOVSXBW (SI), Y0                         \
	VPMOVSXBW (SI)(R8*1), Y1                   \
	VPMOVSXBW (SI)(R8*2), Y2                   \
	VPMOVSXBW (R9), Y3                         \
	VPMOVSXBW (R9)(R8*1), Y4                   \
	VPMOVSXBW (R9)(R8*2), Y5                   \
	VPMOVSXBW (R10), Y6                        \
	VPMOVSXBW (R10)(R8*1), Y7                  \
	VPMOVSXBW (R10)(R8*2), Y8                  \
	MOVQ DX, AX                                \
	body                                       \
	ADDQ $16, SI                               \
	ADDQ $16, R9                               \
	ADDQ $16, R10                              \
	ADDQ $32, DX                               \
	DECQ BX                                    \
	JNZ  depths                                \
	VZEROUPPER                                 \
	RET

// The one-dimensional transformations of the output, of Y0 to Y5 into Y6 to Y9.

// OUT4: m0+m1+m2, m1-m2-m3.
#define OUT4 \
	VPADDD Y1, Y0, Y6 \
	VPADDD Y2, Y6, Y6 \
	VPSUBD Y2, Y1, Y7 \
	VPSUBD Y3, Y7, Y7

// OUT6: with a = m1+m2, b = m1-m2, c = m3+m4 and d = m3-m4: m0-4a+c, d-2b, c-a, 2d-b+m5.
#define OUT6 \
	VPADDD Y2, Y1, Y10   \
	VPSUBD Y2, Y1, Y11   \
	VPADDD Y4, Y3, Y12   \
	VPSUBD Y4, Y3, Y13   \
	VPSLLD $2, Y10, Y6   \
	VPSUBD Y6, Y0, Y6    \
	VPADDD Y12, Y6, Y6   \
	VPADDD Y11, Y11, Y7  \
	VPSUBD Y7, Y13, Y7   \
	VPSUBD Y10, Y12, Y8  \
	VPADDD Y13, Y13, Y9  \
	VPSUBD Y11, Y9, Y9   \
	VPADDD Y5, Y9, Y9

// LOADPOS steps AX over the positions of M.
#define LOADPOS(v) \
	VMOVDQU (AX), v \
	ADDQ    R9, AX

// SUM makes the sum of products of pixel i, whose element of Y is 2^shift times it, or 9 * 2^shift. Sums have 64 bytes a pixel.
#define SUM(i, shift, v) \
	VPSRAD  $(shift), v, v \
	VMOVDQU v, (64*(i))(R12)

#define SUM9(i, shift, v) \
	VPMULLD Y15, v, v  \
	SUM(i, shift, v)

#define ALONG2(i) \
	LOADPOS(Y0) \
	LOADPOS(Y1) \
	LOADPOS(Y2) \
	LOADPOS(Y3) \
	OUT4        \
	PUT(i, Y6)  \
	PUT(i+1, Y7)

#define ALONG4(i) \
	LOADPOS(Y0)  \
	LOADPOS(Y1)  \
	LOADPOS(Y2)  \
	LOADPOS(Y3)  \
	LOADPOS(Y4)  \
	LOADPOS(Y5)  \
	OUT6         \
	PUT(i, Y6)   \
	PUT(i+1, Y7) \
	PUT(i+2, Y8) \
	PUT(i+3, Y9)

#define DOWN2(i) \
	GET(i, Y0)   \
	GET(i+2, Y1) \
	GET(i+4, Y2) \
	GET(i+6, Y3) \
	OUT4         \
	SUM(i, 2, Y6) \
	SUM(i+2, 2, Y7)

#define DOWN4(i, shift) \
	GET(i, Y0)    \
	GET(i+4, Y1)  \
	GET(i+8, Y2)  \
	GET(i+12, Y3) \
	GET(i+16, Y4) \
	GET(i+20, Y5) \
	OUT6          \
	SUM9(i, shift, Y6)       \
	SUM9(i+4, shift-1, Y7)   \
	SUM9(i+8, shift-2, Y8)   \
	SUM9(i+12, shift-2, Y9)

// OUTPUT2 and OUTPUT4 transform 8 columns of a tile of 2 x 2 or 4 x 4 pixels: rows, then columns.
#define OUTPUT2 \
	ALONG2(0) \
	ALONG2(2) \
	ALONG2(4) \
	ALONG2(6) \
	DOWN2(0)  \
	DOWN2(1)

#define OUTPUT4 \
	VPBROADCASTD winogradInverse9<>(SB), Y15 \
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
