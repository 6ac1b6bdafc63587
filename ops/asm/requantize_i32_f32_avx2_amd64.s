//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "simd_avx2_amd64.h"

#define REQUANTIZE_I32_F32 ·requantizeI32F32AVX2
#include "requantize_i32_f32_body_amd64.h"
