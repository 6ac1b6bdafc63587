package asm

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"
)

func TestPoolF32(t *testing.T) {
	in, outMem := newGuarded(t, 1<<16), newGuarded(t, 1<<14)
	forEachKernel(t, poolF32Table, func(t *testing.T, k *PoolF32) {
		for _, c := range columnSizes() {
			for _, shape := range []struct{ p, ks, step int }{{1, 1, 1}, {3, 9, 6}, {4, 4, 4}, {2, 9, 3}} {
				taps := (shape.p-1)*shape.step + shape.ks
				x := specialF32(atEnd[float32](in, taps*c), uint64(c))
				a := make([]unsafe.Pointer, taps)
				for i := range a {
					a[i] = unsafe.Pointer(&x[(taps-1-i)*c])
				}
				div := make([]float32, shape.p)
				for i := range div {
					div[i] = float32(shape.ks - i)
				}
				weights := specialF32(make([]float32, shape.p*shape.ks), uint64(c+1))
				stride := c + 2
				args := PoolF32Args{A: &a[0], AStep: shape.step, P: shape.p, KS: shape.ks, C: c, Div: &div[0], Weights: &weights[0], OutStride: 4 * stride}
				for function, run := range map[string]func(*PoolF32Args){"max": k.Max, "average": k.Average, "weighted": k.Weighted} {
					out := atEnd[float32](outMem, (shape.p-1)*stride+c)
					fillSentinel(out)
					args.Out = &out[0]
					run(&args)
					name := fmt.Sprintf("c%d p%d ks%d %s", c, shape.p, shape.ks, function)
					for p := range shape.p {
						for i := range c {
							want, sum, weighted := float32(math.Inf(-1)), float32(0), float32(0)
							for s := range shape.ks {
								v := *(*float32)(unsafe.Add(a[p*shape.step+s], 4*i))
								want = max(want, v)
								sum += v
								weighted += float32(weights[p*shape.ks+s] * v)
							}
							switch function {
							case "average":
								want = sum / div[p]
							case "weighted":
								want = weighted / div[p]
							}
							if got := out[p*stride+i]; !sameF32(got, want) {
								t.Fatalf("%s: pixel %d channel %d is %v, want %v", name, p, i, got, want)
							}
						}
					}
					checkStridedSentinels(t, name, asBytes(out), shape.p, 4*c, 4*stride)
				}
				checkNoAllocs(t, func() { k.Max(&args); k.Average(&args); k.Weighted(&args) })
			}
		}
	})
}

// TestPoolF32OntoItself adds taps to an output that is one of them, as sums of many parts do.
func TestPoolF32OntoItself(t *testing.T) {
	forEachKernel(t, poolF32Table, func(t *testing.T, k *PoolF32) {
		for _, c := range columnSizes() {
			x, out, want := make([]float32, c), make([]float32, c), make([]float32, c)
			for i := range c {
				x[i], out[i] = float32(i+1)/3, float32(i)/7
				want[i] = (out[i] + float32(0.3*x[i])) / 5
			}
			k.Weighted(&PoolF32Args{
				A: &[]unsafe.Pointer{unsafe.Pointer(&out[0]), unsafe.Pointer(&x[0])}[0], P: 1, KS: 2, C: c,
				Div: &[]float32{5}[0], Weights: &[]float32{1, 0.3}[0], Out: &out[0],
			})
			if !slices.Equal(out, want) {
				t.Errorf("%d channels: %v, want %v", c, out, want)
			}
		}
	})
}

func BenchmarkPoolF32(b *testing.B) {
	b.Run("max3x3_56x64", func(b *testing.B) {
		benchEachKernel(b, poolF32Table, func(b *testing.B, k *PoolF32) {
			const p, c = 56, 64
			x, out := make([]float32, 3*(2*p+1)*c), make([]float32, p*c)
			for i := range x {
				x[i] = float32(i % 17)
			}
			a := make([]unsafe.Pointer, 3*(2*p+1))
			for i := range a {
				a[i] = unsafe.Pointer(&x[i*c])
			}
			args := PoolF32Args{A: &a[0], AStep: 6, P: p, KS: 9, C: c, Out: &out[0], OutStride: 4 * c}
			for b.Loop() {
				k.Max(&args)
			}
			reportGops(b, p*c*9)
		})
	})
}
