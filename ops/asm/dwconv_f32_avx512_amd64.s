//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "simd_avx512_amd64.h"

#define DWCONV_F32 ·dwconvF32AVX512
#include "dwconv_f32_body_amd64.h"
