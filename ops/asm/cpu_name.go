package asm

import "github.com/klauspost/cpuid/v2"

// CPUName returns the processor's own name, "" when it does not tell.
func CPUName() string { return cpuid.CPU.BrandName }
