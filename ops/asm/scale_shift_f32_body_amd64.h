// The body of func scaleShiftF32*(args *ScaleShiftF32Args). DI args, SI Src, BX Dst, R8 Scale, R9 Shift,
// R10 rows left, R11 columns, CX columns left, AX byte offset of the columns; V13 and V14 the bounds.

// SCALESHIFT turns x into the output, a NaN being the operand that VMAXPS and VMINPS return.
#define SCALESHIFT(x, scale, shift) \
	VFMADD213PS shift, scale, x \
	VMAXPS x, V13, x         \
	VMINPS x, V14, x

TEXT SCALE_SHIFT_F32(SB), NOSPLIT, $0-8
	MOVQ args+0(FP), DI
	MOVQ ScaleShiftF32Args_Src(DI), SI
	MOVQ ScaleShiftF32Args_Dst(DI), BX
	MOVQ ScaleShiftF32Args_Scale(DI), R8
	MOVQ ScaleShiftF32Args_Shift(DI), R9
	MOVQ ScaleShiftF32Args_Rows(DI), R10
	MOVQ ScaleShiftF32Args_Cols(DI), R11
	VBROADCASTSS ScaleShiftF32Args_Lo(DI), V13
	VBROADCASTSS ScaleShiftF32Args_Hi(DI), V14
	MOVQ R11, CX
	ANDQ $(VLANES-1), CX
	TAILMASK(CX, AX)

row:
	XORQ AX, AX
	MOVQ R11, CX
	SUBQ $VLANES, CX
	JLT  tail

loop:
	VMOVUPS (SI)(AX*1), V0
	VMOVUPS (R8)(AX*1), V1
	SCALESHIFT(V0, V1, (R9)(AX*1))
	VMOVUPS V0, (BX)(AX*1)
	ADDQ $VSIZE, AX
	SUBQ $VLANES, CX
	JGE  loop

tail:
	ADDQ $VLANES, CX
	JZ   next
	LOADTAIL((SI)(AX*1), V0)
	LOADTAIL((R8)(AX*1), V1)
	LOADTAIL((R9)(AX*1), V2)
	SCALESHIFT(V0, V1, V2)
	STORETAIL(V0, (BX)(AX*1))

next:
	ADDQ ScaleShiftF32Args_SrcStride(DI), SI
	ADDQ ScaleShiftF32Args_DstStride(DI), BX
	DECQ R10
	JNZ  row
	VZEROUPPER
	RET
