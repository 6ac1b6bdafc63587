// The body of func softmaxF32*(args *SoftmaxF32Args): three passes over each row.
//
// DI args, SI Src, BX Dst, DX Mask or 0, R10 rows left, R11 columns, CX columns left,
// AX byte offset of the columns.
TEXT SOFTMAX_F32(SB), NOSPLIT, $0-8
	MOVQ args+0(FP), DI
	MOVQ SoftmaxF32Args_Src(DI), SI
	MOVQ SoftmaxF32Args_Dst(DI), BX
	MOVQ SoftmaxF32Args_Mask(DI), DX
	MOVQ SoftmaxF32Args_Rows(DI), R10
	MOVQ SoftmaxF32Args_Cols(DI), R11
	MOVQ R11, CX
	ANDQ $(VLANES-1), CX
	TAILMASK(CX, AX)

row:
	// Store t and find its largest, in V0. A NaN may get lost here, not below.
	VBROADCASTSS SoftmaxF32Args_Scale(DI), V13
	VBROADCASTSS softmaxMinusInf<>(SB), V14
	VMOVAPS V14, V0
	XORQ AX, AX
	MOVQ R11, CX
	SUBQ $VLANES, CX
	JLT  maxTail

maxLoop:
	VMULPS (SI)(AX*1), V13, V1
	TESTQ DX, DX
	JZ   maxPlain
	VADDPS (DX)(AX*1), V1, V1

maxPlain:
	VMOVUPS V1, (BX)(AX*1)
	VMAXPS V1, V0, V0
	ADDQ $VSIZE, AX
	SUBQ $VLANES, CX
	JGE  maxLoop

maxTail:
	ADDQ $VLANES, CX
	JZ   maxDone
	LOADTAIL((SI)(AX*1), V1)
	VMULPS V13, V1, V1
	TESTQ DX, DX
	JZ   maxPlainTail
	LOADTAIL((DX)(AX*1), V2)
	VADDPS V2, V1, V1

maxPlainTail:
	STORETAIL(V1, (BX)(AX*1))
	KEEPTAIL(V1, V14, V1)
	VMAXPS V1, V0, V0

maxDone:
	HMAX
	VMOVAPS V0, V14

	// Store e^(t-max) and sum it up, in V13.
	VXORPS V13, V13, V13
	XORQ AX, AX
	MOVQ R11, CX
	SUBQ $VLANES, CX
	JLT  expTail

expLoop:
	VMOVUPS (BX)(AX*1), V0
	VSUBPS V14, V0, V0
	EXP(V0, V1, V2, V3, V4)
	VMOVUPS V1, (BX)(AX*1)
	VADDPS V1, V13, V13
	ADDQ $VSIZE, AX
	SUBQ $VLANES, CX
	JGE  expLoop

expTail:
	ADDQ $VLANES, CX
	JZ   expDone
	LOADTAIL((BX)(AX*1), V0)
	VSUBPS V14, V0, V0
	EXP(V0, V1, V2, V3, V4)
	STORETAIL(V1, (BX)(AX*1))
	VXORPS V2, V2, V2
	KEEPTAIL(V1, V2, V1)
	VADDPS V1, V13, V13

expDone:
	VMOVAPS V13, V0
	HSUM
	VMOVUPS mathOne<>(SB), V1
	VDIVPS V0, V1, V13

	// Divide by the sum.
	XORQ AX, AX
	MOVQ R11, CX
	SUBQ $VLANES, CX
	JLT  scaleTail

scaleLoop:
	VMULPS (BX)(AX*1), V13, V0
	VMOVUPS V0, (BX)(AX*1)
	ADDQ $VSIZE, AX
	SUBQ $VLANES, CX
	JGE  scaleLoop

scaleTail:
	ADDQ $VLANES, CX
	JZ   next
	LOADTAIL((BX)(AX*1), V0)
	VMULPS V13, V0, V0
	STORETAIL(V0, (BX)(AX*1))

next:
	ADDQ SoftmaxF32Args_SrcStride(DI), SI
	ADDQ SoftmaxF32Args_DstStride(DI), BX
	ADDQ SoftmaxF32Args_MaskStride(DI), DX
	CMPQ SoftmaxF32Args_Mask(DI), $0
	JNE  masked
	XORQ DX, DX

masked:
	DECQ R10
	JNZ  row
	VZEROUPPER
	RET

DATA softmaxMinusInf<>+0(SB)/4, $0xff800000
GLOBL softmaxMinusInf<>(SB), RODATA|NOPTR, $4
