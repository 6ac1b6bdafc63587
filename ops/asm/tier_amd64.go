//go:build !purego

package asm

import "github.com/klauspost/cpuid/v2"

func cpuFeatures() features {
	var have features
	add := func(f features, ids ...cpuid.FeatureID) {
		if cpuid.CPU.Supports(ids...) {
			have |= f
		}
	}
	add(featureAVX2, cpuid.AVX2, cpuid.FMA3)
	add(featureAVXVNNI, cpuid.AVXVNNI)
	add(featureAVX512, cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL, cpuid.BMI2)
	add(featureAVX512VNNI, cpuid.AVX512VNNI)
	return have
}
