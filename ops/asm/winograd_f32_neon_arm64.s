//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "pair_arm64.h"

// A tile is transformed down its columns into the frame, then along its rows (the output the other way about), for eight channels at
// a time, then four, then single ones, which take the same pairs of vectors and leave lanes unused.
//
// R0 args, R1 pixel pointers of the tile, R2 its first position in Matrix, R3 PosStride, R4 tiles left, R5 the tile in the frame, R6 byte offset of
// the channels and R7 that of the next four, R8 residual pointers or 0, R9 Bias, R10 channels left; in a pass R11 rows or columns left, R12 pixel
// pointers or position, R13 address of a pixel, R14 tile in the frame, R15 residual pointers. V13 and V14 are factors, V15 and V31 the bounds.

// The one-dimensional transformations, of the pairs 0 to 5.

// IN4: B^T of T = 2, into 6 to 9: d0-d2, d1+d2, d2-d1, d1-d3.
#define IN4 \
	FSUB2(6, 0, 2); \
	FADD2(7, 1, 2); \
	FSUB2(8, 2, 1); \
	FSUB2(9, 1, 3)

// OUT4: A^T of T = 2, into 6 and 7: m0+m1+m2, m1-m2-m3.
#define OUT4 \
	FADD2(6, 0, 1); \
	FADD2(6, 6, 2); \
	FSUB2(7, 1, 2); \
	FSUB2(7, 7, 3)

// IN6: B^T of T = 4, into 6 to 11, with V13 = 4 and V14 = 5; pairs of rows share sums.
#define IN6 \
	MOV2(6, 4);        \
	MOV2(11, 5);       \
	FMLSC2(6, 2, 14);  \
	FMLSC2(11, 3, 14); \
	FMLAC2(6, 0, 13);  \
	FMLAC2(11, 1, 13); \
	MOV2(0, 4);        \
	MOV2(5, 3);        \
	FMLSC2(0, 2, 13);  \
	FMLSC2(5, 1, 13);  \
	FADD2(7, 0, 5);    \
	FSUB2(8, 0, 5);    \
	FSUB2(0, 4, 2);    \
	FSUB2(5, 3, 1);    \
	FADD2(5, 5, 5);    \
	FADD2(9, 0, 5);    \
	FSUB2(10, 0, 5)

// OUT6: A^T of T = 4, into 6, 7, 8 and 9, with V13 = 4 and V14 = 8.
#define OUT6 \
	FADD2(8, 1, 2);     \
	FSUB2(7, 1, 2);     \
	FADD2(10, 3, 4);    \
	FSUB2(11, 3, 4);    \
	FADD2(6, 0, 8);     \
	FADD2(6, 6, 10);    \
	MOV2(9, 7);         \
	FADD2(7, 7, 11);    \
	FADD2(7, 7, 11);    \
	FMLAC2(8, 10, 13);  \
	FMLAC2(9, 11, 14);  \
	FADD2(9, 9, 5)

// Loads and stores of the channels at R6 of the pixel or position at R(r).
#define LOAD8(v, r) \
	LDRX_Q(v, r, 6);    \
	LDRX_Q(16+v, r, 7)

#define STORE8(v, r) \
	STRX_Q(v, r, 6);    \
	STRX_Q(16+v, r, 7)

#define LOAD4(v, r) LDRX_Q(v, r, 6)
#define STORE4(v, r) STRX_Q(v, r, 6)
#define LOAD1(v, r) LDRX_S(v, r, 6)
#define STORE1(v, r) STRX_S(v, r, 6)

// PIXEL loads the pixel whose pointer is that many bytes from R12, NEXTPOS and STOREPOS step R12 over the positions in Matrix.
#define PIXEL(at, load, v) \
	MOVD at(R12), R13; \
	load(v, 13)

#define NEXTPOS(load, v) \
	load(v, 12); \
	ADD R3, R12

#define STOREPOS(store, v) \
	store(v, 12); \
	ADD R3, R12

// FINISH adds the bias, the pair 12, and the residual to the pair v, bounds and stores it as the pixel whose pointer is that many bytes from R12.
#define FINISH(at, load, store, v, nores) \
	FADD2(v, v, 12);   \
	CBZ  R8, nores;    \
	MOVD at(R15), R13; \
	load(0, 13);       \
	FADD2(v, v, 0);    \
nores:                     \
	FMAXC2(v, v, 15);  \
	FMINC2(v, v, 31);  \
	MOVD at(R12), R13; \
	store(v, 13)

// INPUT4 transforms channels of a tile of 4 x 4 pixels.
#define INPUT4(load, store, columns, rows) \
	MOVD R1, R12; \
	MOVD R5, R14; \
	MOVD $4, R11; \
columns: \
	PIXEL(0, load, 0); \
	PIXEL(32, load, 1); \
	PIXEL(64, load, 2); \
	PIXEL(96, load, 3); \
	IN4; \
	FSTPQ (F6, F22), 0(R14); \
	FSTPQ (F7, F23), 128(R14); \
	FSTPQ (F8, F24), 256(R14); \
	FSTPQ (F9, F25), 384(R14); \
	ADD  $8, R12; \
	ADD  $32, R14; \
	SUBS $1, R11; \
	BNE  columns; \
	MOVD R2, R12; \
	MOVD R5, R14; \
	MOVD $4, R11; \
rows: \
	FLDPQ 0(R14), (F0, F16); \
	FLDPQ 32(R14), (F1, F17); \
	FLDPQ 64(R14), (F2, F18); \
	FLDPQ 96(R14), (F3, F19); \
	IN4; \
	STOREPOS(store, 6); \
	STOREPOS(store, 7); \
	STOREPOS(store, 8); \
	STOREPOS(store, 9); \
	ADD  $128, R14; \
	SUBS $1, R11; \
	BNE  rows

// INPUT6 transforms channels of a tile of 6 x 6 pixels.
#define INPUT6(load, store, columns, rows) \
	MOVD R1, R12; \
	MOVD R5, R14; \
	MOVD $6, R11; \
columns: \
	PIXEL(0, load, 0); \
	PIXEL(48, load, 1); \
	PIXEL(96, load, 2); \
	PIXEL(144, load, 3); \
	PIXEL(192, load, 4); \
	PIXEL(240, load, 5); \
	IN6; \
	FSTPQ (F6, F22), 0(R14); \
	FSTPQ (F7, F23), 192(R14); \
	FSTPQ (F8, F24), 384(R14); \
	FSTPQ (F9, F25), 576(R14); \
	FSTPQ (F10, F26), 768(R14); \
	FSTPQ (F11, F27), 960(R14); \
	ADD  $8, R12; \
	ADD  $32, R14; \
	SUBS $1, R11; \
	BNE  columns; \
	MOVD R2, R12; \
	MOVD R5, R14; \
	MOVD $6, R11; \
rows: \
	FLDPQ 0(R14), (F0, F16); \
	FLDPQ 32(R14), (F1, F17); \
	FLDPQ 64(R14), (F2, F18); \
	FLDPQ 96(R14), (F3, F19); \
	FLDPQ 128(R14), (F4, F20); \
	FLDPQ 160(R14), (F5, F21); \
	IN6; \
	STOREPOS(store, 6); \
	STOREPOS(store, 7); \
	STOREPOS(store, 8); \
	STOREPOS(store, 9); \
	STOREPOS(store, 10); \
	STOREPOS(store, 11); \
	ADD  $192, R14; \
	SUBS $1, R11; \
	BNE  rows

// OUTPUT4 transforms channels of a tile of 2 x 2 pixels, along the rows first.
#define OUTPUT4(load, store, rows, columns, n0, n1) \
	MOVD R2, R12; \
	MOVD R5, R14; \
	MOVD $4, R11; \
rows: \
	NEXTPOS(load, 0); \
	NEXTPOS(load, 1); \
	NEXTPOS(load, 2); \
	NEXTPOS(load, 3); \
	OUT4; \
	FSTPQ (F6, F22), 0(R14); \
	FSTPQ (F7, F23), 32(R14); \
	ADD  $64, R14; \
	SUBS $1, R11; \
	BNE  rows; \
	MOVD R1, R12; \
	MOVD R8, R15; \
	MOVD R5, R14; \
	MOVD $2, R11; \
	load(12, 9); \
columns: \
	FLDPQ 0(R14), (F0, F16); \
	FLDPQ 64(R14), (F1, F17); \
	FLDPQ 128(R14), (F2, F18); \
	FLDPQ 192(R14), (F3, F19); \
	OUT4; \
	FINISH(0, load, store, 6, n0); \
	FINISH(16, load, store, 7, n1); \
	ADD  $8, R12; \
	ADD  $8, R15; \
	ADD  $32, R14; \
	SUBS $1, R11; \
	BNE  columns

// OUTPUT6 transforms channels of a tile of 4 x 4 pixels, along the rows first.
#define OUTPUT6(load, store, rows, columns, n0, n1, n2, n3) \
	MOVD R2, R12; \
	MOVD R5, R14; \
	MOVD $6, R11; \
rows: \
	NEXTPOS(load, 0); \
	NEXTPOS(load, 1); \
	NEXTPOS(load, 2); \
	NEXTPOS(load, 3); \
	NEXTPOS(load, 4); \
	NEXTPOS(load, 5); \
	OUT6; \
	FSTPQ (F6, F22), 0(R14); \
	FSTPQ (F7, F23), 32(R14); \
	FSTPQ (F8, F24), 64(R14); \
	FSTPQ (F9, F25), 96(R14); \
	ADD  $128, R14; \
	SUBS $1, R11; \
	BNE  rows; \
	MOVD R1, R12; \
	MOVD R8, R15; \
	MOVD R5, R14; \
	MOVD $4, R11; \
	load(12, 9); \
columns: \
	FLDPQ 0(R14), (F0, F16); \
	FLDPQ 128(R14), (F1, F17); \
	FLDPQ 256(R14), (F2, F18); \
	FLDPQ 384(R14), (F3, F19); \
	FLDPQ 512(R14), (F4, F20); \
	FLDPQ 640(R14), (F5, F21); \
	OUT6; \
	FINISH(0, load, store, 6, n0); \
	FINISH(32, load, store, 7, n1); \
	FINISH(64, load, store, 8, n2); \
	FINISH(96, load, store, 9, n3); \
	ADD  $8, R12; \
	ADD  $8, R15; \
	ADD  $32, R14; \
	SUBS $1, R11; \
	BNE  columns

// TILES is the loop over tiles of so many pixels and their channels; c is the second factor.
#define TILES(pixels, c, frame, eight, four, one) \
	MOVD args+0(FP), R0;                    \
	MOVD WinogradF32Args_Pixels(R0), R1;    \
	MOVD WinogradF32Args_Matrix(R0), R2;    \
	MOVD WinogradF32Args_PosStride(R0), R3; \
	MOVD WinogradF32Args_Tiles(R0), R4;     \
	MOVD frame, R5;                         \
	MOVD WinogradF32Args_Res(R0), R8;       \
	MOVD WinogradF32Args_Bias(R0), R9;      \
	FMOVS $4.0, F13;                        \
	FMOVS c, F14;                           \
	VDUP V13.S[0], V13.S4;                  \
	VDUP V14.S[0], V14.S4;                  \
	ADD  $WinogradF32Args_Lo, R0, R6;       \
	VLD1R (R6), [V15.S4];                   \
	ADD  $WinogradF32Args_Hi, R0, R6;       \
	VLD1R (R6), [V31.S4];                   \
tile:                                           \
	MOVD $0, R6;                            \
	MOVD WinogradF32Args_C(R0), R10;        \
	SUBS $8, R10;                           \
	BLT  fours;                             \
channels8:                                      \
	ADD  $16, R6, R7;                       \
	eight;                                  \
	ADD  $32, R6;                           \
	SUBS $8, R10;                           \
	BGE  channels8;                         \
fours:                                          \
	ADDS $4, R10;                           \
	BLT  ones;                              \
	four;                                   \
	ADD  $16, R6;                           \
	SUB  $4, R10;                           \
ones:                                           \
	ADDS $4, R10;                           \
	BEQ  next;                              \
channel:                                        \
	one;                                    \
	ADD  $4, R6;                            \
	SUBS $1, R10;                           \
	BNE  channel;                           \
next:                                           \
	MOVD WinogradF32Args_C(R0), R10;        \
	ADD  R10<<2, R2;                        \
	ADD  $(8*pixels), R1;                   \
	CMP  $0, R8;                            \
	ADD  $(8*pixels), R8;                   \
	CSEL EQ, ZR, R8, R8;                    \
	SUBS $1, R4;                            \
	BNE  tile;                              \
	RET

#define IN4BY8 INPUT4(LOAD8, STORE8, columns8x, rows8x)
#define IN4BY4 INPUT4(LOAD4, STORE4, columns4x, rows4x)
#define IN4BY1 INPUT4(LOAD1, STORE1, columns1x, rows1x)
#define IN6BY8 INPUT6(LOAD8, STORE8, columns8x, rows8x)
#define IN6BY4 INPUT6(LOAD4, STORE4, columns4x, rows4x)
#define IN6BY1 INPUT6(LOAD1, STORE1, columns1x, rows1x)
#define OUT4BY8 OUTPUT4(LOAD8, STORE8, rows8x, columns8x, n8x0, n8x1)
#define OUT4BY4 OUTPUT4(LOAD4, STORE4, rows4x, columns4x, n4x0, n4x1)
#define OUT4BY1 OUTPUT4(LOAD1, STORE1, rows1x, columns1x, n1x0, n1x1)
#define OUT6BY8 OUTPUT6(LOAD8, STORE8, rows8x, columns8x, n8x0, n8x1, n8x2, n8x3)
#define OUT6BY4 OUTPUT6(LOAD4, STORE4, rows4x, columns4x, n4x0, n4x1, n4x2, n4x3)
#define OUT6BY1 OUTPUT6(LOAD1, STORE1, rows1x, columns1x, n1x0, n1x1, n1x2, n1x3)

// func winograd2InputNEON(args *WinogradF32Args)
TEXT ·winograd2InputNEON(SB), 0, $512-8
	TILES(16, $5.0, $tile-512(SP), IN4BY8, IN4BY4, IN4BY1)

// func winograd2OutputNEON(args *WinogradF32Args)
TEXT ·winograd2OutputNEON(SB), 0, $256-8
	TILES(4, $8.0, $tile-256(SP), OUT4BY8, OUT4BY4, OUT4BY1)

// func winograd4InputNEON(args *WinogradF32Args)
TEXT ·winograd4InputNEON(SB), 0, $1152-8
	TILES(36, $5.0, $tile-1152(SP), IN6BY8, IN6BY4, IN6BY1)

// func winograd4OutputNEON(args *WinogradF32Args)
TEXT ·winograd4OutputNEON(SB), 0, $768-8
	TILES(16, $8.0, $tile-768(SP), OUT6BY8, OUT6BY4, OUT6BY1)
