//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "simd_avx512_amd64.h"

#define SCALE_SHIFT_F32 ·scaleShiftF32AVX512
#include "scale_shift_f32_body_amd64.h"
