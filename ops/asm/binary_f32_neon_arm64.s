//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

// The functions, of V(a) and V(b) into V(d).
#define ADDF(d, a, b) FADD_4S(d, a, b)
#define SUBF(d, a, b) FSUB_4S(d, a, b)
#define MULF(d, a, b) FMUL_4S(d, a, b)
#define DIVF(d, a, b) FDIV_4S(d, a, b)
#define RSUBF(d, a, b) FSUB_4S(d, b, a)
#define RDIVF(d, a, b) FDIV_4S(d, b, a)

// The loops: rows, eight columns, four, single ones.
//
// R0 args, R1 A, R2 B, R3 Dst, R4 rows left, R5 columns; in a row R6, R7 and R8 the elements, R10 columns left.
#define BINARYSTART \
	MOVD args+0(FP), R0;           \
	MOVD BinaryF32Args_A(R0), R1;  \
	MOVD BinaryF32Args_B(R0), R2;  \
	MOVD BinaryF32Args_Dst(R0), R3; \
	MOVD BinaryF32Args_Rows(R0), R4; \
	MOVD BinaryF32Args_Cols(R0), R5

#define BINARYNEXT(row) \
	MOVD BinaryF32Args_AStride(R0), R6;  \
	MOVD BinaryF32Args_BStride(R0), R7;  \
	MOVD BinaryF32Args_DstStride(R0), R8; \
	ADD  R6, R1;                         \
	ADD  R7, R2;                         \
	ADD  R8, R3;                         \
	SUBS $1, R4;                         \
	BNE  row;                            \
	RET

#define BINARYVECTOR(f) \
	BINARYSTART;                 \
row:                                 \
	MOVD R1, R6;                 \
	MOVD R2, R7;                 \
	MOVD R3, R8;                 \
	SUBS $8, R5, R10;            \
	BLT  four;                   \
loop:                                \
	FLDPQ.P 32(R6), (F0, F1);    \
	FLDPQ.P 32(R7), (F2, F3);    \
	f(0, 0, 2);                  \
	f(1, 1, 3);                  \
	FSTPQ.P (F0, F1), 32(R8);    \
	SUBS $8, R10;                \
	BGE  loop;                   \
four:                                \
	ADDS $4, R10;                \
	BLT  tail;                   \
	FMOVQ.P 16(R6), F0;          \
	FMOVQ.P 16(R7), F2;          \
	f(0, 0, 2);                  \
	FMOVQ.P F0, 16(R8);          \
	SUB  $4, R10;                \
tail:                                \
	ADDS $4, R10;                \
	BEQ  next;                   \
one:                                 \
	FMOVS.P 4(R6), F0;           \
	FMOVS.P 4(R7), F2;           \
	f(0, 0, 2);                  \
	FMOVS.P F0, 4(R8);           \
	SUBS $1, R10;                \
	BNE  one;                    \
next:                                \
	BINARYNEXT(row)

#define BINARYSCALAR(f) \
	BINARYSTART;                 \
row:                                 \
	VLD1R (R2), [V2.S4];         \
	MOVD R1, R6;                 \
	MOVD R3, R8;                 \
	SUBS $8, R5, R10;            \
	BLT  four;                   \
loop:                                \
	FLDPQ.P 32(R6), (F0, F1);    \
	f(0, 0, 2);                  \
	f(1, 1, 2);                  \
	FSTPQ.P (F0, F1), 32(R8);    \
	SUBS $8, R10;                \
	BGE  loop;                   \
four:                                \
	ADDS $4, R10;                \
	BLT  tail;                   \
	FMOVQ.P 16(R6), F0;          \
	f(0, 0, 2);                  \
	FMOVQ.P F0, 16(R8);          \
	SUB  $4, R10;                \
tail:                                \
	ADDS $4, R10;                \
	BEQ  next;                   \
one:                                 \
	FMOVS.P 4(R6), F0;           \
	f(0, 0, 2);                  \
	FMOVS.P F0, 4(R8);           \
	SUBS $1, R10;                \
	BNE  one;                    \
next:                                \
	BINARYNEXT(row)

// func addVectorF32NEON(args *BinaryF32Args)
TEXT ·addVectorF32NEON(SB), NOSPLIT, $0-8
	BINARYVECTOR(ADDF)

// func addScalarF32NEON(args *BinaryF32Args)
TEXT ·addScalarF32NEON(SB), NOSPLIT, $0-8
	BINARYSCALAR(ADDF)

// func subVectorF32NEON(args *BinaryF32Args)
TEXT ·subVectorF32NEON(SB), NOSPLIT, $0-8
	BINARYVECTOR(SUBF)

// func subScalarF32NEON(args *BinaryF32Args)
TEXT ·subScalarF32NEON(SB), NOSPLIT, $0-8
	BINARYSCALAR(SUBF)

// func mulVectorF32NEON(args *BinaryF32Args)
TEXT ·mulVectorF32NEON(SB), NOSPLIT, $0-8
	BINARYVECTOR(MULF)

// func mulScalarF32NEON(args *BinaryF32Args)
TEXT ·mulScalarF32NEON(SB), NOSPLIT, $0-8
	BINARYSCALAR(MULF)

// func divVectorF32NEON(args *BinaryF32Args)
TEXT ·divVectorF32NEON(SB), NOSPLIT, $0-8
	BINARYVECTOR(DIVF)

// func divScalarF32NEON(args *BinaryF32Args)
TEXT ·divScalarF32NEON(SB), NOSPLIT, $0-8
	BINARYSCALAR(DIVF)

// func rsubVectorF32NEON(args *BinaryF32Args)
TEXT ·rsubVectorF32NEON(SB), NOSPLIT, $0-8
	BINARYVECTOR(RSUBF)

// func rsubScalarF32NEON(args *BinaryF32Args)
TEXT ·rsubScalarF32NEON(SB), NOSPLIT, $0-8
	BINARYSCALAR(RSUBF)

// func rdivVectorF32NEON(args *BinaryF32Args)
TEXT ·rdivVectorF32NEON(SB), NOSPLIT, $0-8
	BINARYVECTOR(RDIVF)

// func rdivScalarF32NEON(args *BinaryF32Args)
TEXT ·rdivScalarF32NEON(SB), NOSPLIT, $0-8
	BINARYSCALAR(RDIVF)
