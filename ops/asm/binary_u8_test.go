package asm

import (
	"math"
	"testing"
)

// binaryU8Op is the t of an operation, as the contract writes it.
type binaryU8Op func(p *BinaryU8Args, a, b int32) float32

func testBinaryU8(t *testing.T, table []BinaryU8, op binaryU8Op) {
	forEachKernel(t, table, func(t *testing.T, k *BinaryU8) {
		rng := newRand(21)
		ga, gb, gc := newGuarded(t, 4096), newGuarded(t, 4096), newGuarded(t, 4096)
		for n := 1; n <= 67; n++ {
			for m := 1; m <= 3; m++ {
				p := BinaryU8Args{
					M: m, N: n, AStride: n + rng.IntN(3), BStride: n + rng.IntN(3), CStride: n + rng.IntN(3),
					AZero: int32(rng.IntN(256)), BZero: int32(rng.IntN(256)), Zero: int32(rng.IntN(256)), Hi: 255,
					AMult: float32(rng.NormFloat64()), BMult: float32(rng.NormFloat64()),
				}
				if rng.IntN(3) == 0 {
					p.AMult, p.BMult = 0.5, 0.25 // ties
				}
				if rng.IntN(3) == 0 {
					p.Lo, p.Hi = int32(rng.IntN(100)), int32(150+rng.IntN(106))
				}
				if rng.IntN(9) == 0 {
					p.AMult = 1e30
				}
				if rng.IntN(3) == 0 {
					p.BStride = 0
				}
				inPlace := rng.IntN(3) == 0
				if inPlace {
					p.CStride = p.AStride
				}
				a := atEnd[uint8](ga, (m-1)*p.AStride+n)
				b := atEnd[uint8](gb, (m-1)*p.BStride+n)
				c := atEnd[uint8](gc, (m-1)*p.CStride+n)
				for i := range b {
					b[i] = uint8(rng.Uint32())
				}
				fillSentinel(c)
				if inPlace {
					a = c
				}
				for r := range m {
					for i := range n {
						a[r*p.AStride+i] = uint8(rng.Uint32())
					}
				}
				p.A, p.B, p.C = &a[0], &b[0], &c[0]
				a = append([]uint8(nil), a...)

				k.Run(&p)

				for r := range m {
					for i := range n {
						v := op(&p, int32(a[r*p.AStride+i])-p.AZero, int32(b[r*p.BStride+i])-p.BZero)
						v = min(max(v, float32(p.Lo-p.Zero)), float32(p.Hi-p.Zero))
						want := uint8(int32(math.RoundToEven(float64(v))) + p.Zero)
						if got := c[r*p.CStride+i]; got != want {
							t.Fatalf("%+v: output (%d, %d) = %d, want %d", p, r, i, got, want)
						}
					}
				}
				checkStridedSentinels(t, p, c, m, n, p.CStride)
				checkNoAllocs(t, func() { k.Run(&p) })
			}
		}
	})
}

func TestAddU8(t *testing.T) {
	testBinaryU8(t, addU8Table, func(p *BinaryU8Args, a, b int32) float32 {
		x := float32(a) * p.AMult
		y := float32(b) * p.BMult
		return x + y
	})
}

func TestMulU8(t *testing.T) {
	testBinaryU8(t, mulU8Table, func(p *BinaryU8Args, a, b int32) float32 { return float32(a*b) * p.AMult })
}

func TestMinU8(t *testing.T) {
	testBinaryU8(t, minU8Table, func(p *BinaryU8Args, a, b int32) float32 { return min(float32(a)*p.AMult, float32(b)*p.BMult) })
}

func TestMaxU8(t *testing.T) {
	testBinaryU8(t, maxU8Table, func(p *BinaryU8Args, a, b int32) float32 { return max(float32(a)*p.AMult, float32(b)*p.BMult) })
}

func benchBinaryU8(b *testing.B, table []BinaryU8) {
	b.Run("64KiB", func(b *testing.B) {
		benchEachKernel(b, table, func(b *testing.B, k *BinaryU8) {
			const n = 1 << 16
			p := BinaryU8Args{M: 1, N: n, A: &aligned(n)[0], B: &aligned(n)[0], C: &aligned(n)[0], AMult: 1, BMult: 1, Hi: 255}
			b.SetBytes(3 * n)
			for b.Loop() {
				k.Run(&p)
			}
		})
	})
}

func BenchmarkAddU8(b *testing.B) { benchBinaryU8(b, addU8Table) }
func BenchmarkMulU8(b *testing.B) { benchBinaryU8(b, mulU8Table) }
func BenchmarkMinU8(b *testing.B) { benchBinaryU8(b, minU8Table) }
func BenchmarkMaxU8(b *testing.B) { benchBinaryU8(b, maxU8Table) }
