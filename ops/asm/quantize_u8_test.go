package asm

import (
	"math"
	"testing"
)

func TestQuantizeF32U8(t *testing.T) {
	special := []float32{
		float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), math.MaxFloat32, -math.MaxFloat32,
		math.SmallestNonzeroFloat32, 0, float32(math.Copysign(0, -1)), 0.5, 1.5, 2.5, -0.5, -1.5, 127.5, -128.5, 254.5, 255.5, 3e9, -3e9,
	}
	forEachKernel(t, quantizeF32U8Table, func(t *testing.T, k *QuantizeF32U8) {
		rng := newRand(31)
		gx, gq := newGuarded(t, 4096), newGuarded(t, 4096)
		for n := 1; n <= 67; n++ {
			for range 8 {
				x, mem := atEnd[float32](gx, n), atEnd[uint8](gq, n+3)
				for i := range x {
					x[i] = float32(rng.NormFloat64()) * 100
					if rng.IntN(3) == 0 {
						x[i] = special[rng.IntN(len(special))]
					}
				}
				fillSentinel(mem)
				q := mem[3:]
				p := QuantizeF32U8Args{N: n, X: &x[0], Q: &q[0], Inv: 1, Zero: int32(rng.IntN(256)), Hi: 255}
				switch rng.IntN(3) {
				case 0:
					p.Inv = float32(rng.Float64()) * 3
				case 1:
					p.Lo, p.Hi = p.Zero, min(255, p.Zero+int32(rng.IntN(100)))
				}

				k.Run(&p)

				for i, v := range x {
					v *= p.Inv
					want := p.Zero
					if v == v {
						r := math.RoundToEven(float64(v)) + float64(p.Zero)
						want = int32(min(max(r, float64(p.Lo)), float64(p.Hi)))
					}
					if int32(q[i]) != want {
						t.Fatalf("%+v: %v became %d, want %d", p, v, q[i], want)
					}
				}
				checkSentinel(t, p, mem[:3])
				checkNoAllocs(t, func() { k.Run(&p) })
			}
		}
	})
}

func TestDequantizeU8F32(t *testing.T) {
	forEachKernel(t, dequantizeU8F32Table, func(t *testing.T, k *DequantizeU8F32) {
		rng := newRand(32)
		gq, gy := newGuarded(t, 4096), newGuarded(t, 4096)
		for n := 1; n <= 67; n++ {
			q, mem := atEnd[uint8](gq, n), atEnd[float32](gy, n+1)
			for i := range q {
				q[i] = uint8(rng.Uint32())
			}
			fillSentinel(mem)
			y := mem[1:]
			p := DequantizeU8F32Args{N: n, Q: &q[0], Y: &y[0], Zero: int32(rng.IntN(256)), Scale: float32(rng.NormFloat64())}
			k.Run(&p)
			for i, v := range q {
				if want := float32(int32(v)-p.Zero) * p.Scale; y[i] != want {
					t.Fatalf("%+v: %d became %v, want %v", p, v, y[i], want)
				}
			}
			checkSentinel(t, p, mem[:1])
			checkNoAllocs(t, func() { k.Run(&p) })
		}
	})
}

func TestLutU8(t *testing.T) {
	forEachKernel(t, lutU8Table, func(t *testing.T, k *LutU8) {
		rng := newRand(33)
		gs, gd, gt := newGuarded(t, 4096), newGuarded(t, 4096), newGuarded(t, 256)
		table := (*[256]uint8)(atEnd[uint8](gt, 256))
		for i := range table {
			table[i] = uint8(rng.Uint32())
		}
		for n := 0; n <= 300; n++ {
			src, mem := atEnd[uint8](gs, n), atEnd[uint8](gd, n+3)
			for i := range src {
				src[i] = uint8(i)
				if n%2 == 0 {
					src[i] = uint8(rng.Uint32())
				}
			}
			fillSentinel(mem)
			dst := mem[3:]
			k.Run(dst, src, table)
			for i, v := range src {
				if dst[i] != table[v] {
					t.Fatalf("n=%d: %d became %d, want %d", n, v, dst[i], table[v])
				}
			}
			checkSentinel(t, n, mem[:3])
			want := append([]uint8(nil), dst...)
			k.Run(src, src, table)
			if string(src) != string(want) {
				t.Fatalf("n=%d: in place differs", n)
			}
			checkNoAllocs(t, func() { k.Run(dst, src, table) })
		}
	})
}

func BenchmarkQuantizeF32U8(b *testing.B) {
	const n = 1 << 14
	benchEachKernel(b, quantizeF32U8Table, func(b *testing.B, k *QuantizeF32U8) {
		p := QuantizeF32U8Args{N: n, X: &make([]float32, n)[0], Q: &aligned(n)[0], Inv: 1, Hi: 255}
		b.SetBytes(5 * n)
		for b.Loop() {
			k.Run(&p)
		}
	})
}

func BenchmarkDequantizeU8F32(b *testing.B) {
	const n = 1 << 14
	benchEachKernel(b, dequantizeU8F32Table, func(b *testing.B, k *DequantizeU8F32) {
		p := DequantizeU8F32Args{N: n, Q: &aligned(n)[0], Y: &make([]float32, n)[0], Scale: 1}
		b.SetBytes(5 * n)
		for b.Loop() {
			k.Run(&p)
		}
	})
}

func BenchmarkLutU8(b *testing.B) {
	const n = 1 << 14
	benchEachKernel(b, lutU8Table, func(b *testing.B, k *LutU8) {
		src, dst, table := aligned(n), aligned(n), new([256]uint8)
		b.SetBytes(2 * n)
		for b.Loop() {
			k.Run(dst, src, table)
		}
	})
}
