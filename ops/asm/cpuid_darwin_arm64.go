package asm

import "golang.org/x/sys/unix"

// cpuName returns what the system calls the processor.
func cpuName() string {
	name, _ := unix.Sysctl("machdep.cpu.brand_string")
	return name
}

// cacheSize returns the bytes of a cluster's second-level cache, 0 when the system does not tell.
func cacheSize() int {
	size, _ := unix.SysctlUint64("hw.l2cachesize")
	return int(size)
}
