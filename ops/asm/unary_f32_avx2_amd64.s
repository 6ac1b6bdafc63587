//go:build !purego

#include "textflag.h"
#include "simd_avx2_amd64.h"
#include "mathf32_amd64.h"
#include "unary_f32_body_amd64.h"

// func clampF32AVX2(dst, src, bias *float32, n int, p, q float32)
TEXT ·clampF32AVX2(SB), NOSPLIT, $0-40
	UNARY(CLAMPPQ)

// func leakyReLUF32AVX2(dst, src, bias *float32, n int, p, q float32)
TEXT ·leakyReLUF32AVX2(SB), NOSPLIT, $0-40
	UNARY(LEAKYRELU)

// func hardSwishF32AVX2(dst, src, bias *float32, n int, p, q float32)
TEXT ·hardSwishF32AVX2(SB), NOSPLIT, $0-40
	UNARY(HARDSWISH)

// func hardSigmoidF32AVX2(dst, src, bias *float32, n int, p, q float32)
TEXT ·hardSigmoidF32AVX2(SB), NOSPLIT, $0-40
	UNARY(HARDSIGMOID)

// func expF32AVX2(dst, src, bias *float32, n int, p, q float32)
TEXT ·expF32AVX2(SB), NOSPLIT, $0-40
	UNARY(EXPF)

// func logF32AVX2(dst, src, bias *float32, n int, p, q float32)
TEXT ·logF32AVX2(SB), NOSPLIT, $0-40
	UNARY(LOG)

// func sigmoidF32AVX2(dst, src, bias *float32, n int, p, q float32)
TEXT ·sigmoidF32AVX2(SB), NOSPLIT, $0-40
	UNARY(SIGMOID)

// func siluF32AVX2(dst, src, bias *float32, n int, p, q float32)
TEXT ·siluF32AVX2(SB), NOSPLIT, $0-40
	UNARY(SILU)

// func tanhF32AVX2(dst, src, bias *float32, n int, p, q float32)
TEXT ·tanhF32AVX2(SB), NOSPLIT, $0-40
	UNARY(TANH)

// func erfF32AVX2(dst, src, bias *float32, n int, p, q float32)
TEXT ·erfF32AVX2(SB), NOSPLIT, $0-40
	UNARY(ERF)

// func geluF32AVX2(dst, src, bias *float32, n int, p, q float32)
TEXT ·geluF32AVX2(SB), NOSPLIT, $0-40
	UNARY(GELU)

// func geluTanhF32AVX2(dst, src, bias *float32, n int, p, q float32)
TEXT ·geluTanhF32AVX2(SB), NOSPLIT, $0-40
	UNARY(GELUTANH)

// func softplusF32AVX2(dst, src, bias *float32, n int, p, q float32)
TEXT ·softplusF32AVX2(SB), NOSPLIT, $0-40
	UNARY(SOFTPLUS)
