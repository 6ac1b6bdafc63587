package asm

import (
	"math"
	"testing"
	"unsafe"
)

func TestRequantizeI32F32(t *testing.T) {
	forEachKernel(t, requantizeI32F32Table, func(t *testing.T, k *RequantizeI32F32) {
		rng := newRand(71)
		var g [6]*guarded
		for i := range g {
			g[i] = newGuarded(t, 4096)
		}
		for n := 1; n <= 35; n++ {
			for variant := range 8 {
				m := 1 + rng.IntN(3)
				p := RequantizeI32F32Args{
					M: m, N: n, AccStride: 4 * (n + rng.IntN(3)), YStride: 4 * (n + rng.IntN(3)), ResStride: 4 * (n + rng.IntN(3)),
					Lo: -float32(rng.IntN(256)), Hi: float32(rng.IntN(256)), Scale: 0.01 + rng.Float32(), ResMult: rng.Float32(),
				}
				scale := 0.01 + rng.Float32()
				p.ResInv = 1 / scale
				acc := atEnd[int32](g[0], (m-1)*p.AccStride/4+n)
				y := atEnd[float32](g[1], (m-1)*p.YStride/4+n)
				real := atEnd[float32](g[2], (m-1)*p.YStride/4+n)
				res := atEnd[float32](g[3], (m-1)*p.ResStride/4+n)
				mult, bias := atEnd[float32](g[4], n), atEnd[float32](g[5], n)
				for i := range acc {
					acc[i] = int32(rng.Uint32()) >> (4 + rng.IntN(20))
				}
				for i := range mult {
					mult[i], bias[i] = rng.Float32()*0.01, float32(100*rng.NormFloat64())
				}
				// Halves meet the rounding rule.
				acc[0], mult[0] = 5, 0.5
				for i := range res {
					res[i] = float32(rng.IntN(256)-128) * scale
				}
				fillSentinel(y)
				fillSentinel(real)
				p.Acc, p.Mult, p.Y, p.Real = &acc[0], &mult[0], &y[0], &real[0]
				if variant&1 != 0 {
					p.Bias = &bias[0]
				}
				if variant&2 != 0 {
					p.Res = &res[0]
				}
				inPlace := variant&4 != 0 && p.AccStride == p.YStride
				if inPlace {
					for i, v := range acc {
						real[i] = math.Float32frombits(uint32(v))
					}
					p.Acc = (*int32)(unsafe.Pointer(&real[0]))
				}

				k.Run(&p)

				for r := range m {
					for i := range n {
						v := float32(acc[r*p.AccStride/4+i])
						if p.Bias != nil {
							v += bias[i]
						}
						v = float32(v * mult[i])
						if p.Res != nil {
							q := math.RoundToEven(float64(float32(res[r*p.ResStride/4+i] * p.ResInv)))
							v += float32(float32(q) * p.ResMult)
						}
						wantReal := float32(v * p.Scale)
						want := float32(math.RoundToEven(float64(min(max(v, p.Lo), p.Hi)))) * p.Scale
						at := r*p.YStride/4 + i
						if y[at] != want || math.Float32bits(real[at]) != math.Float32bits(wantReal) {
							t.Fatalf("%+v: output (%d, %d) = %v and %v, want %v and %v", p, r, i, y[at], real[at], want, wantReal)
						}
					}
				}
				checkStridedSentinels(t, p, asBytes(y), m, 4*n, p.YStride)
				if !inPlace {
					checkStridedSentinels(t, p, asBytes(real), m, 4*n, p.YStride)
				}
				checkNoAllocs(t, func() { k.Run(&p) })
			}
		}
	})
}

func BenchmarkRequantizeI32F32(b *testing.B) {
	b.Run("512x16", func(b *testing.B) {
		benchEachKernel(b, requantizeI32F32Table, func(b *testing.B, k *RequantizeI32F32) {
			acc, y, real, mult := make([]int32, 512*16), make([]float32, 512*16), make([]float32, 512*16), make([]float32, 16)
			p := RequantizeI32F32Args{
				M: 512, N: 16, Acc: &acc[0], AccStride: 64, Mult: &mult[0], Hi: 255, Scale: 1, Y: &y[0], Real: &real[0], YStride: 64,
			}
			b.SetBytes(int64(12 * len(acc)))
			for b.Loop() {
				k.Run(&p)
			}
		})
	})
}
