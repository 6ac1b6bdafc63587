//go:build !purego

#include "textflag.h"
#include "simd_avx512_amd64.h"
#include "mathf32_amd64.h"
#include "unary_f32_body_amd64.h"
#include "unary_f32_tail_avx512_amd64.h"

// func clampF32AVX512(dst, src *float32, n int, p, q float32)
TEXT ·clampF32AVX512(SB), NOSPLIT, $0-32
	UNARY(CLAMPPQ)

// func leakyReLUF32AVX512(dst, src *float32, n int, p, q float32)
TEXT ·leakyReLUF32AVX512(SB), NOSPLIT, $0-32
	UNARY(LEAKYRELU)

// func hardSwishF32AVX512(dst, src *float32, n int, p, q float32)
TEXT ·hardSwishF32AVX512(SB), NOSPLIT, $0-32
	UNARY(HARDSWISH)

// func hardSigmoidF32AVX512(dst, src *float32, n int, p, q float32)
TEXT ·hardSigmoidF32AVX512(SB), NOSPLIT, $0-32
	UNARY(HARDSIGMOID)

// func expF32AVX512(dst, src *float32, n int, p, q float32)
TEXT ·expF32AVX512(SB), NOSPLIT, $0-32
	UNARY(EXPF)

// func logF32AVX512(dst, src *float32, n int, p, q float32)
TEXT ·logF32AVX512(SB), NOSPLIT, $0-32
	UNARY(LOG)

// func sigmoidF32AVX512(dst, src *float32, n int, p, q float32)
TEXT ·sigmoidF32AVX512(SB), NOSPLIT, $0-32
	UNARY(SIGMOID)

// func siluF32AVX512(dst, src *float32, n int, p, q float32)
TEXT ·siluF32AVX512(SB), NOSPLIT, $0-32
	UNARY(SILU)

// func tanhF32AVX512(dst, src *float32, n int, p, q float32)
TEXT ·tanhF32AVX512(SB), NOSPLIT, $0-32
	UNARY(TANH)

// func erfF32AVX512(dst, src *float32, n int, p, q float32)
TEXT ·erfF32AVX512(SB), NOSPLIT, $0-32
	UNARY(ERFTABLE)

// func geluF32AVX512(dst, src *float32, n int, p, q float32)
TEXT ·geluF32AVX512(SB), NOSPLIT, $0-32
	UNARY(GELUTABLE)

// func geluTanhF32AVX512(dst, src *float32, n int, p, q float32)
TEXT ·geluTanhF32AVX512(SB), NOSPLIT, $0-32
	UNARY(GELUTANH)

// func softplusF32AVX512(dst, src *float32, n int, p, q float32)
TEXT ·softplusF32AVX512(SB), NOSPLIT, $0-32
	UNARY(SOFTPLUS)
