//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

// BINS makes bins of the values in V(x): V8, V9 and V10 are Sub, Mul and Div, V11 First, V12 is 0 and V13 Bins-1.
#define BINS(x) \
	FSUB_4S(x, x, 8);  \
	FMUL_4S(x, x, 9);  \
	FDIV_4S(x, x, 10); \
	FCVTMS_4S(x, x);   \
	SUB_4S(x, x, 11);  \
	SMAX_4S(x, x, 12); \
	SMIN_4S(x, x, 13)

// COUNT4 counts four bins, one in each table.
#define COUNT4(v) \
	VMOV  v.S[0], R8;         \
	VMOV  v.S[1], R9;         \
	VMOV  v.S[2], R10;        \
	VMOV  v.S[3], R11;        \
	MOVWU (R2)(R8<<2), R12;   \
	MOVWU (R3)(R9<<2), R13;   \
	MOVWU (R4)(R10<<2), R14;  \
	MOVWU (R5)(R11<<2), R15;  \
	ADD   $1, R12;            \
	ADD   $1, R13;            \
	ADD   $1, R14;            \
	ADD   $1, R15;            \
	MOVW  R12, (R2)(R8<<2);   \
	MOVW  R13, (R3)(R9<<2);   \
	MOVW  R14, (R4)(R10<<2);  \
	MOVW  R15, (R5)(R11<<2)

// func histogramF32NEON(args *HistogramF32Args)
//
// R0 args, R1 values, R2 to R5 the tables, R6 values left, R8 to R15 four bins and their counts.
TEXT ·histogramF32NEON(SB), NOSPLIT, $0-8
	MOVD  args+0(FP), R0
	ADD   $HistogramF32Args_Sub, R0, R1
	VLD1R (R1), [V8.S4]
	ADD   $HistogramF32Args_Mul, R0, R1
	VLD1R (R1), [V9.S4]
	ADD   $HistogramF32Args_Div, R0, R1
	VLD1R (R1), [V10.S4]
	MOVW  HistogramF32Args_First(R0), R1
	VDUP  R1, V11.S4
	VEOR  V12.B16, V12.B16, V12.B16
	MOVW  HistogramF32Args_Bins(R0), R1
	SUB   $1, R1
	VDUP  R1, V13.S4
	MOVD  HistogramF32Args_Counts(R0), R2
	MOVD  HistogramF32Args_Stride(R0), R1
	ADD   R1<<2, R2, R3
	ADD   R1<<2, R3, R4
	ADD   R1<<2, R4, R5
	MOVD  HistogramF32Args_X(R0), R1
	MOVD  HistogramF32Args_N(R0), R6
	SUBS  $8, R6
	BLT   tail

loop:
	FLDPQ.P 32(R1), (F0, F1)
	BINS(0)
	BINS(1)
	COUNT4(V0)
	COUNT4(V1)
	SUBS    $8, R6
	BGE     loop

tail:
	ADDS $8, R6
	BEQ  done

one:
	FMOVS.P 4(R1), F0
	BINS(0)
	VMOV    V0.S[0], R8
	MOVWU   (R2)(R8<<2), R12
	ADD     $1, R12
	MOVW    R12, (R2)(R8<<2)
	SUBS    $1, R6
	BNE     one

done:
	RET
