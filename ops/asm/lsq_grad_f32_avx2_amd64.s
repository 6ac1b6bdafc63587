//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "simd_avx2_amd64.h"

#define LSQ_GRAD_F32 ·lsqGradF32AVX2
#include "lsq_grad_f32_body_amd64.h"
