// What the depthwise kernels of 16 channels have in common. Bytes of the input are made signed, so each block of channels begins with 128
// times the sums of its weights, as int32: with the bias they are where sums begin.
//
// R0: args, R1: C, R2: first channel of the block, R3: its weights in order, behind the sums, R4: bytes of a block; R5: pointers of the pixel,
// R6: its output, R7: pixels left, R8: AStep in bytes, R21: OutStride. Frame: 112 bytes, where sums begin and, from 48 on, what NARROW16 needs.

// BLOCKS begins the walk over blocks.
#define BLOCKS \
	MOVD args+0(FP), R0; \
	NARROWING(DWConvU8S8Args_Zero, DWConvU8S8Args_Lo, DWConvU8S8Args_Hi, R9); \
	MOVD $narrow-48(SP), R9; \
	VST1 [V22.B16, V23.B16, V24.B16], (R9); \
	MOVD DWConvU8S8Args_C(R0), R1; \
	MOVD DWConvU8S8Args_W(R0), R3; \
	MOVD DWConvU8S8Args_AStep(R0), R8; \
	LSL  $3, R8, R8; \
	MOVD DWConvU8S8Args_OutStride(R0), R21; \
	MOVD ZR, R2

// STARTBLOCK sets the block's first channel, where the last block overlaps the one before, and stores where its sums begin.
#define STARTBLOCK \
	SUB    $16, R1, R9; \
	CMP    R9, R2; \
	CSEL   GT, R9, R2, R2; \
	MOVD   DWConvU8S8Args_Bias(R0), R9; \
	ADD    R2<<2, R9, R9; \
	VLD1   (R9), [V0.S4, V1.S4, V2.S4, V3.S4]; \
	VLD1.P 64(R3), [V4.S4, V5.S4, V6.S4, V7.S4]; \
	VADD   V4.S4, V0.S4, V0.S4; \
	VADD   V5.S4, V1.S4, V1.S4; \
	VADD   V6.S4, V2.S4, V2.S4; \
	VADD   V7.S4, V3.S4, V3.S4; \
	MOVD   $begin-112(SP), R10; \
	VST1   [V0.S4, V1.S4, V2.S4, V3.S4], (R10); \
	MOVD   $narrow-48(SP), R11; \
	MOVD   DWConvU8S8Args_Mult(R0), R12; \
	ADD    R2<<2, R12, R12; \
	MOVD   DWConvU8S8Args_A(R0), R5; \
	MOVD   DWConvU8S8Args_Out(R0), R6; \
	ADD    R2, R6, R6; \
	MOVD   DWConvU8S8Args_P(R0), R7

// FINISH stores the outputs of the sums in V0-V3. It spoils V4-V7.
#define FINISH \
	VLD1  (R12), [V4.S4, V5.S4, V6.S4, V7.S4]; \
	FLOATS4(0, 1, 2, 3); \
	FMUL_4S(0, 0, 4); \
	FMUL_4S(1, 1, 5); \
	FMUL_4S(2, 2, 6); \
	FMUL_4S(3, 3, 7); \
	VLD1  (R11), [V4.B16, V5.B16, V6.B16]; \
	NARROW16(4, V5, V6); \
	VST1  [V0.B16], (R6); \
	ADD   R21, R6, R6; \
	ADD   R8, R5, R5

// TAP loads 16 channels of the tap whose pointer is in R(r) into V(v), which is V by name, and makes them signed; flip: 128 in each byte.
#define TAP(r, v, V, flip) \
	LDRX_Q(v, r, 2); \
	VEOR flip.B16, V.B16, V.B16
