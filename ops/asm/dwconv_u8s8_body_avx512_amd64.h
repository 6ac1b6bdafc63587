// The body of func dwconvU8S8AVX512*(args *DWConvU8S8Args): blocks of 64 channels whose accumulators are in the
// order in which unpacking bytes within 128-bit lanes leaves them: lane l of Z(j) accumulates channels
// 16l+4j to 16l+4j+3. A kernel defines, besides the name DWCONV_U8S8,
//
//	TAPLOOP  adds AX taps, whose pointers are at SI, to Z0 to Z3, with the weights at BX, 256 bytes per group of
//	         taps; it may use Z4 to Z15, R8 and R9. It ends before the label quantize.
//	GROUPS   turns a number of taps into that of its groups

#define TAP(i, a) \
	MOVQ        i*8(SI), R8; \
	VMOVDQU8.Z  (R8)(R10*1), K5, a

TEXT DWCONV_U8S8(SB), NOSPLIT, $0-8
	// R10: first channel of the block, R11: weights of the block, Z31: zero.
	MOVQ   args+0(FP), DI
	XORL   R10, R10
	MOVQ   DWConvU8S8Args_W(DI), R11
	VPXORD Z31, Z31, Z31

	// Constants: Z28 Hi-Zero, Z29 Zero, Z30 Lo.
	VPBROADCASTD DWConvU8S8Args_Hi(DI), Z28
	VPBROADCASTD DWConvU8S8Args_Zero(DI), Z29
	VPSUBD       Z29, Z28, Z28
	VCVTDQ2PS    Z28, Z28
	VPBROADCASTW DWConvU8S8Args_Zero(DI), Z29
	VPBROADCASTB DWConvU8S8Args_Lo(DI), Z30

block:
	// K5: the channels of the block that exist, K1 to K4 by 16.
	MOVQ     DWConvU8S8Args_C(DI), CX
	SUBQ     R10, CX
	CHANNELS64(CX, AX)
	KMOVQ    K5, K1
	KSHIFTRQ $16, K5, K2
	KSHIFTRQ $32, K5, K3
	KSHIFTRQ $48, K5, K4

	// Z16-Z19: bias, Z20-Z23: multipliers.
	MOVQ DWConvU8S8Args_Bias(DI), AX
	LANES(Z16, Z17, Z18, Z19)
	MOVQ DWConvU8S8Args_Mult(DI), AX
	LANES(Z20, Z21, Z22, Z23)

	// R12: pixels left, R13: taps of the pixel, R14: its output.
	MOVQ DWConvU8S8Args_P(DI), R12
	MOVQ DWConvU8S8Args_A(DI), R13
	MOVQ DWConvU8S8Args_Out(DI), R14
	ADDQ R10, R14

pixel:
	VMOVDQA64 Z16, Z0
	VMOVDQA64 Z17, Z1
	VMOVDQA64 Z18, Z2
	VMOVDQA64 Z19, Z3
	MOVQ      R11, BX
	MOVQ      R13, SI
	MOVQ      DWConvU8S8Args_KS(DI), AX
	TAPLOOP

quantize:
	NARROW64(Z20, Z21, Z22, Z23)
	VMOVDQU8  Z0, K5, (R14)
	MOVQ      DWConvU8S8Args_AStep(DI), AX
	LEAQ      (R13)(AX*8), R13
	ADDQ      DWConvU8S8Args_OutStride(DI), R14
	DECQ      R12
	JNZ       pixel

	// Next block.
	MOVQ DWConvU8S8Args_KS(DI), AX
	GROUPS(AX)
	SHLQ $8, AX
	ADDQ AX, R11
	ADDQ $64, R10
	CMPQ R10, DWConvU8S8Args_C(DI)
	JLT  block
	VZEROUPPER
	RET
