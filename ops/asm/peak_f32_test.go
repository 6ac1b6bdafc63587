package asm

import (
	"testing"
	"time"
)

// limitF32 measures the float32 operations per second of one core on a tier; the
// best of several short runs, since other work disturbs any of them.
func limitF32(tier Tier) float64 {
	k := PeakF32For(tier)
	best := 0.0
	for range 10 {
		start := time.Now()
		ops := k.Run(200_000)
		best = max(best, float64(ops)/time.Since(start).Seconds())
	}
	return best
}

// reportF32Limit adds the share of the tier's limit that a benchmark reached,
// whose iteration does the given number of operations.
func reportF32Limit(b *testing.B, tier Tier, ops int) {
	b.Helper()
	rate := float64(ops) * float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(100*rate/limitF32(tier), "%limit")
}

func TestPeakF32(t *testing.T) {
	forEachKernel(t, peakF32Table, func(t *testing.T, k *PeakF32) {
		if got := k.Run(3); got != 3*k.ops {
			t.Errorf("3 rounds hold %d operations, want %d", got, 3*k.ops)
		}
		k.Run(0)
		checkNoAllocs(t, func() { k.Run(10) })
	})
}
