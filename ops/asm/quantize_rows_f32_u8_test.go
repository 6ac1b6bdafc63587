package asm

import (
	"math"
	"testing"
)

func TestMinMaxF32(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	forEachKernel(t, minmaxF32Table, func(t *testing.T, k *MinMaxF32) {
		rng := newRand(62)
		g := newGuarded(t, 4096)
		for n := 0; n <= 67; n++ {
			for special := range 6 {
				x := atEnd[float32](g, n)
				for i := range x {
					x[i] = float32(rng.NormFloat64())
					switch {
					case special == 1 && i == n/2, special == 2:
						x[i] = nan
					case special == 3 && i == n/3:
						x[i] = inf
					case special == 4 && i == 2*n/3:
						x[i] = -inf
					case special == 5 && rng.IntN(2) == 0:
						x[i] = nan
					}
				}
				wantLo, wantHi, wantNaN := inf, -inf, false
				for _, v := range x {
					if v != v {
						wantNaN = true
						continue
					}
					wantLo, wantHi = min(wantLo, v), max(wantHi, v)
				}
				lo, hi, isNaN := k.Run(x)
				if lo != wantLo || hi != wantHi || isNaN != wantNaN {
					t.Fatalf("n=%d: got %v %v %v, want %v %v %v of %v", n, lo, hi, isNaN, wantLo, wantHi, wantNaN, x)
				}
				checkNoAllocs(t, func() { k.Run(x) })
			}
		}
		// Every position counts.
		for n := 1; n <= 40; n++ {
			for i := range n {
				x := atEnd[float32](g, n)
				clear(x)
				x[i] = -3
				if lo, hi, _ := k.Run(x); lo != -3 || hi != 0 && n > 1 {
					t.Fatalf("n=%d: minimum at %d not found: %v %v", n, i, lo, hi)
				}
				x[i] = 3
				if lo, hi, _ := k.Run(x); hi != 3 || lo != 0 && n > 1 {
					t.Fatalf("n=%d: maximum at %d not found: %v %v", n, i, lo, hi)
				}
				x[i] = nan
				if lo, hi, isNaN := k.Run(x); !isNaN || n > 1 && (lo != 0 || hi != 0) {
					t.Fatalf("n=%d: NaN at %d not found", n, i)
				}
			}
		}
	})
}

func TestQuantizeRowsF32U8(t *testing.T) {
	for _, tier := range Supported() {
		t.Run(tier.String(), func(t *testing.T) {
			rng := newRand(63)
			k := QuantizeRowsF32U8For(tier)
			for n := 1; n <= 35; n++ {
				const m = 6
				xs, qs := n+rng.IntN(3), n+rng.IntN(3)
				x, q := make([]float32, m*xs), make([]uint8, m*qs)
				fillSentinel(q)
				for i := range x {
					x[i] = float32(rng.NormFloat64()) * 3
				}
				for i := range n {
					x[1*xs+i] = 0                                // no range
					x[2*xs+i] = float32(math.Abs(float64(x[i]))) // one side
					x[3*xs+i] *= 1e-42                           // 1/scale overflows
				}
				x[4*xs+n/2] = float32(math.NaN())
				x[5*xs+n/2] = float32(math.Inf(1))
				scale, zero := make([]float32, m), make([]int32, m)
				p := QuantizeRowsF32U8Args{
					M: m, N: n, X: &x[0], XStride: 4 * xs, Q: &q[0], QStride: qs, Scale: &scale[0], Zero: &zero[0]}
				k.Run(&p)
				for r := range m {
					if !(scale[r] > 0) || math.IsInf(float64(scale[r]), 0) || zero[r] < 0 || zero[r] > 255 {
						t.Fatalf("n=%d: row %d has scale %v and zero point %d", n, r, scale[r], zero[r])
					}
					for i := range n {
						v, got := float64(x[r*xs+i]), int32(q[r*qs+i])
						switch {
						case v != v:
							if got != zero[r] {
								t.Fatalf("n=%d: NaN became %d, want the zero point %d", n, got, zero[r])
							}
							continue
						case math.IsInf(v, 1):
							if got != 255 {
								t.Fatalf("n=%d: +Inf became %d", n, got)
							}
							continue
						case v == 0 && got != zero[r]:
							t.Fatalf("n=%d: 0 became %d, want the zero point %d", n, got, zero[r])
						}
						if r == 3 { // steps are not finer than the smallest float
							continue
						}
						// Half a step of its own and half of the rounded zero point.
						if back := float64(got-zero[r]) * float64(scale[r]); math.Abs(back-v) > 1.001*float64(scale[r]) {
							t.Fatalf("n=%d: row %d: %v came back as %v with scale %v", n, r, v, back, scale[r])
						}
					}
				}
				checkStridedSentinels(t, n, q, m, n, qs)
				checkNoAllocs(t, func() { k.Run(&p) })
			}
		})
	}
}

func BenchmarkMinMaxF32(b *testing.B) {
	benchEachKernel(b, minmaxF32Table, func(b *testing.B, k *MinMaxF32) {
		x := make([]float32, 1<<13)
		b.SetBytes(int64(4 * len(x)))
		for b.Loop() {
			k.Run(x)
		}
	})
}
