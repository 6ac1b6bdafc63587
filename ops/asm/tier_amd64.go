//go:build !purego

package asm

import "github.com/klauspost/cpuid/v2"

func cpuHas(t Tier) bool {
	c := &cpuid.CPU
	avx2 := c.Supports(cpuid.AVX2, cpuid.FMA3)
	avx512 := avx2 && c.Supports(cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL, cpuid.BMI2)
	switch t {
	case Generic:
		return true
	case AVX2:
		return avx2
	case AVXVNNI:
		return avx2 && c.Supports(cpuid.AVXVNNI)
	case AVX512:
		return avx512
	case AVX512VNNI:
		return avx512 && c.Supports(cpuid.AVX512VNNI)
	}
	return false
}
