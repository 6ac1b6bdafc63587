package asm

import "github.com/klauspost/cpuid/v2"

// CPUName returns the processor's own name, on arm64 those of its kinds of cores, "" when it does not tell.
func CPUName() string {
	if name := cpuid.CPU.BrandName; name != "" {
		return name
	}
	return coreNames()
}
