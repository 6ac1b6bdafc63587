//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "simd_avx512_amd64.h"
#include "binary_f32_body_amd64.h"

// func addVectorF32AVX512(args *BinaryF32Args)
TEXT ·addVectorF32AVX512(SB), NOSPLIT, $0-8
	BINARYVECTOR(ADD)

// func addScalarF32AVX512(args *BinaryF32Args)
TEXT ·addScalarF32AVX512(SB), NOSPLIT, $0-8
	BINARYSCALAR(ADD)

// func subVectorF32AVX512(args *BinaryF32Args)
TEXT ·subVectorF32AVX512(SB), NOSPLIT, $0-8
	BINARYVECTOR(SUB)

// func subScalarF32AVX512(args *BinaryF32Args)
TEXT ·subScalarF32AVX512(SB), NOSPLIT, $0-8
	BINARYSCALAR(SUB)

// func mulVectorF32AVX512(args *BinaryF32Args)
TEXT ·mulVectorF32AVX512(SB), NOSPLIT, $0-8
	BINARYVECTOR(MUL)

// func mulScalarF32AVX512(args *BinaryF32Args)
TEXT ·mulScalarF32AVX512(SB), NOSPLIT, $0-8
	BINARYSCALAR(MUL)

// func divVectorF32AVX512(args *BinaryF32Args)
TEXT ·divVectorF32AVX512(SB), NOSPLIT, $0-8
	BINARYVECTOR(DIV)

// func divScalarF32AVX512(args *BinaryF32Args)
TEXT ·divScalarF32AVX512(SB), NOSPLIT, $0-8
	BINARYSCALAR(DIV)

// func rsubVectorF32AVX512(args *BinaryF32Args)
TEXT ·rsubVectorF32AVX512(SB), NOSPLIT, $0-8
	BINARYVECTOR(RSUB)

// func rsubScalarF32AVX512(args *BinaryF32Args)
TEXT ·rsubScalarF32AVX512(SB), NOSPLIT, $0-8
	BINARYSCALAR(RSUB)

// func rdivVectorF32AVX512(args *BinaryF32Args)
TEXT ·rdivVectorF32AVX512(SB), NOSPLIT, $0-8
	BINARYVECTOR(RDIV)

// func rdivScalarF32AVX512(args *BinaryF32Args)
TEXT ·rdivScalarF32AVX512(SB), NOSPLIT, $0-8
	BINARYSCALAR(RDIV)
