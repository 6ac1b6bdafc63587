//go:build !purego

package asm

import "golang.org/x/sys/cpu"

func cpuFeatures() features {
	have := featureNEON // part of ARMv8.0
	if cpu.ARM64.HasASIMDDP {
		have |= featureDotProd
	}
	if cpu.ARM64.HasI8MM || windowsHasI8MM() {
		have |= featureI8MM
	}
	return have
}
