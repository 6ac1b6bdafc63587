//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "simd_avx512_amd64.h"
#include "mathf32_amd64.h"

#define SOFTMAX_F32 ·softmaxF32AVX512
#include "softmax_f32_body_amd64.h"
