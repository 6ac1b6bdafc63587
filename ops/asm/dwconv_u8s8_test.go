package asm

import (
	"math"
	"testing"
	"unsafe"
)

func TestDWConvU8S8(t *testing.T) {
	forEachKernel(t, dwconvU8S8Table, func(t *testing.T, k *DWConvU8S8) {
		rng := newRand(11)
		var taps [4]*guarded
		for i := range taps {
			taps[i] = newGuarded(t, 4096)
		}
		gw, gb, gm, gt, gout := newGuarded(t, 1<<16), newGuarded(t, 4096), newGuarded(t, 4096),
			newGuarded(t, 4096), newGuarded(t, 1<<13)
		step := 1
		if quick() {
			step = 5
		}
		for c := 1; c <= max(65, 2*k.NR+1); c += 1 + rng.IntN(step) {
			for _, ks := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 25} {
				if step > 1 && rng.IntN(3) > 0 {
					continue
				}
				fill := rng.IntN(4) // 0: the largest operands
				pixels := make([][]uint8, 9)
				for i := range pixels {
					mem := atEnd[uint8](taps[i%4], c+i/4*3)
					for j := range mem {
						mem[j] = uint8(rng.Uint32())
						if fill == 0 {
							mem[j] = 255
						}
					}
					pixels[i] = mem[:c]
				}
				w := make([]int8, c*ks)
				for i := range w {
					w[i] = int8(rng.Uint32())
					if fill == 0 {
						w[i] = -128
					}
				}
				packed := atEnd[int8](gw, k.PackedBytes(ks, c))
				k.PackW(packed, w, ks, c)
				nr := max(k.NR, 1)
				bias, mult := atEnd[int32](gb, roundUp(c, nr)), atEnd[float32](gm, roundUp(c, nr))
				for i := range bias {
					bias[i] = int32(rng.IntN(20001) - 10000)
					mult[i] = float32(rng.Float64()) * 0.01
					if i%3 == 0 {
						mult[i] = 1.0 / 256 // ties
					} else if i%11 == 1 {
						mult[i] = 1000
					}
				}
				p := 1 + rng.IntN(8)
				args := DWConvU8S8Args{
					AStep: ks, KS: ks, C: c, P: p, W: &packed[0], Bias: &bias[0], Mult: &mult[0],
					Zero: int32(rng.IntN(256)), Hi: 255, OutStride: c + rng.IntN(3),
				}
				if rng.IntN(2) == 0 {
					args.Lo, args.Hi = int32(rng.IntN(100)), int32(150+rng.IntN(106))
				}
				if ks > 2 && rng.IntN(2) == 0 {
					args.AStep = []int{2, 3, 6}[rng.IntN(3)]
				}
				table := atEnd[unsafe.Pointer](gt, (p-1)*args.AStep+ks)
				picked := make([][]uint8, len(table))
				for i := range table {
					picked[i] = pixels[rng.IntN(len(pixels))]
					table[i] = unsafe.Pointer(&picked[i][0])
				}
				args.A = &table[0]
				out := atEnd[uint8](gout, (p-1)*args.OutStride+c)
				fillSentinel(out)
				args.Out = &out[0]

				k.Run(&args)

				for i := range p {
					for j := range c {
						acc := bias[j]
						for s := range ks {
							acc += int32(picked[i*args.AStep+s][j]) * int32(w[j*ks+s])
						}
						v := min(max(float32(acc)*mult[j], float32(args.Lo-args.Zero)), float32(args.Hi-args.Zero))
						want := uint8(int32(math.RoundToEven(float64(v))) + args.Zero)
						if got := out[i*args.OutStride+j]; got != want {
							t.Fatalf("C=%d KS=%d P=%d: pixel %d channel %d = %d, want %d", c, ks, p, i, j, got, want)
						}
					}
				}
				checkStridedSentinels(t, [3]int{c, ks, p}, out, p, c, args.OutStride)
			}
		}
	})
}

func newDWConvU8S8Bench(k *DWConvU8S8, c, ks, p int) *DWConvU8S8Args {
	nr := max(k.NR, 1)
	// Windows of stride 1, which share all columns but one.
	side := int(math.Sqrt(float64(ks)))
	table := make([]unsafe.Pointer, (p-1)*side+ks)
	a := aligned(c * len(table))
	for i := range table {
		table[i] = unsafe.Pointer(&a[i*c])
	}
	packed := make([]int8, k.PackedBytes(ks, c))
	return &DWConvU8S8Args{
		A: &table[0], AStep: side, KS: ks, C: c, P: p, W: &packed[0], Bias: &make([]int32, roundUp(c, nr))[0],
		Mult: &make([]float32, roundUp(c, nr))[0], Hi: 255, Out: &aligned(c * p)[0], OutStride: c,
	}
}

func TestDWConvU8S8NoAllocs(t *testing.T) {
	forEachKernel(t, dwconvU8S8Table, func(t *testing.T, k *DWConvU8S8) {
		args := newDWConvU8S8Bench(k, 40, 9, 3)
		checkNoAllocs(t, func() { k.Run(args) })
	})
}

func BenchmarkDWConvU8S8(b *testing.B) {
	for _, s := range []struct {
		name     string
		c, ks, p int
	}{{"3x3_8x112", 8, 9, 112}, {"3x3_16x112", 16, 9, 112}, {"3x3_24x56", 24, 9, 56}, {"3x3_32x112", 32, 9, 112}, {"3x3_144x56", 144, 9, 56}, {"3x3_576x14", 576, 9, 14}, {"5x5_240x28", 240, 25, 28}} {
		b.Run(s.name, func(b *testing.B) {
			benchEachKernel(b, dwconvU8S8Table, func(b *testing.B, k *DWConvU8S8) {
				args := newDWConvU8S8Bench(k, s.c, s.ks, s.p)
				for b.Loop() {
					k.Run(args)
				}
				reportGops(b, 2*s.c*s.ks*s.p)
			})
		})
	}
}
