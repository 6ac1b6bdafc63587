//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "simd_avx512_amd64.h"

#define LAYERNORM_F32 ·layerNormF32AVX512
#include "layernorm_f32_body_amd64.h"
