//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

// POOL is the loop over pixels, 16 channels at a time, then four, then single ones, and taps. A sum starts as V30, add(d, n) adds
// V(n) to V(d), last(v) finishes it with the divisor in V31. rewind(r) goes to the first weight of the pixel, weight(r) takes the next to V29.
//
// R0 args, R1 taps of the pixel, R2 its output, R3 divisors, R4 pixels left, R5 byte offset of the channels, R6 taps, R7 taps left, R8
// address of one, R9 its weight, R10 channels left, R12 weights of the pixel.
#define POOL(add, last, rewind, weight) \
	MOVD args+0(FP), R0;                \
	MOVD PoolF32Args_A(R0), R1;         \
	MOVD PoolF32Args_Out(R0), R2;       \
	MOVD PoolF32Args_Div(R0), R3;       \
	MOVD PoolF32Args_P(R0), R4;         \
	MOVD PoolF32Args_Weights(R0), R12;  \
pixel:                                      \
	MOVD PoolF32Args_C(R0), R10;        \
	MOVD R2, R11;                       \
	MOVD $0, R5;                        \
	CBZ  R3, undivided;                 \
	VLD1R.P 4(R3), [V31.S4];            \
undivided:                                  \
	SUBS $16, R10;                      \
	BLT  fours;                         \
channels16:                                 \
	VORR V30.B16, V30.B16, V0.B16;      \
	VORR V30.B16, V30.B16, V1.B16;      \
	VORR V30.B16, V30.B16, V2.B16;      \
	VORR V30.B16, V30.B16, V3.B16;      \
	MOVD R1, R6;                        \
	MOVD PoolF32Args_KS(R0), R7;        \
	rewind(R9);                         \
taps16:                                     \
	MOVD.P 8(R6), R8;                   \
	weight(R9);                         \
	ADD  R5, R8;                        \
	FLDPQ (R8), (F4, F5);               \
	FLDPQ 32(R8), (F6, F7);             \
	add(0, 4);                          \
	add(1, 5);                          \
	add(2, 6);                          \
	add(3, 7);                          \
	SUBS $1, R7;                        \
	BNE  taps16;                        \
	last(0);                            \
	last(1);                            \
	last(2);                            \
	last(3);                            \
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R11); \
	ADD  $64, R5;                       \
	SUBS $16, R10;                      \
	BGE  channels16;                    \
fours:                                      \
	ADDS $12, R10;                      \
	BLT  tail;                          \
channels4:                                  \
	VORR V30.B16, V30.B16, V0.B16;      \
	MOVD R1, R6;                        \
	MOVD PoolF32Args_KS(R0), R7;        \
	rewind(R9);                         \
taps4:                                      \
	MOVD.P 8(R6), R8;                   \
	weight(R9);                         \
	LDRX_Q(4, 8, 5);                \
	add(0, 4);                          \
	SUBS $1, R7;                        \
	BNE  taps4;                         \
	last(0);                            \
	FMOVQ.P F0, 16(R11);                \
	ADD  $16, R5;                       \
	SUBS $4, R10;                       \
	BGE  channels4;                     \
tail:                                       \
	ADDS $4, R10;                       \
	BEQ  next;                          \
channel:                                    \
	VORR V30.B16, V30.B16, V0.B16;      \
	MOVD R1, R6;                        \
	MOVD PoolF32Args_KS(R0), R7;        \
	rewind(R9);                         \
taps1:                                      \
	MOVD.P 8(R6), R8;                   \
	weight(R9);                         \
	FMOVS (R8)(R5), F4;                 \
	add(0, 4);                          \
	SUBS $1, R7;                        \
	BNE  taps1;                         \
	last(0);                            \
	FMOVS.P F0, 4(R11);                 \
	ADD  $4, R5;                        \
	SUBS $1, R10;                       \
	BNE  channel;                       \
next:                                       \
	MOVD PoolF32Args_AStep(R0), R6;     \
	ADD  R6<<3, R1;                     \
	MOVD PoolF32Args_KS(R0), R6;        \
	ADD  R6<<2, R12;                    \
	MOVD PoolF32Args_OutStride(R0), R6; \
	ADD  R6, R2;                        \
	SUBS $1, R4;                        \
	BNE  pixel;                         \
	RET

#define MAXADD(d, n) FMAX_4S(d, d, n)
#define MAXLAST(v)

#define AVERAGEADD(d, n) FADD_4S(d, d, n)
#define AVERAGELAST(v) FDIV_4S(v, v, 31)

#define UNWEIGHTED(r)

#define WEIGHTEDADD(d, n) \
	FMUL_4S(n, n, 29); \
	FADD_4S(d, d, n)
#define REWIND(r) MOVD R12, r
#define WEIGHT(r) VLD1R.P 4(r), [V29.S4]

// func maxPoolF32NEON(args *PoolF32Args)
TEXT ·maxPoolF32NEON(SB), NOSPLIT, $0-8
	MOVW $0xff800000, R3 // -Inf
	VDUP R3, V30.S4
	POOL(MAXADD, MAXLAST, UNWEIGHTED, UNWEIGHTED)

// func averagePoolF32NEON(args *PoolF32Args)
TEXT ·averagePoolF32NEON(SB), NOSPLIT, $0-8
	VEOR V30.B16, V30.B16, V30.B16
	POOL(AVERAGEADD, AVERAGELAST, UNWEIGHTED, UNWEIGHTED)

// func weightedPoolF32NEON(args *PoolF32Args)
TEXT ·weightedPoolF32NEON(SB), NOSPLIT, $0-8
	VEOR V30.B16, V30.B16, V30.B16
	POOL(WEIGHTEDADD, AVERAGELAST, REWIND, WEIGHT)
