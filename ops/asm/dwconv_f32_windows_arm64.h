// WINDOWS computes the channels of 3x3 windows whose taps go column by column and overlap, eight channels at a time: 18 taps of four pixels
// side by side make 36 products. It leaves the byte offset of the channels that are left in R1.
//
// R1 byte offset of the channels and R6 that of the next four, R3 taps and R4 output of four pixels, R5 pixels left, R7 bias, R10 bytes between output
// pixels, R16 weights, R12 and R13 addresses of taps. The pairs 0 to 3 are the pixels' sums, 4 to 12 the weights, 13 and 14 taps.

// TAPS2 loads the next two taps of the columns that the pixels touch.
#define TAPS2 \
	LDP.P 16(R3), (R12, R13); \
	LDRX_Q(13, 12, 1);        \
	LDRX_Q(29, 12, 6);        \
	LDRX_Q(14, 13, 1);        \
	LDRX_Q(30, 13, 6)

// WEIGHTS loads the weights of the next tap.
#define WEIGHTS(a, b) \
	FLDPQ (R16), (a, b); \
	ADD   R2, R16

#define CLAMP2(d) \
	FMAXC2(d, d, 15); \
	FMINC2(d, d, 31)

// OVERLAPPING adds the taps, each pixel's in order.
#define OVERLAPPING \
	TAPS2; \
	FMLA2(0, 13, 4); \
	FMLA2(0, 14, 5); \
	TAPS2; \
	FMLA2(0, 13, 6); \
	FMLA2(0, 14, 7); \
	FMLA2(1, 14, 4); \
	TAPS2; \
	FMLA2(0, 13, 8); \
	FMLA2(1, 13, 5); \
	FMLA2(0, 14, 9); \
	FMLA2(1, 14, 6); \
	TAPS2; \
	FMLA2(0, 13, 10); \
	FMLA2(1, 13, 7); \
	FMLA2(2, 13, 4); \
	FMLA2(0, 14, 11); \
	FMLA2(1, 14, 8); \
	FMLA2(2, 14, 5); \
	TAPS2; \
	FMLA2(0, 13, 12); \
	FMLA2(1, 13, 9); \
	FMLA2(2, 13, 6); \
	FMLA2(1, 14, 10); \
	FMLA2(2, 14, 7); \
	FMLA2(3, 14, 4); \
	TAPS2; \
	FMLA2(1, 13, 11); \
	FMLA2(2, 13, 8); \
	FMLA2(3, 13, 5); \
	FMLA2(1, 14, 12); \
	FMLA2(2, 14, 9); \
	FMLA2(3, 14, 6); \
	TAPS2; \
	FMLA2(2, 13, 10); \
	FMLA2(3, 13, 7); \
	FMLA2(2, 14, 11); \
	FMLA2(3, 14, 8); \
	TAPS2; \
	FMLA2(2, 13, 12); \
	FMLA2(3, 13, 9); \
	FMLA2(3, 14, 10); \
	TAPS2; \
	FMLA2(3, 13, 11); \
	FMLA2(3, 14, 12)

#define WINDOWS \
	MOVD DWConvF32Args_OutStride(R0), R10; \
channels8:                                     \
	SUB  R1, R2, R3;                       \
	CMP  $32, R3;                          \
	BLT  windowed;                         \
	ADD  $16, R1, R6;                      \
	MOVD DWConvF32Args_W(R0), R16;         \
	ADD  R1, R16;                          \
	WEIGHTS(F4, F20);                      \
	WEIGHTS(F5, F21);                      \
	WEIGHTS(F6, F22);                      \
	WEIGHTS(F7, F23);                      \
	WEIGHTS(F8, F24);                      \
	WEIGHTS(F9, F25);                      \
	WEIGHTS(F10, F26);                     \
	WEIGHTS(F11, F27);                     \
	WEIGHTS(F12, F28);                     \
	MOVD DWConvF32Args_Bias(R0), R7;       \
	ADD  R1, R7;                           \
	MOVD DWConvF32Args_A(R0), R3;          \
	MOVD DWConvF32Args_Out(R0), R4;        \
	ADD  R1, R4;                           \
	MOVD DWConvF32Args_P(R0), R5;          \
pixels4:                                       \
	FLDPQ (R7), (F0, F16);                 \
	FLDPQ (R7), (F1, F17);                 \
	FLDPQ (R7), (F2, F18);                 \
	FLDPQ (R7), (F3, F19);                 \
	OVERLAPPING;                           \
	CLAMP2(0);                             \
	CLAMP2(1);                             \
	CLAMP2(2);                             \
	CLAMP2(3);                             \
	FSTPQ (F0, F16), (R4);                 \
	ADD  R10, R4;                          \
	FSTPQ (F1, F17), (R4);                 \
	ADD  R10, R4;                          \
	FSTPQ (F2, F18), (R4);                 \
	ADD  R10, R4;                          \
	FSTPQ (F3, F19), (R4);                 \
	ADD  R10, R4;                          \
	SUB  $48, R3;                          \
	SUBS $4, R5;                           \
	BEQ  nextChannels;                     \
	CMP  $4, R5;                           \
	BGE  pixels4;                          \
	SUB  $4, R5, R12;                      \
	MOVD $24, R13;                         \
	MADD R13, R3, R12, R3;                 \
	MADD R10, R4, R12, R4;                 \
	MOVD $4, R5;                           \
	B    pixels4;                          \
nextChannels:                                  \
	ADD  $32, R1;                          \
	B    channels8;                        \
windowed:
