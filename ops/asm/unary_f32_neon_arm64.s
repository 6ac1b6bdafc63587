//go:build !purego

#include "textflag.h"
#include "neon_arm64.h"
#include "pair_arm64.h"
#include "mathf32_arm64.h"
#include "tail_words_arm64.h"
#include "unary_f32_body_arm64.h"

// func clampF32NEON(dst, src *float32, n int, p, q float32)
TEXT ·clampF32NEON(SB), NOSPLIT, $32-32
	UNARY(CLAMPPQ)
	RET

// func leakyReLUF32NEON(dst, src *float32, n int, p, q float32)
TEXT ·leakyReLUF32NEON(SB), NOSPLIT, $32-32
	UNARY(LEAKYRELU)
	RET

// func hardSwishF32NEON(dst, src *float32, n int, p, q float32)
TEXT ·hardSwishF32NEON(SB), NOSPLIT, $32-32
	UNARY(HARDSWISH)
	RET

// func hardSigmoidF32NEON(dst, src *float32, n int, p, q float32)
TEXT ·hardSigmoidF32NEON(SB), NOSPLIT, $32-32
	UNARY(HARDSIGMOID)
	RET

// func expF32NEON(dst, src *float32, n int, p, q float32)
TEXT ·expF32NEON(SB), NOSPLIT, $32-32
	UNARY(EXPF)
	RET

// func logF32NEON(dst, src *float32, n int, p, q float32)
TEXT ·logF32NEON(SB), NOSPLIT, $32-32
	UNARY(LOG)
	RET

// func sigmoidF32NEON(dst, src *float32, n int, p, q float32)
TEXT ·sigmoidF32NEON(SB), NOSPLIT, $32-32
	UNARY(SIGMOID)
	RET

// func siluF32NEON(dst, src *float32, n int, p, q float32)
TEXT ·siluF32NEON(SB), NOSPLIT, $32-32
	UNARY(SILU)
	RET

// func tanhF32NEON(dst, src *float32, n int, p, q float32)
TEXT ·tanhF32NEON(SB), NOSPLIT, $32-32
	UNARY(TANH)
	RET

// func erfF32NEON(dst, src *float32, n int, p, q float32)
TEXT ·erfF32NEON(SB), NOSPLIT, $32-32
	UNARY(ERF)
	RET

// func geluF32NEON(dst, src *float32, n int, p, q float32)
TEXT ·geluF32NEON(SB), NOSPLIT, $32-32
	UNARY(GELU)
	RET

// func geluTanhF32NEON(dst, src *float32, n int, p, q float32)
TEXT ·geluTanhF32NEON(SB), NOSPLIT, $32-32
	UNARY(GELUTANH)
	RET

// func softplusF32NEON(dst, src *float32, n int, p, q float32)
TEXT ·softplusF32NEON(SB), NOSPLIT, $32-32
	UNARY(SOFTPLUS)
	RET
