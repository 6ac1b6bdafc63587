//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "simd_avx2_amd64.h"

#define DWCONV_F32 ·dwconvF32AVX2
#include "dwconv_f32_body_amd64.h"
