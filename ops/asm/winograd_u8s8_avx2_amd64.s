//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "tail_amd64.h"
#include "simd_avx2_amd64.h"
#include "winograd_u8s8_body_amd64.h"

#define V15 Y15

// NEXTQUADS goes from the first to the second half of 16 columns, or to the next depths.
#define NEXTQUADS(columns) \
	SUBQ  $96, DX \
	DECQ  BX      \
	TESTL $1, BX  \
	JNZ   columns \
	ADDQ  $64, DX \
	TESTQ BX, BX

// func winograd2InputU8AVX2(args *WinogradInputArgs)
TEXT ·winograd2InputU8AVX2(SB), 0, $512-8
	INPUT(16, INPUT4)

// func winograd4InputU8AVX2(args *WinogradInputArgs)
TEXT ·winograd4InputU8AVX2(SB), 0, $1152-8
	INPUT(36, INPUT6)

// func winograd2WeightsS8AVX2(args *WinogradWeightsArgs)
TEXT ·winograd2WeightsS8AVX2(SB), NOSPLIT, $0-8
	WEIGHTS(WINDOW, WEIGHTS2)

// func winograd4WeightsS8AVX2(args *WinogradWeightsArgs)
TEXT ·winograd4WeightsS8AVX2(SB), NOSPLIT, $0-8
	WEIGHTS(WINDOW, WEIGHTS4)

// func winograd2WeightsQuadsAVX2(args *WinogradWeightsArgs)
TEXT ·winograd2WeightsQuadsAVX2(SB), NOSPLIT, $0-8
	WEIGHTSQUADS(WINDOW, WEIGHTS2)

// func winograd4WeightsQuadsAVX2(args *WinogradWeightsArgs)
TEXT ·winograd4WeightsQuadsAVX2(SB), NOSPLIT, $0-8
	WEIGHTSQUADS(WINDOW, WEIGHTS4)

// func winograd1DInputU8AVX2(args *WinogradInputArgs)
TEXT ·winograd1DInputU8AVX2(SB), 0, $192-8
	INPUT(6, INPUT1D)

// func winograd1DWeightsS8AVX2(args *WinogradWeightsArgs)
TEXT ·winograd1DWeightsS8AVX2(SB), NOSPLIT, $0-8
	WEIGHTS(LINE, WEIGHTS1D)

// func winograd1DWeightsQuadsAVX2(args *WinogradWeightsArgs)
TEXT ·winograd1DWeightsQuadsAVX2(SB), NOSPLIT, $0-8
	WEIGHTSQUADS(LINE, WEIGHTS1D)

// func winograd2OutputS32AVX2(args *WinogradOutputArgs, output igemmOutput)
TEXT ·winograd2OutputS32AVX2(SB), 0, $544-9
#define PIXELS 4
#define TILEBYTES 256
#define TRANSFORM OUTPUT2
#include "winograd_u8s8_finish_avx2_amd64.h"

#undef PIXELS
#undef TILEBYTES
#undef TRANSFORM
#undef TAIL

// func winograd4OutputS32AVX2(args *WinogradOutputArgs, output igemmOutput)
TEXT ·winograd4OutputS32AVX2(SB), 0, $1824-9
#define PIXELS 16
#define TILEBYTES 768
#define TRANSFORM OUTPUT4
#include "winograd_u8s8_finish_avx2_amd64.h"

#undef PIXELS
#undef TILEBYTES
#undef TRANSFORM
#undef TAIL

// func winograd1DOutputS32AVX2(args *WinogradOutputArgs, output igemmOutput)
TEXT ·winograd1DOutputS32AVX2(SB), 0, $288-9
#define PIXELS 4
#define TILEBYTES 0
#define TRANSFORM OUTPUT1D
#include "winograd_u8s8_finish_avx2_amd64.h"

// The numbers 0 to 15.
DATA winogradColumns<>+0(SB)/8, $0x0000000100000000
DATA winogradColumns<>+8(SB)/8, $0x0000000300000002
DATA winogradColumns<>+16(SB)/8, $0x0000000500000004
DATA winogradColumns<>+24(SB)/8, $0x0000000700000006
DATA winogradColumns<>+32(SB)/8, $0x0000000900000008
DATA winogradColumns<>+40(SB)/8, $0x0000000b0000000a
DATA winogradColumns<>+48(SB)/8, $0x0000000d0000000c
DATA winogradColumns<>+56(SB)/8, $0x0000000f0000000e
GLOBL winogradColumns<>(SB), RODATA|NOPTR, $64
