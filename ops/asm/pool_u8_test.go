package asm

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// poolU8Taps fills guarded memory with pixels of c channels and a table of n pointers to them.
func poolU8Taps(rng *rand.Rand, mems []*guarded, gt *guarded, n, c int) ([]unsafe.Pointer, [][]uint8) {
	pixels := make([][]uint8, 7)
	for i := range pixels {
		mem := atEnd[uint8](mems[i%len(mems)], c+i/len(mems)*3)
		for j := range mem {
			mem[j] = uint8(rng.Uint32())
		}
		pixels[i] = mem[:c]
	}
	table := atEnd[unsafe.Pointer](gt, n)
	picked := make([][]uint8, n)
	for i := range table {
		picked[i] = pixels[rng.IntN(len(pixels))]
		table[i] = unsafe.Pointer(&picked[i][0])
	}
	return table, picked
}

// poolSizes calls body for every number of channels up to two blocks plus one and several numbers of taps.
func poolSizes(rng *rand.Rand, body func(c, ks, p int)) {
	step := 1
	if quick() {
		step = 5
	}
	for c := 1; c <= 67; c += 1 + rng.IntN(step) {
		for _, ks := range []int{1, 2, 3, 4, 6, 9, 49} {
			body(c, ks, 1+rng.IntN(3))
		}
	}
}

func TestMaxPoolU8(t *testing.T) {
	forEachKernel(t, maxpoolU8Table, func(t *testing.T, k *MaxPoolU8) {
		rng := newRand(41)
		mems := []*guarded{newGuarded(t, 4096), newGuarded(t, 4096)}
		gt, gout := newGuarded(t, 4096), newGuarded(t, 4096)
		poolSizes(rng, func(c, ks, p int) {
			args := MaxPoolU8Args{AStep: max(1, ks-rng.IntN(2)), KS: ks, C: c, P: p, OutStride: c + rng.IntN(3)}
			table, picked := poolU8Taps(rng, mems, gt, (p-1)*args.AStep+ks, c)
			out := atEnd[uint8](gout, (p-1)*args.OutStride+c)
			fillSentinel(out)
			args.A, args.Out = &table[0], &out[0]

			k.Run(&args)

			for i := range p {
				for j := range c {
					var want uint8
					for s := range ks {
						want = max(want, picked[i*args.AStep+s][j])
					}
					if got := out[i*args.OutStride+j]; got != want {
						t.Fatalf("C=%d KS=%d: pixel %d channel %d = %d, want %d", c, ks, i, j, got, want)
					}
				}
			}
			checkStridedSentinels(t, args, out, p, c, args.OutStride)
			checkNoAllocs(t, func() { k.Run(&args) })
		})
	})
}

func TestAvgPoolU8(t *testing.T) {
	forEachKernel(t, avgpoolU8Table, func(t *testing.T, k *AvgPoolU8) {
		rng := newRand(42)
		mems := []*guarded{newGuarded(t, 1<<15), newGuarded(t, 4096)}
		gt, gout := newGuarded(t, 4096), newGuarded(t, 4096)
		poolSizes(rng, func(c, ks, p int) {
			args := AvgPoolU8Args{
				AStep: max(1, ks-rng.IntN(2)), KS: ks, C: c, P: p, OutStride: c + rng.IntN(3),
				Offset: int32(ks * rng.IntN(256)), Mult: float32(rng.Float64()*2) / float32(ks),
				Zero: int32(rng.IntN(256)), Hi: 255,
			}
			switch rng.IntN(3) {
			case 0:
				args.Lo, args.Hi = int32(rng.IntN(100)), int32(150+rng.IntN(106))
			case 1:
				args.Mult = 0.5 // ties
			}
			var tap func(i, s int) []uint8
			if rng.IntN(2) == 0 {
				table, picked := poolU8Taps(rng, mems, gt, (p-1)*args.AStep+ks, c)
				args.A = &table[0]
				tap = func(i, s int) []uint8 { return picked[i*args.AStep+s] }
			} else {
				args.TapStride = c + rng.IntN(3)
				args.PixelStride = ks*args.TapStride + rng.IntN(3)
				mem := atEnd[uint8](mems[0], (p-1)*args.PixelStride+(ks-1)*args.TapStride+c)
				for i := range mem {
					mem[i] = uint8(rng.Uint32())
				}
				args.Base = &mem[0]
				tap = func(i, s int) []uint8 { return mem[i*args.PixelStride+s*args.TapStride:] }
			}
			out := atEnd[uint8](gout, (p-1)*args.OutStride+c)
			fillSentinel(out)
			args.Out = &out[0]

			k.Run(&args)

			for i := range p {
				for j := range c {
					acc := -args.Offset
					for s := range ks {
						acc += int32(tap(i, s)[j])
					}
					v := min(max(float32(acc)*args.Mult, float32(args.Lo-args.Zero)), float32(args.Hi-args.Zero))
					want := uint8(int32(math.RoundToEven(float64(v))) + args.Zero)
					if got := out[i*args.OutStride+j]; got != want {
						t.Fatalf("%+v: pixel %d channel %d = %d, want %d", args, i, j, got, want)
					}
				}
			}
			checkStridedSentinels(t, args, out, p, c, args.OutStride)
			checkNoAllocs(t, func() { k.Run(&args) })
		})
	})
}

// TestAvgPoolU8Large sums more taps than 16 bits hold, all at one place.
func TestAvgPoolU8Large(t *testing.T) {
	forEachKernel(t, avgpoolU8Table, func(t *testing.T, k *AvgPoolU8) {
		const ks, c = 70001, 33
		pixel, out := make([]uint8, c), make([]uint8, c)
		for i := range pixel {
			pixel[i] = 255
		}
		k.Run(&AvgPoolU8Args{Base: &pixel[0], KS: ks, C: c, P: 1, Offset: 0, Mult: 1.0 / ks, Hi: 255, Out: &out[0]})
		for c, v := range out {
			if v != 255 {
				t.Fatalf("average of channel %d of %d times 255 = %d", c, ks, v)
			}
		}
	})
}

func BenchmarkPoolU8(b *testing.B) {
	const c, ks, p = 64, 9, 56
	a, out := aligned(c*(ks+p)), aligned(c*p)
	table := make([]unsafe.Pointer, p*ks)
	for i := range table {
		table[i] = unsafe.Pointer(&a[(i/ks+i%ks)*c])
	}
	b.Run("max", func(b *testing.B) {
		benchEachKernel(b, maxpoolU8Table, func(b *testing.B, k *MaxPoolU8) {
			args := MaxPoolU8Args{A: &table[0], AStep: ks, KS: ks, C: c, P: p, Out: &out[0], OutStride: c}
			b.SetBytes(c * p * (ks + 1))
			for b.Loop() {
				k.Run(&args)
			}
		})
	})
	b.Run("avg", func(b *testing.B) {
		benchEachKernel(b, avgpoolU8Table, func(b *testing.B, k *AvgPoolU8) {
			args := AvgPoolU8Args{A: &table[0], AStep: ks, KS: ks, C: c, P: p, Out: &out[0], OutStride: c, Mult: 1, Hi: 255}
			b.SetBytes(c * p * (ks + 1))
			for b.Loop() {
				k.Run(&args)
			}
		})
	})
}
