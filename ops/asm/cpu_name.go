package asm

// CPUName returns the processor's own name, on linux/arm64 those of its kinds of cores, "" when it does not tell.
func CPUName() string { return cpuName() }
