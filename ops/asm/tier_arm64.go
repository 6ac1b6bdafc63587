//go:build !purego

package asm

import "github.com/klauspost/cpuid/v2"

func cpuHas(t Tier) bool {
	switch t {
	case Generic, NEON: // Advanced SIMD is part of ARMv8.0
		return true
	case DotProd:
		return cpuid.CPU.Supports(cpuid.ASIMDDP)
	}
	return false
}
