package asm

import (
	"cmp"
	"unsafe"
)

// WeightBlock returns how many bytes of packed weights to work on at a time: a
// quarter of a core's second-level cache, so that the block in use and the one
// brought near for later leave room for rows and outputs.
func WeightBlock() int { return weightBlock }

var weightBlock = min(max(cmp.Or(cacheSize(), unknownCache)/4, 64<<10), 512<<10)

const unknownCache = 512 << 10

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
