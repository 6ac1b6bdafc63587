//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

// R0 args, R1 row, R2 Dst, R3 stride of the rows, R4 rows left, R5 columns, R6 the elements, R10 columns left.
#define REDUCESTART \
	MOVD args+0(FP), R0;                \
	MOVD ReduceF32Args_Src(R0), R1;     \
	MOVD ReduceF32Args_Dst(R0), R2;     \
	MOVD ReduceF32Args_SrcStride(R0), R3; \
	MOVD ReduceF32Args_Rows(R0), R4;    \
	MOVD ReduceF32Args_Cols(R0), R5

#define CLEAR4 \
	VEOR V0.B16, V0.B16, V0.B16; \
	VEOR V1.B16, V1.B16, V1.B16; \
	VEOR V2.B16, V2.B16, V2.B16; \
	VEOR V3.B16, V3.B16, V3.B16

// ADD16 adds the 16 floats at r to V0 to V3.
#define ADD16(r) \
	FLDPQ (r), (F4, F5);   \
	FLDPQ 32(r), (F6, F7); \
	FADD_4S(0, 0, 4);      \
	FADD_4S(1, 1, 5);      \
	FADD_4S(2, 2, 6);      \
	FADD_4S(3, 3, 7)

// func rowSumF32NEON(args *ReduceF32Args)
//
// Four vectors take turns, then their lanes are joined.
TEXT ·rowSumF32NEON(SB), NOSPLIT, $0-8
	REDUCESTART

row:
	CLEAR4
	MOVD R1, R6
	SUBS $16, R5, R10
	BLT  fours

loop:
	ADD16(R6)
	ADD  $64, R6
	SUBS $16, R10
	BGE  loop

fours:
	ADDS $12, R10
	BLT  tail

four:
	FMOVQ.P 16(R6), F4
	FADD_4S(0, 0, 4)
	SUBS    $4, R10
	BGE     four

tail:
	FADD_4S(0, 0, 1)
	FADD_4S(2, 2, 3)
	FADD_4S(0, 0, 2)
	FADDP_4S(0, 0, 0)
	FADDP_4S(0, 0, 0)
	ADDS $4, R10
	BEQ  next

one:
	FMOVS.P 4(R6), F4
	FADDS   F4, F0, F0
	SUBS    $1, R10
	BNE     one

next:
	FMOVS.P F0, 4(R2)
	ADD     R3, R1
	SUBS    $1, R4
	BNE     row
	RET

// func colSumF32NEON(args *ReduceF32Args)
//
// Down all rows, 16 columns at a time, then four, then single ones; R7 rows left.
TEXT ·colSumF32NEON(SB), NOSPLIT, $0-8
	REDUCESTART
	SUBS $16, R5, R10
	BLT  fours

columns16:
	CLEAR4
	MOVD R1, R6
	MOVD R4, R7

rows16:
	ADD16(R6)
	ADD    R3, R6
	SUBS   $1, R7
	BNE    rows16
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R2)
	ADD    $64, R1
	SUBS   $16, R10
	BGE    columns16

fours:
	ADDS $12, R10
	BLT  tail

columns4:
	VEOR V0.B16, V0.B16, V0.B16
	MOVD R1, R6
	MOVD R4, R7

rows4:
	FMOVQ   (R6), F4
	FADD_4S(0, 0, 4)
	ADD     R3, R6
	SUBS    $1, R7
	BNE     rows4
	FMOVQ.P F0, 16(R2)
	ADD     $16, R1
	SUBS    $4, R10
	BGE     columns4

tail:
	ADDS $4, R10
	BEQ  done

column:
	FMOVS ZR, F0
	MOVD  R1, R6
	MOVD  R4, R7

rows1:
	FMOVS   (R6), F4
	FADDS   F4, F0, F0
	ADD     R3, R6
	SUBS    $1, R7
	BNE     rows1
	FMOVS.P F0, 4(R2)
	ADD     $4, R1
	SUBS    $1, R10
	BNE     column

done:
	RET
