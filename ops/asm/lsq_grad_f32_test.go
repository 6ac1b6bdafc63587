package asm

import (
	"math"
	"testing"
)

func TestLSQGradF32(t *testing.T) {
	inf := float32(math.Inf(1))
	forEachKernel(t, lsqGradF32Table, func(t *testing.T, k *LSQGradF32) {
		rng := newRand(72)
		var g [3]*guarded
		for i := range g {
			g[i] = newGuarded(t, 4096)
		}
		for _, n := range columnSizes() {
			for variant := range 6 {
				x, dy, dx := atEnd[float32](g[0], n), atEnd[float32](g[1], n), atEnd[float32](g[2], n)
				p := LSQGradF32Args{
					N: n, X: &x[0], DY: &dy[0], DX: &dx[0], Scale: 0.01 + rng.Float32(), Zero: 3, Lo: 0, Hi: 15, ActLo: -inf, ActHi: inf,
				}
				switch variant {
				case 1:
					p.ActLo = 0
				case 2:
					p.ActLo, p.ActHi = 0, 6
				case 3:
					p.Zero, p.Lo, p.Hi = 0, -128, 127
				case 4:
					p.Scale = -p.Scale
				}
				for i := range x {
					x[i], dy[i] = float32(rng.NormFloat64()*8), float32(rng.NormFloat64())
					if variant == 5 {
						special := []float32{inf, -inf, float32(math.NaN()), 1e30, -1e30, 0, 0x1p-140, 2.5 * p.Scale}
						x[i] = special[rng.IntN(len(special))]
					}
				}
				fillSentinel(dx)

				dScale, dZero := k.Run(&p)

				wantScale, wantZero, size := 0.0, 0.0, 0.0
				for i, v := range x {
					a := v
					if a < p.ActLo {
						a = p.ActLo
					}
					if a > p.ActHi {
						a = p.ActHi
					}
					s, d := float64(p.Scale), float64(dy[i])
					n := math.RoundToEven(float64(float32(a*(1/p.Scale)))) + float64(p.Zero)
					want, term := float32(0), 0.0
					switch {
					case n < float64(p.Lo):
						term = d * float64(p.Lo-p.Zero)
						wantZero -= d * s
					case n > float64(p.Hi):
						term = d * float64(p.Hi-p.Zero)
						wantZero -= d * s
					case n == n:
						term = d * (n - float64(p.Zero) - float64(a)/s)
						if v > p.ActLo && v < p.ActHi {
							want = dy[i]
						}
					}
					wantScale += term
					size += math.Abs(term) + math.Abs(d)
					if dx[i] != want {
						t.Fatalf("%+v: gradient of %v is %v, want %v", p, v, dx[i], want)
					}
				}
				if math.Abs(dScale-wantScale) > 1e-6*size || math.Abs(dZero-wantZero) > 1e-6*size {
					t.Fatalf("%+v: sums %v and %v, want %v and %v", p, dScale, dZero, wantScale, wantZero)
				}
				checkNoAllocs(t, func() { k.Run(&p) })
			}
		}
	})
}

func BenchmarkLSQGradF32(b *testing.B) {
	benchEachKernel(b, lsqGradF32Table, func(b *testing.B, k *LSQGradF32) {
		x, dy, dx := make([]float32, 1<<12), make([]float32, 1<<12), make([]float32, 1<<12)
		p := LSQGradF32Args{N: len(x), X: &x[0], DY: &dy[0], DX: &dx[0], Scale: 1, Hi: 255, ActHi: 6}
		b.SetBytes(int64(12 * len(x)))
		for b.Loop() {
			k.Run(&p)
		}
	})
}
