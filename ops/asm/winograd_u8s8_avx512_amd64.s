//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "simd_avx512_amd64.h"
#include "narrow_avx512_amd64.h"
#include "winograd_u8s8_body_amd64.h"

#define V15 Z15
#define NEXTQUADS(columns) DECQ BX

// func winograd2InputU8AVX512(args *WinogradInputArgs)
TEXT ·winograd2InputU8AVX512(SB), 0, $1024-8
	INPUT(16, INPUT4)

// func winograd4InputU8AVX512(args *WinogradInputArgs)
TEXT ·winograd4InputU8AVX512(SB), 0, $2304-8
	INPUT(36, INPUT6)

// func winograd2WeightsS8AVX512(args *WinogradWeightsArgs)
TEXT ·winograd2WeightsS8AVX512(SB), NOSPLIT, $0-8
	WEIGHTS(WINDOW, WEIGHTS2)

// func winograd4WeightsS8AVX512(args *WinogradWeightsArgs)
TEXT ·winograd4WeightsS8AVX512(SB), NOSPLIT, $0-8
	WEIGHTS(WINDOW, WEIGHTS4)

// func winograd2WeightsQuadsAVX512(args *WinogradWeightsArgs)
TEXT ·winograd2WeightsQuadsAVX512(SB), NOSPLIT, $0-8
	WEIGHTSQUADS(WINDOW, WEIGHTS2)

// func winograd4WeightsQuadsAVX512(args *WinogradWeightsArgs)
TEXT ·winograd4WeightsQuadsAVX512(SB), NOSPLIT, $0-8
	WEIGHTSQUADS(WINDOW, WEIGHTS4)

// func winograd1DInputU8AVX512(args *WinogradInputArgs)
TEXT ·winograd1DInputU8AVX512(SB), 0, $384-8
	INPUT(6, INPUT1D)

// func winograd1DWeightsS8AVX512(args *WinogradWeightsArgs)
TEXT ·winograd1DWeightsS8AVX512(SB), NOSPLIT, $0-8
	WEIGHTS(LINE, WEIGHTS1D)

// func winograd1DWeightsQuadsAVX512(args *WinogradWeightsArgs)
TEXT ·winograd1DWeightsQuadsAVX512(SB), NOSPLIT, $0-8
	WEIGHTSQUADS(LINE, WEIGHTS1D)

// func winograd2OutputS32AVX512(args *WinogradOutputArgs, output igemmOutput)
TEXT ·winograd2OutputS32AVX512(SB), 0, $768-9
#define PIXELS 4
#define TILEBYTES 512
#define TRANSFORM OUTPUT2
#include "winograd_u8s8_finish_avx512_amd64.h"

#undef PIXELS
#undef TILEBYTES
#undef TRANSFORM

// func winograd4OutputS32AVX512(args *WinogradOutputArgs, output igemmOutput)
TEXT ·winograd4OutputS32AVX512(SB), 0, $2560-9
#define PIXELS 16
#define TILEBYTES 1536
#define TRANSFORM OUTPUT4
#include "winograd_u8s8_finish_avx512_amd64.h"

#undef PIXELS
#undef TILEBYTES
#undef TRANSFORM

// func winograd1DOutputS32AVX512(args *WinogradOutputArgs, output igemmOutput)
TEXT ·winograd1DOutputS32AVX512(SB), 0, $256-9
#define PIXELS 4
#define TILEBYTES 0
#define TRANSFORM OUTPUT1D
#include "winograd_u8s8_finish_avx512_amd64.h"
