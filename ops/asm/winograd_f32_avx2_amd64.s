//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "simd_avx2_amd64.h"
#include "mathf32_amd64.h"
#include "winograd_f32_body_amd64.h"

// func winograd2InputAVX2(args *WinogradF32Args)
TEXT ·winograd2InputAVX2(SB), 0, $2304-8
	TILES(16, winogradFour<>(SB), winogradFive<>(SB), FULLIN4, MASKEDIN4)

// func winograd2OutputAVX2(args *WinogradF32Args)
TEXT ·winograd2OutputAVX2(SB), 0, $2304-8
	TILES(4, winogradFour<>(SB), winogradEight<>(SB), FULLOUT4, MASKEDOUT4)

// func winograd4InputAVX2(args *WinogradF32Args)
TEXT ·winograd4InputAVX2(SB), 0, $2304-8
	TILES(36, winogradFour<>(SB), winogradFive<>(SB), FULLIN6, MASKEDIN6)

// func winograd4OutputAVX2(args *WinogradF32Args)
TEXT ·winograd4OutputAVX2(SB), 0, $2304-8
	TILES(16, winogradFour<>(SB), winogradEight<>(SB), FULLOUT6, MASKEDOUT6)
