package asm

import "github.com/klauspost/cpuid/v2"

// WeightBlock returns how many bytes of packed weights to work on at a time: a
// quarter of a core's second-level cache, so that the block in use and the one
// brought near for later leave room for rows and outputs.
func WeightBlock() int {
	const unknown = 512 << 10
	l2 := cpuid.CPU.Cache.L2
	if l2 <= 0 {
		l2 = unknown
	}
	return min(max(l2/4, 64<<10), 512<<10)
}
