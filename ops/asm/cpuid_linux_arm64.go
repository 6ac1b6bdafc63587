package asm

import "os"

// cpuName returns what the kernel says of the cores.
func cpuName() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	return armCores(string(info))
}

func cacheSize() int { return 0 }
