package asm

import "testing"

func TestPeakU8S8(t *testing.T) {
	forEachKernel(t, peakU8S8Table, func(t *testing.T, k *PeakU8S8) {
		if got := k.Run(3); got != 3*k.ops {
			t.Errorf("3 rounds hold %d operations, want %d", got, 3*k.ops)
		}
		k.Run(0)
		checkNoAllocs(t, func() { k.Run(10) })
	})
}

func BenchmarkPeakU8S8(b *testing.B) {
	for i := range peakU8S8Table {
		k := &peakU8S8Table[i]
		if !cpuHas(k.Tier) {
			continue
		}
		b.Run(k.Tier.String(), func(b *testing.B) {
			ops := 0
			for b.Loop() {
				ops += k.Run(10_000)
			}
			b.ReportMetric(float64(ops)/b.Elapsed().Seconds()/1e9, "Gop/s")
		})
	}
}

// TestPeakU8S8HasEveryTier checks that each kernel is compared with the limit of its own instructions.
func TestPeakU8S8HasEveryTier(t *testing.T) {
	peaks := map[Tier]bool{}
	for _, k := range peakU8S8Table {
		peaks[k.Tier] = true
	}
	for _, k := range igemmU8S8Table {
		if !peaks[k.Tier] {
			t.Errorf("igemm_u8s8 has a kernel for %s, peak_u8s8 has none", k.Tier)
		}
	}
}
