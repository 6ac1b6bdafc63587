package asm

import (
	"unsafe"

	"github.com/klauspost/cpuid/v2"
)

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

// ahead spreads bringing weights near over the steps of a call: one more cache
// line per step at most. What does not fit the cache beside the block in use is left out.
func ahead(next []byte, steps int) (from, end unsafe.Pointer, step int) {
	n := min(len(next), 2*WeightBlock())
	if n == 0 || steps == 0 {
		return nil, nil, 0
	}
	from = unsafe.Pointer(&next[0])
	return from, unsafe.Add(from, n), min(ceil(n, steps), 64)
}

func ceil(n, by int) int { return (n + by - 1) / by }
