// The loops of func {rowSum,colSum}F32*(args *ReduceF32Args).
//
// DI args, SI row, BX Dst, R8 stride of the rows, R9 rows left, R10 columns,
// CX columns left, AX byte offset of the columns.

#define REDUCESTART \
	MOVQ args+0(FP), DI                   \
	MOVQ ReduceF32Args_Src(DI), SI        \
	MOVQ ReduceF32Args_Dst(DI), BX        \
	MOVQ ReduceF32Args_SrcStride(DI), R8  \
	MOVQ ReduceF32Args_Rows(DI), R9       \
	MOVQ ReduceF32Args_Cols(DI), R10

// REDUCEROWS: four vectors take turns, then their lanes are joined; tail lanes beyond the row are loaded as zeros.
#define REDUCEROWS \
	REDUCESTART                        \
	MOVQ R10, CX                       \
	ANDQ $(VLANES-1), CX               \
	TAILMASK(CX, AX)                   \
row:                                   \
	VXORPS V0, V0, V0                  \
	VXORPS V4, V4, V4                  \
	VXORPS V5, V5, V5                  \
	VXORPS V6, V6, V6                  \
	XORQ AX, AX                        \
	MOVQ R10, CX                       \
	SUBQ $(4*VLANES), CX               \
	JLT  few                           \
four:                                  \
	VADDPS (SI)(AX*1), V0, V0          \
	VADDPS VSIZE(SI)(AX*1), V4, V4     \
	VADDPS (2*VSIZE)(SI)(AX*1), V5, V5 \
	VADDPS (3*VSIZE)(SI)(AX*1), V6, V6 \
	ADDQ $(4*VSIZE), AX                \
	SUBQ $(4*VLANES), CX               \
	JGE  four                          \
few:                                   \
	ADDQ $(3*VLANES), CX               \
	JLT  tail                          \
one:                                   \
	VADDPS (SI)(AX*1), V0, V0          \
	ADDQ $VSIZE, AX                    \
	SUBQ $VLANES, CX                   \
	JGE  one                           \
tail:                                  \
	ADDQ $VLANES, CX                   \
	JZ   join                          \
	LOADTAIL((SI)(AX*1), V1)           \
	VADDPS V1, V0, V0                  \
join:                                  \
	VADDPS V4, V0, V0                  \
	VADDPS V6, V5, V5                  \
	VADDPS V5, V0, V0                  \
	HSUM                               \
	VMOVSS X0, (BX)                    \
	ADDQ $4, BX                        \
	ADDQ R8, SI                        \
	DECQ R9                            \
	JNZ  row                           \
	VZEROUPPER                         \
	RET

// REDUCECOLS: four vectors of columns at a time, then one masked vector at a time,
// down all rows. DX rows left, R11 the row.
#define REDUCECOLS \
	REDUCESTART                     \
	MOVQ R10, CX                    \
	SUBQ $(4*VLANES), CX            \
	JLT  few                        \
four:                               \
	VXORPS V0, V0, V0               \
	VXORPS V1, V1, V1               \
	VXORPS V2, V2, V2               \
	VXORPS V3, V3, V3               \
	MOVQ SI, R11                    \
	MOVQ R9, DX                     \
row4:                               \
	VADDPS (R11), V0, V0            \
	VADDPS VSIZE(R11), V1, V1       \
	VADDPS (2*VSIZE)(R11), V2, V2   \
	VADDPS (3*VSIZE)(R11), V3, V3   \
	ADDQ R8, R11                    \
	DECQ DX                         \
	JNZ  row4                       \
	VMOVUPS V0, (BX)                \
	VMOVUPS V1, VSIZE(BX)           \
	VMOVUPS V2, (2*VSIZE)(BX)       \
	VMOVUPS V3, (3*VSIZE)(BX)       \
	ADDQ $(4*VSIZE), SI             \
	ADDQ $(4*VSIZE), BX             \
	SUBQ $(4*VLANES), CX            \
	JGE  four                       \
few:                                \
	ADDQ $(4*VLANES), CX            \
	JLE  done                       \
masked:                             \
	MOVQ $VLANES, DX                \
	CMPQ CX, DX                     \
	CMOVQLT CX, DX                  \
	TAILMASK(DX, AX)                \
	VXORPS V0, V0, V0               \
	MOVQ SI, R11                    \
	MOVQ R9, DX                     \
row1:                               \
	LOADTAIL((R11), V1)             \
	VADDPS V1, V0, V0               \
	ADDQ R8, R11                    \
	DECQ DX                         \
	JNZ  row1                       \
	STORETAIL(V0, (BX))             \
	ADDQ $VSIZE, SI                 \
	ADDQ $VSIZE, BX                 \
	SUBQ $VLANES, CX                \
	JGT  masked                     \
done:                               \
	VZEROUPPER                      \
	RET
