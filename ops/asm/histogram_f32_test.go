package asm

import (
	"fmt"
	"math"
	"testing"
)

func TestHistogramF32(t *testing.T) {
	forEachKernel(t, histogramF32Table, func(t *testing.T, k *HistogramF32) {
		rng := newRand(31)
		g := newGuarded(t, 4096)
		for n := 0; n <= 67; n++ {
			for range 8 {
				x := atEnd[float32](g, n)
				for i := range x {
					x[i] = float32(rng.NormFloat64() * math.Exp(rng.NormFloat64()))
				}
				p := HistogramF32Args{
					N: n, Sub: float32(rng.NormFloat64()), Mul: float32(math.Exp(2 * rng.NormFloat64())), Div: float32(math.Exp(rng.NormFloat64())),
					First: int32(rng.IntN(41) - 20), Bins: int32(1 + rng.IntN(300)),
				}
				p.Stride = int(p.Bins) + rng.IntN(3)
				counts := make([]uint32, HistogramTables*p.Stride)
				for i := range counts {
					counts[i] = uint32(i)
				}
				p.Counts = &counts[0]
				if n > 0 {
					p.X = &x[0]
				}
				k.Run(&p)
				want := make([]uint32, p.Stride)
				for i := range counts {
					want[i%p.Stride] += uint32(i)
				}
				for _, v := range x {
					d := v - p.Sub
					d *= p.Mul
					d /= p.Div
					bin := int(math.Floor(float64(d))) - int(p.First)
					want[min(max(bin, 0), int(p.Bins)-1)]++
				}
				for i := range want {
					got := uint32(0)
					for table := range HistogramTables {
						got += counts[table*p.Stride+i]
					}
					if got != want[i] {
						t.Fatalf("%+v: %d values in bin %d, want %d", p, got, i, want[i])
					}
				}
				checkNoAllocs(t, func() { k.Run(&p) })
			}
		}
	})
}

// BenchmarkHistogramF32 counts values as they are after a ReLU, half of them 0,
// and without it.
func BenchmarkHistogramF32(b *testing.B) {
	const n = 1 << 16
	for _, zeros := range []bool{false, true} {
		b.Run(fmt.Sprintf("64Ki,zeros=%v", zeros), func(b *testing.B) {
			benchEachKernel(b, histogramF32Table, func(b *testing.B, k *HistogramF32) {
				rng := newRand(1)
				x := make([]float32, n)
				for i := range x {
					x[i] = float32(rng.NormFloat64())
					if zeros {
						x[i] = max(x[i], 0)
					}
				}
				counts := make([]uint32, HistogramTables*4096)
				p := HistogramF32Args{X: &x[0], N: n, Sub: -8, Mul: 256, Div: 1, Bins: 4096, Counts: &counts[0], Stride: 4096}
				b.SetBytes(4 * n)
				for b.Loop() {
					k.Run(&p)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/element")
			})
		})
	}
}
