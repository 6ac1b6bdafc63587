// The body of func dwconvF32*(args *DWConvF32Args), the depthwise convolution. Four pixels share each load of weights;
// with two vectors of channels that makes eight sums, enough to fill the
// multiply-add units, and 10 vector loads for 8 multiply-adds.

// TAPS loads the addresses of tap CX of the four pixels.
#define TAPS \
	MOVQ (R8)(CX*8), AX   \
	MOVQ (R9)(CX*8), DX   \
	MOVQ (R10)(CX*8), R14 \
	MOVQ (R11)(CX*8), R15

// CLAMP bounds v by V13 and V14, NaN being the operand that stays.
#define CLAMP(v) \
	VMAXPS v, V13, v \
	VMINPS v, V14, v

// CLAMP4 leaves the addresses of the four output pixels in AX, DX, R14 and R15.
#define CLAMP4(a, b, c, d) \
	CLAMP(a) \
	CLAMP(b) \
	CLAMP(c) \
	CLAMP(d) \
	MOVQ out0-8(SP), AX   \
	MOVQ out1-16(SP), DX  \
	MOVQ out2-24(SP), R14 \
	MOVQ out3-32(SP), R15

// TAP loads tap i of the columns that four pixels side by side touch.
#define TAP(i, load, v) \
	MOVQ (8*(i))(SI), AX \
	load((AX)(BX*1), v)

// SIDEBYSIDE is four pixels of a 3x3 window whose taps go column by column and overlap, so that 18 taps make 36
// products: V0 to V3 the pixels, V4 to V12 the weights. Each pixel adds its taps in order.
#define SIDEBYSIDE(load, store) \
	MOVQ DWConvF32Args_Bias(DI), AX \
	load((AX)(BX*1), V0) \
	VMOVAPS V0, V1 \
	VMOVAPS V0, V2 \
	VMOVAPS V0, V3 \
	TAP(0, load, V13) \
	VFMADD231PS V4, V13, V0 \
	TAP(1, load, V14) \
	VFMADD231PS V5, V14, V0 \
	TAP(2, load, V13) \
	VFMADD231PS V6, V13, V0 \
	TAP(3, load, V14) \
	VFMADD231PS V7, V14, V0 \
	VFMADD231PS V4, V14, V1 \
	TAP(4, load, V13) \
	VFMADD231PS V8, V13, V0 \
	VFMADD231PS V5, V13, V1 \
	TAP(5, load, V14) \
	VFMADD231PS V9, V14, V0 \
	VFMADD231PS V6, V14, V1 \
	TAP(6, load, V13) \
	VFMADD231PS V10, V13, V0 \
	VFMADD231PS V7, V13, V1 \
	VFMADD231PS V4, V13, V2 \
	TAP(7, load, V14) \
	VFMADD231PS V11, V14, V0 \
	VFMADD231PS V8, V14, V1 \
	VFMADD231PS V5, V14, V2 \
	TAP(8, load, V13) \
	VFMADD231PS V12, V13, V0 \
	VFMADD231PS V9, V13, V1 \
	VFMADD231PS V6, V13, V2 \
	TAP(9, load, V14) \
	VFMADD231PS V10, V14, V1 \
	VFMADD231PS V7, V14, V2 \
	VFMADD231PS V4, V14, V3 \
	TAP(10, load, V13) \
	VFMADD231PS V11, V13, V1 \
	VFMADD231PS V8, V13, V2 \
	VFMADD231PS V5, V13, V3 \
	TAP(11, load, V14) \
	VFMADD231PS V12, V14, V1 \
	VFMADD231PS V9, V14, V2 \
	VFMADD231PS V6, V14, V3 \
	TAP(12, load, V13) \
	VFMADD231PS V10, V13, V2 \
	VFMADD231PS V7, V13, V3 \
	TAP(13, load, V14) \
	VFMADD231PS V11, V14, V2 \
	VFMADD231PS V8, V14, V3 \
	TAP(14, load, V13) \
	VFMADD231PS V12, V13, V2 \
	VFMADD231PS V9, V13, V3 \
	TAP(15, load, V14) \
	VFMADD231PS V10, V14, V3 \
	TAP(16, load, V13) \
	VFMADD231PS V11, V13, V3 \
	TAP(17, load, V14) \
	VFMADD231PS V12, V14, V3 \
	VBROADCASTSS DWConvF32Args_Lo(DI), V13 \
	VBROADCASTSS DWConvF32Args_Hi(DI), V14 \
	CLAMP(V0) \
	CLAMP(V1) \
	CLAMP(V2) \
	CLAMP(V3) \
	LEAQ (R8)(BX*1), AX \
	store(V0, (AX)) \
	store(V1, (AX)(R13*1)) \
	store(V2, (AX)(R13*2)) \
	ADDQ R14, AX \
	store(V3, (AX))

#define FULLLOAD(mem, v) VMOVUPS mem, v
#define FULLSTORE(v, mem) VMOVUPS v, mem

// WEIGHT loads the next tap's weights.
#define WEIGHT(load, v) \
	load((AX), v) \
	ADDQ R10, AX

// WINDOWS is SIDEBYSIDE with the weights of a vector of channels.
#define WINDOWS(load, store) \
	LEAQ (R11)(BX*1), AX \
	WEIGHT(load, V4) \
	WEIGHT(load, V5) \
	WEIGHT(load, V6) \
	WEIGHT(load, V7) \
	WEIGHT(load, V8) \
	WEIGHT(load, V9) \
	WEIGHT(load, V10) \
	WEIGHT(load, V11) \
	WEIGHT(load, V12) \
	SIDEBYSIDE(load, store)

// SINGLE is four pixels, whose taps are at R8 to R11, of a vector of channels.
#define SINGLE(load, store, tap) \
	MOVQ DWConvF32Args_Bias(DI), AX \
	load((AX)(BX*1), V0) \
	VMOVAPS V0, V2 \
	VMOVAPS V0, V4 \
	VMOVAPS V0, V6 \
	MOVQ DWConvF32Args_W(DI), SI \
	ADDQ BX, SI \
	XORQ CX, CX \
tap: \
	TAPS \
	load((SI), V8) \
	ADDQ R13, SI \
	INCQ CX \
	load((AX)(BX*1), V9) \
	load((DX)(BX*1), V10) \
	load((R14)(BX*1), V11) \
	load((R15)(BX*1), V12) \
	VFMADD231PS V9, V8, V0 \
	VFMADD231PS V10, V8, V2 \
	VFMADD231PS V11, V8, V4 \
	VFMADD231PS V12, V8, V6 \
	CMPQ CX, DWConvF32Args_KS(DI) \
	JLT  tap \
	CLAMP4(V0, V2, V4, V6) \
	store(V0, (AX)(BX*1)) \
	store(V2, (DX)(BX*1)) \
	store(V4, (R14)(BX*1)) \
	store(V6, (R15)(BX*1))

// DI args, SI weights of the tap, R8-R11 tap pointers of the four pixels, R12 channels left,
// R13 bytes of a row of weights, BX byte offset of the channels, CX tap. On the stack: four output
// pixels, pixels left, byte offset of the chunk of channels.
TEXT DWCONV_F32(SB), NOSPLIT, $48-8
	MOVQ args+0(FP), DI
	CMPQ DWConvF32Args_KS(DI), $9
	JNE  general
	CMPQ DWConvF32Args_AStep(DI), $3
	JNE  general
	CMPQ DWConvF32Args_P(DI), $4
	JGE  windows

general:
	VBROADCASTSS DWConvF32Args_Lo(DI), V13
	VBROADCASTSS DWConvF32Args_Hi(DI), V14
	MOVQ DWConvF32Args_C(DI), R13
	SHLQ $2, R13
	MOVQ $0, first-48(SP)

chunk:
	// Eight vectors of channels for all pixels: what the taps share stays in the first-level cache.
	MOVQ DWConvF32Args_A(DI), R8
	MOVQ DWConvF32Args_Out(DI), AX
	MOVQ DWConvF32Args_P(DI), DX
	MOVQ DX, left-40(SP)

pixels:
	// The second to fourth pixel; where there is none, the last one is computed again.
	MOVQ AX, out0-8(SP)
	MOVQ DWConvF32Args_AStep(DI), BX
	SHLQ $3, BX
	MOVQ DWConvF32Args_OutStride(DI), CX
	MOVQ left-40(SP), DX
	MOVQ R8, R9
	CMPQ DX, $2
	JLT  second
	ADDQ BX, R9
	ADDQ CX, AX

second:
	MOVQ AX, out1-16(SP)
	MOVQ R9, R10
	CMPQ DX, $3
	JLT  third
	ADDQ BX, R10
	ADDQ CX, AX

third:
	MOVQ AX, out2-24(SP)
	MOVQ R10, R11
	CMPQ DX, $4
	JLT  fourth
	ADDQ BX, R11
	ADDQ CX, AX

fourth:
	MOVQ AX, out3-32(SP)
	MOVQ first-48(SP), BX
	MOVQ R13, R12
	SUBQ BX, R12
	SHRQ $2, R12
	MOVQ $(8*VLANES), CX
	CMPQ R12, CX
	CMOVQGT CX, R12
	SUBQ $(2*VLANES), R12
	JLT  single

pair:
	// Two vectors of channels at a time.
	MOVQ DWConvF32Args_Bias(DI), AX
	VMOVUPS (AX)(BX*1), V0
	VMOVUPS VSIZE(AX)(BX*1), V1
	VMOVAPS V0, V2
	VMOVAPS V1, V3
	VMOVAPS V0, V4
	VMOVAPS V1, V5
	VMOVAPS V0, V6
	VMOVAPS V1, V7
	MOVQ DWConvF32Args_W(DI), SI
	ADDQ BX, SI
	XORQ CX, CX

pairTap:
	TAPS
	VMOVUPS (SI), V8
	VMOVUPS VSIZE(SI), V9
	ADDQ R13, SI
	INCQ CX
	VFMADD231PS (AX)(BX*1), V8, V0
	VFMADD231PS VSIZE(AX)(BX*1), V9, V1
	VFMADD231PS (DX)(BX*1), V8, V2
	VFMADD231PS VSIZE(DX)(BX*1), V9, V3
	VFMADD231PS (R14)(BX*1), V8, V4
	VFMADD231PS VSIZE(R14)(BX*1), V9, V5
	VFMADD231PS (R15)(BX*1), V8, V6
	VFMADD231PS VSIZE(R15)(BX*1), V9, V7
	CMPQ CX, DWConvF32Args_KS(DI)
	JLT  pairTap
	CLAMP4(V0, V2, V4, V6)
	CLAMP(V1)
	CLAMP(V3)
	CLAMP(V5)
	CLAMP(V7)
	VMOVUPS V0, (AX)(BX*1)
	VMOVUPS V1, VSIZE(AX)(BX*1)
	VMOVUPS V2, (DX)(BX*1)
	VMOVUPS V3, VSIZE(DX)(BX*1)
	VMOVUPS V4, (R14)(BX*1)
	VMOVUPS V5, VSIZE(R14)(BX*1)
	VMOVUPS V6, (R15)(BX*1)
	VMOVUPS V7, VSIZE(R15)(BX*1)
	ADDQ $(2*VSIZE), BX
	SUBQ $(2*VLANES), R12
	JGE  pair

single:
	// The last channels, less than two vectors, one of them whole or masked at a time.
	ADDQ $(2*VLANES), R12
	JLE  nextPixels
	CMPQ R12, $VLANES
	JLT  masked
	SINGLE(FULLLOAD, FULLSTORE, wholeTap)
	ADDQ $VSIZE, BX
	SUBQ $VLANES, R12
	JZ   nextPixels

masked:
	TAILMASK(R12, AX)
	SINGLE(LOADTAIL, STORETAIL, maskedTap)

nextPixels:
	MOVQ DWConvF32Args_AStep(DI), BX
	LEAQ (R11)(BX*8), R8
	MOVQ out3-32(SP), AX
	ADDQ DWConvF32Args_OutStride(DI), AX
	SUBQ $4, left-40(SP)
	JGT  pixels
	ADDQ $(8*VSIZE), first-48(SP)
	CMPQ R13, first-48(SP)
	JGT  chunk
	VZEROUPPER
	RET

windows:
	// SI taps of four pixels, R8 their output, R9 pixels left, R10 bytes of a row of weights, R11 weights,
	// R12 channels left, R13 bytes between output pixels, R14 three times that, BX byte offset of the channels.
	MOVQ DWConvF32Args_OutStride(DI), R13
	LEAQ (R13)(R13*2), R14
	MOVQ DWConvF32Args_C(DI), R10
	SHLQ $2, R10
	MOVQ DWConvF32Args_W(DI), R11
	MOVQ $0, first-48(SP)

windowsChunk:
	MOVQ DWConvF32Args_A(DI), SI
	MOVQ DWConvF32Args_Out(DI), R8
	MOVQ DWConvF32Args_P(DI), R9

windowsPixels:
	MOVQ first-48(SP), BX
	MOVQ R10, R12
	SUBQ BX, R12
	SHRQ $2, R12
	MOVQ $(8*VLANES), CX
	CMPQ R12, CX
	CMOVQGT CX, R12
	SUBQ $VLANES, R12
	JLT  windowsTail

windowsChannels:
	WINDOWS(FULLLOAD, FULLSTORE)
	ADDQ $VSIZE, BX
	SUBQ $VLANES, R12
	JGE  windowsChannels

windowsTail:
	ADDQ $VLANES, R12
	JZ   windowsNext
	TAILMASK(R12, AX)
	WINDOWS(LOADTAIL, STORETAIL)

windowsNext:
	// The last four pixels may overlap those before: no other code for what is left.
	ADDQ $(4*24), SI
	LEAQ (R8)(R13*4), R8
	SUBQ $4, R9
	JZ   windowsDone
	CMPQ R9, $4
	JGE  windowsPixels
	LEAQ -4(R9), AX
	LEAQ (AX)(AX*2), CX
	LEAQ (SI)(CX*8), SI
	IMULQ R13, AX
	ADDQ AX, R8
	MOVQ $4, R9
	JMP  windowsPixels

windowsDone:
	ADDQ $(8*VSIZE), first-48(SP)
	CMPQ R10, first-48(SP)
	JGT  windowsChunk
	VZEROUPPER
	RET
