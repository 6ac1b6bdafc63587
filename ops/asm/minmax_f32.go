package asm

import (
	"math"
	"unsafe"
)

// MinMaxF32 is a kernel of the smallest and largest of n floats. NaN is left
// out and reported; of nothing else, the smallest is +Inf and the largest
// -Inf. Which zero stands for a zero result, -0 or +0, is not defined.
type MinMaxF32 struct {
	Info
	run func(x *float32, n int) (lo, hi float32, nan bool)
}

// Run returns the extremes of x and whether it holds a NaN.
func (k *MinMaxF32) Run(x []float32) (lo, hi float32, nan bool) {
	return k.run(unsafe.SliceData(x), len(x))
}

// MinMaxF32For returns the kernel for a CPU of the given tier.
func MinMaxF32For(tier Tier) *MinMaxF32 { return pick(minmaxF32Table, tier) }

var minmaxF32Table = []MinMaxF32{{
	Info: Info{Op: "minmax_f32", Tier: Generic},
	run:  minmaxF32Generic,
}}

func minmaxF32Generic(x *float32, n int) (lo, hi float32, nan bool) {
	lo, hi = float32(math.Inf(1)), float32(math.Inf(-1))
	for _, v := range unsafe.Slice(x, n) {
		if v < lo {
			lo = v
		}
		if v > hi {
			hi = v
		}
		if v != v {
			nan = true
		}
	}
	return lo, hi, nan
}
