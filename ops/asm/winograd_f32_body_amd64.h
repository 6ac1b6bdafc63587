// The bodies of func winograd{2,4}{Input,Output}<ISA>(args *WinogradF32Args). A tile is transformed
// down its columns into the stack, then along its rows, for a vector of channels at a time.
//
// DI args, SI pixel pointers of the tile, R8 its first position in Matrix, R9 PosStride, R10 tiles left,
// R11 the tile on the stack, R12 channels left, BX byte offset of the channels, R13 Bias, DX
// residual pointers or 0, AX and CX scratch; V12 to V14 constants.

CONST(winogradFour<>, $0x40800000)
CONST(winogradFive<>, $0x40a00000)
CONST(winogradEight<>, $0x41000000)

// The one-dimensional transformations, of V0 to V5 into V6 to V11.

// IN4: B^T of T = 2: d0-d2, d1+d2, d2-d1, d1-d3.
#define IN4 \
	VSUBPS V2, V0, V6 \
	VADDPS V2, V1, V7 \
	VSUBPS V1, V2, V8 \
	VSUBPS V3, V1, V9

// OUT4: A^T of T = 2: m0+m1+m2, m1-m2-m3.
#define OUT4 \
	VADDPS V1, V0, V6 \
	VADDPS V2, V6, V6 \
	VSUBPS V2, V1, V7 \
	VSUBPS V3, V7, V7

// IN6: B^T of T = 4, with V12 = 4 and V13 = 5; pairs of rows share sums.
#define IN6 \
	VMOVAPS      V4, V6        \
	VFNMADD231PS V13, V2, V6   \
	VFMADD231PS  V12, V0, V6   \
	VMOVAPS      V5, V11       \
	VFNMADD231PS V13, V3, V11  \
	VFMADD231PS  V12, V1, V11  \
	VMOVAPS      V4, V0        \
	VFNMADD231PS V12, V2, V0   \
	VMOVAPS      V3, V5        \
	VFNMADD231PS V12, V1, V5   \
	VADDPS       V5, V0, V7    \
	VSUBPS       V5, V0, V8    \
	VSUBPS       V2, V4, V0    \
	VSUBPS       V1, V3, V5    \
	VADDPS       V5, V5, V5    \
	VADDPS       V5, V0, V9    \
	VSUBPS       V5, V0, V10

// OUT6: A^T of T = 4, with V12 = 4 and V13 = 8.
#define OUT6 \
	VADDPS      V2, V1, V10  \
	VSUBPS      V2, V1, V7   \
	VADDPS      V4, V3, V8   \
	VSUBPS      V4, V3, V11  \
	VADDPS      V10, V0, V6  \
	VADDPS      V8, V6, V6   \
	VMOVAPS     V7, V9       \
	VADDPS      V11, V7, V7  \
	VADDPS      V11, V7, V7  \
	VFMADD213PS V10, V12, V8 \
	VFMADD231PS V13, V11, V9 \
	VADDPS      V5, V9, V9

// PIXEL loads channels of pixel i.
#define PIXEL(i, load, v) \
	MOVQ (8*(i))(SI), AX  \
	load((AX)(BX*1), v)

// PUT and GET address the tile on the stack; NEXTPOS and STOREPOS step AX over the positions in Matrix.
#define PUT(i, v) VMOVUPS v, (VSIZE*(i))(R11)
#define GET(i, v) VMOVUPS (VSIZE*(i))(R11), v

#define NEXTPOS(load, v) \
	load((AX), v) \
	ADDQ R9, AX

#define STOREPOS(store, v) \
	store(v, (AX)) \
	ADDQ R9, AX

#define FULLLOAD(mem, v) VMOVUPS mem, v
#define FULLSTORE(v, mem) VMOVUPS v, mem

// FINISH adds the bias in V14 and the residual of pixel i to v, bounds and stores it.
#define FINISH(i, load, store, v, nores) \
	VADDPS V14, v, v            \
	TESTQ  DX, DX               \
	JZ     nores                \
	MOVQ   (8*(i))(DX), CX      \
	load((CX)(BX*1), V0)        \
	VADDPS V0, v, v             \
nores:                          \
	VBROADCASTSS WinogradF32Args_Lo(DI), V0 \
	VMAXPS v, V0, v             \
	VBROADCASTSS WinogradF32Args_Hi(DI), V0 \
	VMINPS v, V0, v             \
	MOVQ   (8*(i))(SI), CX      \
	store(v, (CX)(BX*1))

// INPUT4 transforms channels of a tile of 4 x 4 pixels.
#define INPUT4(load, store) \
	PIXEL(0, load, V0) \
	PIXEL(4, load, V1) \
	PIXEL(8, load, V2) \
	PIXEL(12, load, V3) \
	IN4 \
	PUT(0, V6) \
	PUT(4, V7) \
	PUT(8, V8) \
	PUT(12, V9) \
	PIXEL(1, load, V0) \
	PIXEL(5, load, V1) \
	PIXEL(9, load, V2) \
	PIXEL(13, load, V3) \
	IN4 \
	PUT(1, V6) \
	PUT(5, V7) \
	PUT(9, V8) \
	PUT(13, V9) \
	PIXEL(2, load, V0) \
	PIXEL(6, load, V1) \
	PIXEL(10, load, V2) \
	PIXEL(14, load, V3) \
	IN4 \
	PUT(2, V6) \
	PUT(6, V7) \
	PUT(10, V8) \
	PUT(14, V9) \
	PIXEL(3, load, V0) \
	PIXEL(7, load, V1) \
	PIXEL(11, load, V2) \
	PIXEL(15, load, V3) \
	IN4 \
	PUT(3, V6) \
	PUT(7, V7) \
	PUT(11, V8) \
	PUT(15, V9) \
	LEAQ (R8)(BX*1), AX \
	GET(0, V0) \
	GET(1, V1) \
	GET(2, V2) \
	GET(3, V3) \
	IN4 \
	STOREPOS(store, V6) \
	STOREPOS(store, V7) \
	STOREPOS(store, V8) \
	STOREPOS(store, V9) \
	GET(4, V0) \
	GET(5, V1) \
	GET(6, V2) \
	GET(7, V3) \
	IN4 \
	STOREPOS(store, V6) \
	STOREPOS(store, V7) \
	STOREPOS(store, V8) \
	STOREPOS(store, V9) \
	GET(8, V0) \
	GET(9, V1) \
	GET(10, V2) \
	GET(11, V3) \
	IN4 \
	STOREPOS(store, V6) \
	STOREPOS(store, V7) \
	STOREPOS(store, V8) \
	STOREPOS(store, V9) \
	GET(12, V0) \
	GET(13, V1) \
	GET(14, V2) \
	GET(15, V3) \
	IN4 \
	STOREPOS(store, V6) \
	STOREPOS(store, V7) \
	STOREPOS(store, V8) \
	STOREPOS(store, V9)

// INPUT6 transforms channels of a tile of 6 x 6 pixels.
#define INPUT6(load, store) \
	PIXEL(0, load, V0) \
	PIXEL(6, load, V1) \
	PIXEL(12, load, V2) \
	PIXEL(18, load, V3) \
	PIXEL(24, load, V4) \
	PIXEL(30, load, V5) \
	IN6 \
	PUT(0, V6) \
	PUT(6, V7) \
	PUT(12, V8) \
	PUT(18, V9) \
	PUT(24, V10) \
	PUT(30, V11) \
	PIXEL(1, load, V0) \
	PIXEL(7, load, V1) \
	PIXEL(13, load, V2) \
	PIXEL(19, load, V3) \
	PIXEL(25, load, V4) \
	PIXEL(31, load, V5) \
	IN6 \
	PUT(1, V6) \
	PUT(7, V7) \
	PUT(13, V8) \
	PUT(19, V9) \
	PUT(25, V10) \
	PUT(31, V11) \
	PIXEL(2, load, V0) \
	PIXEL(8, load, V1) \
	PIXEL(14, load, V2) \
	PIXEL(20, load, V3) \
	PIXEL(26, load, V4) \
	PIXEL(32, load, V5) \
	IN6 \
	PUT(2, V6) \
	PUT(8, V7) \
	PUT(14, V8) \
	PUT(20, V9) \
	PUT(26, V10) \
	PUT(32, V11) \
	PIXEL(3, load, V0) \
	PIXEL(9, load, V1) \
	PIXEL(15, load, V2) \
	PIXEL(21, load, V3) \
	PIXEL(27, load, V4) \
	PIXEL(33, load, V5) \
	IN6 \
	PUT(3, V6) \
	PUT(9, V7) \
	PUT(15, V8) \
	PUT(21, V9) \
	PUT(27, V10) \
	PUT(33, V11) \
	PIXEL(4, load, V0) \
	PIXEL(10, load, V1) \
	PIXEL(16, load, V2) \
	PIXEL(22, load, V3) \
	PIXEL(28, load, V4) \
	PIXEL(34, load, V5) \
	IN6 \
	PUT(4, V6) \
	PUT(10, V7) \
	PUT(16, V8) \
	PUT(22, V9) \
	PUT(28, V10) \
	PUT(34, V11) \
	PIXEL(5, load, V0) \
	PIXEL(11, load, V1) \
	PIXEL(17, load, V2) \
	PIXEL(23, load, V3) \
	PIXEL(29, load, V4) \
	PIXEL(35, load, V5) \
	IN6 \
	PUT(5, V6) \
	PUT(11, V7) \
	PUT(17, V8) \
	PUT(23, V9) \
	PUT(29, V10) \
	PUT(35, V11) \
	LEAQ (R8)(BX*1), AX \
	GET(0, V0) \
	GET(1, V1) \
	GET(2, V2) \
	GET(3, V3) \
	GET(4, V4) \
	GET(5, V5) \
	IN6 \
	STOREPOS(store, V6) \
	STOREPOS(store, V7) \
	STOREPOS(store, V8) \
	STOREPOS(store, V9) \
	STOREPOS(store, V10) \
	STOREPOS(store, V11) \
	GET(6, V0) \
	GET(7, V1) \
	GET(8, V2) \
	GET(9, V3) \
	GET(10, V4) \
	GET(11, V5) \
	IN6 \
	STOREPOS(store, V6) \
	STOREPOS(store, V7) \
	STOREPOS(store, V8) \
	STOREPOS(store, V9) \
	STOREPOS(store, V10) \
	STOREPOS(store, V11) \
	GET(12, V0) \
	GET(13, V1) \
	GET(14, V2) \
	GET(15, V3) \
	GET(16, V4) \
	GET(17, V5) \
	IN6 \
	STOREPOS(store, V6) \
	STOREPOS(store, V7) \
	STOREPOS(store, V8) \
	STOREPOS(store, V9) \
	STOREPOS(store, V10) \
	STOREPOS(store, V11) \
	GET(18, V0) \
	GET(19, V1) \
	GET(20, V2) \
	GET(21, V3) \
	GET(22, V4) \
	GET(23, V5) \
	IN6 \
	STOREPOS(store, V6) \
	STOREPOS(store, V7) \
	STOREPOS(store, V8) \
	STOREPOS(store, V9) \
	STOREPOS(store, V10) \
	STOREPOS(store, V11) \
	GET(24, V0) \
	GET(25, V1) \
	GET(26, V2) \
	GET(27, V3) \
	GET(28, V4) \
	GET(29, V5) \
	IN6 \
	STOREPOS(store, V6) \
	STOREPOS(store, V7) \
	STOREPOS(store, V8) \
	STOREPOS(store, V9) \
	STOREPOS(store, V10) \
	STOREPOS(store, V11) \
	GET(30, V0) \
	GET(31, V1) \
	GET(32, V2) \
	GET(33, V3) \
	GET(34, V4) \
	GET(35, V5) \
	IN6 \
	STOREPOS(store, V6) \
	STOREPOS(store, V7) \
	STOREPOS(store, V8) \
	STOREPOS(store, V9) \
	STOREPOS(store, V10) \
	STOREPOS(store, V11)

// OUTPUT4 transforms channels of a tile of 2 x 2 pixels, along the rows first.
#define OUTPUT4(load, store, r0, r1, r2, r3) \
	LEAQ (R8)(BX*1), AX \
	NEXTPOS(load, V0) \
	NEXTPOS(load, V1) \
	NEXTPOS(load, V2) \
	NEXTPOS(load, V3) \
	OUT4 \
	PUT(0, V6) \
	PUT(1, V7) \
	NEXTPOS(load, V0) \
	NEXTPOS(load, V1) \
	NEXTPOS(load, V2) \
	NEXTPOS(load, V3) \
	OUT4 \
	PUT(2, V6) \
	PUT(3, V7) \
	NEXTPOS(load, V0) \
	NEXTPOS(load, V1) \
	NEXTPOS(load, V2) \
	NEXTPOS(load, V3) \
	OUT4 \
	PUT(4, V6) \
	PUT(5, V7) \
	NEXTPOS(load, V0) \
	NEXTPOS(load, V1) \
	NEXTPOS(load, V2) \
	NEXTPOS(load, V3) \
	OUT4 \
	PUT(6, V6) \
	PUT(7, V7) \
	load((R13)(BX*1), V14) \
	GET(0, V0) \
	GET(2, V1) \
	GET(4, V2) \
	GET(6, V3) \
	OUT4 \
	FINISH(0, load, store, V6, r0) \
	FINISH(2, load, store, V7, r2) \
	GET(1, V0) \
	GET(3, V1) \
	GET(5, V2) \
	GET(7, V3) \
	OUT4 \
	FINISH(1, load, store, V6, r1) \
	FINISH(3, load, store, V7, r3)

// OUTPUT6 transforms channels of a tile of 4 x 4 pixels, along the rows first.
#define OUTPUT6(load, store, r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14, r15) \
	LEAQ (R8)(BX*1), AX \
	NEXTPOS(load, V0) \
	NEXTPOS(load, V1) \
	NEXTPOS(load, V2) \
	NEXTPOS(load, V3) \
	NEXTPOS(load, V4) \
	NEXTPOS(load, V5) \
	OUT6 \
	PUT(0, V6) \
	PUT(1, V7) \
	PUT(2, V8) \
	PUT(3, V9) \
	NEXTPOS(load, V0) \
	NEXTPOS(load, V1) \
	NEXTPOS(load, V2) \
	NEXTPOS(load, V3) \
	NEXTPOS(load, V4) \
	NEXTPOS(load, V5) \
	OUT6 \
	PUT(4, V6) \
	PUT(5, V7) \
	PUT(6, V8) \
	PUT(7, V9) \
	NEXTPOS(load, V0) \
	NEXTPOS(load, V1) \
	NEXTPOS(load, V2) \
	NEXTPOS(load, V3) \
	NEXTPOS(load, V4) \
	NEXTPOS(load, V5) \
	OUT6 \
	PUT(8, V6) \
	PUT(9, V7) \
	PUT(10, V8) \
	PUT(11, V9) \
	NEXTPOS(load, V0) \
	NEXTPOS(load, V1) \
	NEXTPOS(load, V2) \
	NEXTPOS(load, V3) \
	NEXTPOS(load, V4) \
	NEXTPOS(load, V5) \
	OUT6 \
	PUT(12, V6) \
	PUT(13, V7) \
	PUT(14, V8) \
	PUT(15, V9) \
	NEXTPOS(load, V0) \
	NEXTPOS(load, V1) \
	NEXTPOS(load, V2) \
	NEXTPOS(load, V3) \
	NEXTPOS(load, V4) \
	NEXTPOS(load, V5) \
	OUT6 \
	PUT(16, V6) \
	PUT(17, V7) \
	PUT(18, V8) \
	PUT(19, V9) \
	NEXTPOS(load, V0) \
	NEXTPOS(load, V1) \
	NEXTPOS(load, V2) \
	NEXTPOS(load, V3) \
	NEXTPOS(load, V4) \
	NEXTPOS(load, V5) \
	OUT6 \
	PUT(20, V6) \
	PUT(21, V7) \
	PUT(22, V8) \
	PUT(23, V9) \
	load((R13)(BX*1), V14) \
	GET(0, V0) \
	GET(4, V1) \
	GET(8, V2) \
	GET(12, V3) \
	GET(16, V4) \
	GET(20, V5) \
	OUT6 \
	FINISH(0, load, store, V6, r0) \
	FINISH(4, load, store, V7, r4) \
	FINISH(8, load, store, V8, r8) \
	FINISH(12, load, store, V9, r12) \
	GET(1, V0) \
	GET(5, V1) \
	GET(9, V2) \
	GET(13, V3) \
	GET(17, V4) \
	GET(21, V5) \
	OUT6 \
	FINISH(1, load, store, V6, r1) \
	FINISH(5, load, store, V7, r5) \
	FINISH(9, load, store, V8, r9) \
	FINISH(13, load, store, V9, r13) \
	GET(2, V0) \
	GET(6, V1) \
	GET(10, V2) \
	GET(14, V3) \
	GET(18, V4) \
	GET(22, V5) \
	OUT6 \
	FINISH(2, load, store, V6, r2) \
	FINISH(6, load, store, V7, r6) \
	FINISH(10, load, store, V8, r10) \
	FINISH(14, load, store, V9, r14) \
	GET(3, V0) \
	GET(7, V1) \
	GET(11, V2) \
	GET(15, V3) \
	GET(19, V4) \
	GET(23, V5) \
	OUT6 \
	FINISH(3, load, store, V6, r3) \
	FINISH(7, load, store, V7, r7) \
	FINISH(11, load, store, V8, r11) \
	FINISH(15, load, store, V9, r15)

// TILES is the loop over tiles of so many pixels and their channels.
#define TILES(pixels, c12, c13, full, masked) \
	MOVQ args+0(FP), DI                      \
	MOVQ WinogradF32Args_Pixels(DI), SI      \
	MOVQ WinogradF32Args_Matrix(DI), R8      \
	MOVQ WinogradF32Args_PosStride(DI), R9   \
	MOVQ WinogradF32Args_Tiles(DI), R10      \
	MOVQ WinogradF32Args_Bias(DI), R13       \
	MOVQ WinogradF32Args_Res(DI), DX         \
	LEAQ tile-2304(SP), R11                  \
	VMOVUPS c12, V12                         \
	VMOVUPS c13, V13                         \
	MOVQ WinogradF32Args_C(DI), CX           \
	ANDQ $(VLANES-1), CX                     \
	TAILMASK(CX, AX)                         \
tile:                                        \
	XORQ BX, BX                              \
	MOVQ WinogradF32Args_C(DI), R12          \
	SUBQ $VLANES, R12                        \
	JLT  tail                                \
channels:                                    \
	full                                     \
	ADDQ $VSIZE, BX                          \
	SUBQ $VLANES, R12                        \
	JGE  channels                            \
tail:                                        \
	ADDQ $VLANES, R12                        \
	JZ   next                                \
	masked                                   \
next:                                        \
	MOVQ WinogradF32Args_C(DI), AX           \
	LEAQ (R8)(AX*4), R8                      \
	ADDQ $(8*pixels), SI                     \
	LEAQ (8*pixels)(DX), AX                  \
	TESTQ DX, DX                             \
	CMOVQNE AX, DX                           \
	DECQ R10                                 \
	JNZ  tile                                \
	VZEROUPPER                               \
	RET

#define FULLIN4 INPUT4(FULLLOAD, FULLSTORE)
#define MASKEDIN4 INPUT4(LOADTAIL, STORETAIL)
#define FULLOUT4 OUTPUT4(FULLLOAD, FULLSTORE, f0, f1, f2, f3)
#define MASKEDOUT4 OUTPUT4(LOADTAIL, STORETAIL, m0, m1, m2, m3)
#define FULLIN6 INPUT6(FULLLOAD, FULLSTORE)
#define MASKEDIN6 INPUT6(LOADTAIL, STORETAIL)
#define FULLOUT6 OUTPUT6(FULLLOAD, FULLSTORE, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15)
#define MASKEDOUT6 OUTPUT6(LOADTAIL, STORETAIL, m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15)
