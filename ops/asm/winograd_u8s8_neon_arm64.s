//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

// The transformations of the input and of the weights of WinogradU8S8. A pair n is V(n) and V(16+n), 16 values of 16 bits: two
// instructions in a row never wait for each other, which matters to cores that execute in order.

#define ADD2H(d, n, m) \
	ADD_8H(d, n, m); \
	ADD_8H(16+d, 16+n, 16+m)

#define SUB2H(d, n, m) \
	SUB_8H(d, n, m); \
	SUB_8H(16+d, 16+n, 16+m)

#define SHL2H(d, n, s) \
	SHL_8H(d, n, s); \
	SHL_8H(16+d, 16+n, s)

// STOREPOS stores a pair and steps R12 over the positions of V or U, which are R3 bytes apart.
#define STOREPOS(v0, v1) \
	FSTPQ (v0, v1), 0(R12); \
	ADD   R3, R12

// The input: R1 pixel pointers of the tile, R2 the tile in V, R4 tiles left, R5 the tile in the frame, R6 bytes from where a pixel
// points to the channels, R7 channels done, R8 channels left; in a pass R11 columns or rows left, R12 pixel pointers or position,
// R13 a pixel, R14 the tile in the frame.

// IN4: d0-d2, d1+d2, d2-d1, d1-d3, of the pairs 0 to 3 into 6 to 9.
#define IN4 \
	SUB2H(6, 0, 2); \
	ADD2H(7, 1, 2); \
	SUB2H(8, 2, 1); \
	SUB2H(9, 1, 3)

// IN6: with e = d4-d2, f = 2(d3-d1), a = d4-4d2 and b = d3-4d1: 4(d0-d2)+e, a+b, a-b, e+f, e-f, d5-d3-2f, of the pairs 0 to 5 into 6 to 11.
#define IN6 \
	SUB2H(6, 0, 2);    \
	SUB2H(12, 4, 2);   \
	SUB2H(13, 3, 1);   \
	SHL2H(6, 6, 2);    \
	SUB2H(11, 5, 3);   \
	ADD2H(13, 13, 13); \
	ADD2H(6, 6, 12);   \
	SHL2H(2, 2, 2);    \
	ADD2H(9, 12, 13);  \
	SUB2H(10, 12, 13); \
	ADD2H(13, 13, 13); \
	SHL2H(1, 1, 2);    \
	SUB2H(4, 4, 2);    \
	SUB2H(11, 11, 13); \
	SUB2H(3, 3, 1);    \
	ADD2H(7, 4, 3);    \
	SUB2H(8, 4, 3)

// PIXEL loads 16 channels of the pixel whose pointer is that many bytes from R12.
#define PIXEL(at, v) \
	MOVD at(R12), R13; \
	LDRX_Q(v, 13, 6);  \
	UXTL2_8H(16+v, v); \
	UXTL_8H(v, v)

// INPUT4 transforms 16 channels of a tile of 4 x 4 pixels, columns first.
#define INPUT4 \
	MOVD $4, R11; \
columns: \
	PIXEL(0, 0); \
	PIXEL(32, 1); \
	PIXEL(64, 2); \
	PIXEL(96, 3); \
	IN4; \
	FSTPQ (F6, F22), 0(R14); \
	FSTPQ (F7, F23), 128(R14); \
	FSTPQ (F8, F24), 256(R14); \
	FSTPQ (F9, F25), 384(R14); \
	ADD  $8, R12; \
	ADD  $32, R14; \
	SUBS $1, R11; \
	BNE  columns; \
	ADD  R7<<1, R2, R12; \
	MOVD R5, R14; \
	MOVD $4, R11; \
rows: \
	FLDPQ 0(R14), (F0, F16); \
	FLDPQ 32(R14), (F1, F17); \
	FLDPQ 64(R14), (F2, F18); \
	FLDPQ 96(R14), (F3, F19); \
	IN4; \
	STOREPOS(F6, F22); \
	STOREPOS(F7, F23); \
	STOREPOS(F8, F24); \
	STOREPOS(F9, F25); \
	ADD  $128, R14; \
	SUBS $1, R11; \
	BNE  rows

// INPUT6 transforms 16 channels of a tile of 6 x 6 pixels.
#define INPUT6 \
	MOVD $6, R11; \
columns: \
	PIXEL(0, 0); \
	PIXEL(48, 1); \
	PIXEL(96, 2); \
	PIXEL(144, 3); \
	PIXEL(192, 4); \
	PIXEL(240, 5); \
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
	ADD  R7<<1, R2, R12; \
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
	STOREPOS(F6, F22); \
	STOREPOS(F7, F23); \
	STOREPOS(F8, F24); \
	STOREPOS(F9, F25); \
	STOREPOS(F10, F26); \
	STOREPOS(F11, F27); \
	ADD  $192, R14; \
	SUBS $1, R11; \
	BNE  rows

// INPUT is the loop over tiles of so many pixels and their channels, the last 16 of which may overlap those before.
#define INPUT(pixels, frame, body) \
	MOVD args+0(FP), R0; \
	MOVD WinogradInputArgs_Pixels(R0), R1; \
	MOVD WinogradInputArgs_V(R0), R2; \
	MOVD WinogradInputArgs_PosStride(R0), R3; \
	MOVD WinogradInputArgs_Tiles(R0), R4; \
	MOVD frame, R5; \
tile: \
	MOVD ZR, R7; \
	MOVD WinogradInputArgs_C(R0), R8; \
channels: \
	MOVD WinogradInputArgs_Offset(R0), R6; \
	ADD  R7, R6; \
	MOVD R1, R12; \
	MOVD R5, R14; \
	body; \
	ADD  $16, R7; \
	SUBS $16, R8; \
	BLE  next; \
	CMP  $16, R8; \
	BGE  channels; \
	SUB  $16, R7; \
	ADD  R8, R7; \
	MOVD $16, R8; \
	B    channels; \
next: \
	MOVD WinogradInputArgs_C(R0), R8; \
	ADD  R8<<1, R2; \
	ADD  $(8*pixels), R1; \
	SUBS $1, R4; \
	BNE  tile; \
	RET

// func winograd2InputU8NEON(args *WinogradInputArgs)
TEXT ·winograd2InputU8NEON(SB), 0, $512-8
	INPUT(16, $tile-512(SP), INPUT4)

// func winograd4InputU8NEON(args *WinogradInputArgs)
TEXT ·winograd4InputU8NEON(SB), 0, $1152-8
	INPUT(36, $tile-1152(SP), INPUT6)

// The weights. Four depths of 16 columns go into the frame, 16 bytes for each depth and position of the window; from there the window of
// a depth goes into the pairs 0 to 8, by rows. Rows of G g pass through 9 to 11; 12 to 14 are sums of the first and the last row.
//
// R1 the first of these depths in the panel, R2 place in U, R4 bytes of a block of four columns, R5 depths of a position, R6 the four depths in
// the frame, R7 first depth of the four, R8 depths; of a gathering R9 positions left, R11 place of the depth among the block's, R13 to
// R16 weights of columns 0, 4, 8 and 12, R17 to R20 addresses; of a transformation R12 position in U, R14 a depth in the frame.

#define EACH(op, a0, a1, a2, b0, b1, b2, c0, c1, c2) \
	op(c0, a0, b0); \
	op(c1, a1, b1); \
	op(c2, a2, b2)

// ACROSS2: 2h0, h0+h1+h2, h0-h1+h2, 2h2 of the pairs 9 to 11, through 15.
#define ACROSS2 \
	ADD2H(15, 9, 9);    \
	STOREPOS(F15, F31); \
	ADD2H(9, 9, 11);    \
	ADD2H(15, 9, 10);   \
	STOREPOS(F15, F31); \
	SUB2H(9, 9, 10);    \
	STOREPOS(F9, F25);  \
	ADD2H(11, 11, 11);  \
	STOREPOS(F11, F27)

// ACROSS4: 6h0, h0+h1+h2, h0-h1+h2, h0+2h1+4h2, h0-2h1+4h2, 6h2.
#define ACROSS4 \
	ADD2H(15, 9, 9);    \
	ADD2H(15, 15, 9);   \
	ADD2H(15, 15, 15);  \
	STOREPOS(F15, F31); \
	ADD2H(15, 9, 11);   \
	ADD2H(15, 15, 10);  \
	STOREPOS(F15, F31); \
	ADD2H(10, 10, 10);  \
	SUB2H(15, 15, 10);  \
	STOREPOS(F15, F31); \
	SHL2H(15, 11, 2);   \
	ADD2H(9, 9, 15);    \
	ADD2H(15, 9, 10);   \
	STOREPOS(F15, F31); \
	SUB2H(9, 9, 10);    \
	STOREPOS(F9, F25);  \
	ADD2H(15, 11, 11);  \
	ADD2H(15, 15, 11);  \
	ADD2H(15, 15, 15);  \
	STOREPOS(F15, F31)

#define WEIGHTS2 \
	EACH(ADD2H, 0, 1, 2, 0, 1, 2, 9, 10, 11);    \
	ACROSS2;                                     \
	EACH(ADD2H, 0, 1, 2, 6, 7, 8, 12, 13, 14);   \
	EACH(ADD2H, 12, 13, 14, 3, 4, 5, 9, 10, 11); \
	ACROSS2;                                     \
	EACH(SUB2H, 12, 13, 14, 3, 4, 5, 9, 10, 11); \
	ACROSS2;                                     \
	EACH(ADD2H, 6, 7, 8, 6, 7, 8, 9, 10, 11);    \
	ACROSS2

// SIXTIMES multiplies the pairs a, b and c by six into 9, 10 and 11.
#define SIXTIMES(a, b, c) \
	EACH(ADD2H, a, b, c, a, b, c, 9, 10, 11);      \
	EACH(ADD2H, 9, 10, 11, a, b, c, 9, 10, 11);    \
	EACH(ADD2H, 9, 10, 11, 9, 10, 11, 9, 10, 11)

#define WEIGHTS4 \
	SIXTIMES(0, 1, 2);                             \
	ACROSS4;                                       \
	EACH(ADD2H, 0, 1, 2, 6, 7, 8, 12, 13, 14);     \
	EACH(ADD2H, 12, 13, 14, 3, 4, 5, 9, 10, 11);   \
	ACROSS4;                                       \
	EACH(SUB2H, 12, 13, 14, 3, 4, 5, 9, 10, 11);   \
	ACROSS4;                                       \
	EACH(SHL2H, 6, 7, 8, 2, 2, 2, 12, 13, 14);     \
	EACH(ADD2H, 12, 13, 14, 0, 1, 2, 12, 13, 14);  \
	EACH(ADD2H, 3, 4, 5, 3, 4, 5, 3, 4, 5);        \
	EACH(ADD2H, 12, 13, 14, 3, 4, 5, 9, 10, 11);   \
	ACROSS4;                                       \
	EACH(SUB2H, 12, 13, 14, 3, 4, 5, 9, 10, 11);   \
	ACROSS4;                                       \
	SIXTIMES(6, 7, 8);                             \
	ACROSS4

// COLUMNS4 loads four depths of a block's four columns, which are 16 bytes apart.
#define COLUMNS4(r, v) \
	VLD1 (r), v.S[0];    \
	ADD  $16, r, R17;    \
	ADD  $32, r, R19;    \
	ADD  $48, r, R20;    \
	VLD1 (R17), v.S[1];  \
	VLD1 (R19), v.S[2];  \
	VLD1 (R20), v.S[3]

#define WIDEN(v) \
	SXTL2_8H(16+v, v); \
	SXTL_8H(v, v)

#define WEIGHTS(body) \
	MOVD args+0(FP), R0; \
	MOVD WinogradWeightsArgs_W(R0), R1; \
	MOVD WinogradWeightsArgs_U(R0), R2; \
	MOVD WinogradWeightsArgs_PosStride(R0), R3; \
	MOVD WinogradWeightsArgs_TapStride(R0), R5; \
	MOVD WinogradWeightsArgs_K(R0), R8; \
	LSR  $4, R5; \
	ADD  R5<<3, R5, R4; \
	ADD  $15, R4; \
	AND  $~15, R4; \
	LSL  $2, R4; \
	MOVD $window-576(SP), R6; \
	MOVD ZR, R7; \
fourDepths: \
	MOVD R7, R11; \
	MOVD R6, R14; \
	MOVD $9, R9; \
gather: \
	LSR  $4, R11, R13; \
	AND  $15, R11, R15; \
	ADD  R13<<6, R15, R13; \
	ADD  R1, R13; \
	ADD  R4, R13, R15; \
	ADD  R4, R15, R16; \
	COLUMNS4(R13, V0); \
	COLUMNS4(R15, V1); \
	COLUMNS4(R16, V2); \
	ADD  R4, R16; \
	COLUMNS4(R16, V3); \
	VUZP1 V1.B16, V0.B16, V4.B16; \
	VUZP2 V1.B16, V0.B16, V5.B16; \
	VUZP1 V3.B16, V2.B16, V6.B16; \
	VUZP2 V3.B16, V2.B16, V7.B16; \
	VUZP1 V6.B16, V4.B16, V0.B16; \
	VUZP1 V7.B16, V5.B16, V1.B16; \
	VUZP2 V6.B16, V4.B16, V2.B16; \
	VUZP2 V7.B16, V5.B16, V3.B16; \
	FMOVQ F0, 0(R14); \
	FMOVQ F1, 144(R14); \
	FMOVQ F2, 288(R14); \
	FMOVQ F3, 432(R14); \
	ADD  $16, R14; \
	ADD  R5, R11; \
	SUBS $1, R9; \
	BNE  gather; \
	MOVD R6, R14; \
	MOVD $4, R9; \
depth: \
	FLDPQ 0(R14), (F0, F1); \
	FLDPQ 32(R14), (F2, F3); \
	FLDPQ 64(R14), (F4, F5); \
	FLDPQ 96(R14), (F6, F7); \
	FMOVQ 128(R14), F8; \
	WIDEN(0); \
	WIDEN(1); \
	WIDEN(2); \
	WIDEN(3); \
	WIDEN(4); \
	WIDEN(5); \
	WIDEN(6); \
	WIDEN(7); \
	WIDEN(8); \
	MOVD R2, R12; \
	body; \
	ADD  $144, R14; \
	ADD  $32, R2; \
	SUBS $1, R9; \
	BNE  depth; \
	ADD  $4, R7; \
	CMP  R8, R7; \
	BLT  fourDepths; \
	RET

// func winograd2WeightsS8NEON(args *WinogradWeightsArgs)
TEXT ·winograd2WeightsS8NEON(SB), 0, $576-8
	WEIGHTS(WEIGHTS2)

// func winograd4WeightsS8NEON(args *WinogradWeightsArgs)
TEXT ·winograd4WeightsS8NEON(SB), 0, $576-8
	WEIGHTS(WEIGHTS4)
