//go:build !purego

package asm

import "golang.org/x/sys/cpu"

func cpuFeatures() features {
	have, x86 := features(0), &cpu.X86
	if x86.HasAVX2 && x86.HasFMA {
		have |= featureAVX2
	}
	if x86.HasAVXVNNI {
		have |= featureAVXVNNI
	}
	if x86.HasAVX512F && x86.HasAVX512BW && x86.HasAVX512DQ && x86.HasAVX512VL && x86.HasBMI2 {
		have |= featureAVX512
	}
	if x86.HasAVX512VNNI {
		have |= featureAVX512VNNI
	}
	return have
}
