//go:build !purego

#include "textflag.h"
#include "simd_avx2_amd64.h"
#include "mathf32_amd64.h"
#include "unary_f32_body_amd64.h"

// func clampF32AVX2(dst, src *float32, n int, p, q float32)
TEXT ·clampF32AVX2(SB), NOSPLIT, $0-32
	UNARY(CLAMPPQ)

// func leakyReLUF32AVX2(dst, src *float32, n int, p, q float32)
TEXT ·leakyReLUF32AVX2(SB), NOSPLIT, $0-32
	UNARY(LEAKYRELU)

// func hardSwishF32AVX2(dst, src *float32, n int, p, q float32)
TEXT ·hardSwishF32AVX2(SB), NOSPLIT, $0-32
	UNARY(HARDSWISH)

// func hardSigmoidF32AVX2(dst, src *float32, n int, p, q float32)
TEXT ·hardSigmoidF32AVX2(SB), NOSPLIT, $0-32
	UNARY(HARDSIGMOID)

// func expF32AVX2(dst, src *float32, n int, p, q float32)
TEXT ·expF32AVX2(SB), NOSPLIT, $0-32
	UNARY(EXPF)

// func logF32AVX2(dst, src *float32, n int, p, q float32)
TEXT ·logF32AVX2(SB), NOSPLIT, $0-32
	UNARY(LOG)

// func sigmoidF32AVX2(dst, src *float32, n int, p, q float32)
TEXT ·sigmoidF32AVX2(SB), NOSPLIT, $0-32
	UNARY(SIGMOID)

// func siluF32AVX2(dst, src *float32, n int, p, q float32)
TEXT ·siluF32AVX2(SB), NOSPLIT, $0-32
	UNARY(SILU)

// func tanhF32AVX2(dst, src *float32, n int, p, q float32)
TEXT ·tanhF32AVX2(SB), NOSPLIT, $0-32
	UNARY(TANH)

// func erfF32AVX2(dst, src *float32, n int, p, q float32)
TEXT ·erfF32AVX2(SB), NOSPLIT, $0-32
	UNARY(ERF)

// func geluF32AVX2(dst, src *float32, n int, p, q float32)
TEXT ·geluF32AVX2(SB), NOSPLIT, $0-32
	UNARY(GELU)

// func geluTanhF32AVX2(dst, src *float32, n int, p, q float32)
TEXT ·geluTanhF32AVX2(SB), NOSPLIT, $0-32
	UNARY(GELUTANH)

// func softplusF32AVX2(dst, src *float32, n int, p, q float32)
TEXT ·softplusF32AVX2(SB), NOSPLIT, $0-32
	UNARY(SOFTPLUS)
