package asm

import (
	"fmt"
	"math"
	"testing"
	"unsafe"
)

func TestDWConvF32(t *testing.T) {
	forEachKernel(t, dwconvF32Table, func(t *testing.T, k *DWConvF32) {
		var mem [4]*guarded
		for i := range mem {
			mem[i] = newGuarded(t, 1<<18)
		}
		step := 1
		if quick() {
			step = 7
		}
		inf := float32(math.Inf(1))
		for c := 1; c <= 2*k.NR+1 || c <= 5*k.NR; c += step {
			for p := 1; p <= 2*k.MR+1; p++ {
				for _, shape := range [][2]int{{1, 1}, {9, 3}, {9, 9}, {25, 5}, {6, 2}} {
					testDWConvF32(t, k, &mem, p, c, shape[0], shape[1], -inf, inf)
				}
			}
			testDWConvF32(t, k, &mem, 5, c, 9, 6, 0, 6)
			testDWConvF32(t, k, &mem, 3, c, 49, 7, -1, inf)
		}
	})
}

func testDWConvF32(t *testing.T, k *DWConvF32, mem *[4]*guarded, p, c, ks, astep int, lo, hi float32) {
	t.Helper()
	rnd := newRand(uint64(p*7919 + c*31 + ks))
	fill := func(s []float32) []float32 {
		for i := range s {
			s[i] = float32(rnd.NormFloat64())
		}
		return s
	}
	taps := (p-1)*astep + ks
	in := fill(atEnd[float32](mem[0], taps*c))
	a := make([]unsafe.Pointer, taps)
	for i := range a {
		a[i] = unsafe.Pointer(&in[i*7%taps*c])
	}
	a[taps-1] = unsafe.Pointer(&in[(taps-1)*c])
	w := fill(atEnd[float32](mem[1], ks*c))
	bias := fill(atEnd[float32](mem[2], c))
	stride := c + 1
	out := atEnd[float32](mem[3], (p-1)*stride+c)
	fillSentinel(out)
	k.Run(&DWConvF32Args{
		A: &a[0], AStep: astep, P: p, KS: ks, C: c, W: &w[0], Bias: &bias[0], Lo: lo, Hi: hi,
		Out: &out[0], OutStride: 4 * stride,
	})
	name := fmt.Sprintf("p%d c%d ks%d step%d", p, c, ks, astep)
	for i := range p {
		for j := range c {
			want, bound := float64(bias[j]), math.Abs(float64(bias[j]))
			for s := range ks {
				v := float64(*(*float32)(unsafe.Add(a[i*astep+s], 4*j))) * float64(w[s*c+j])
				want += v
				bound += math.Abs(v)
			}
			want = min(max(want, float64(lo)), float64(hi))
			if got := float64(out[i*stride+j]); !(math.Abs(got-want) <= float64(ks+2)*0x1p-24*bound) {
				t.Fatalf("%s: pixel %d channel %d is %v, want %v", name, i, j, got, want)
			}
		}
	}
	checkStridedSentinels(t, name, asBytes(out), p, 4*c, 4*stride)
}

func TestDWConvF32SpecialValues(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	forEachKernel(t, dwconvF32Table, func(t *testing.T, k *DWConvF32) {
		c := 3*k.NR - 1
		x := make([]float32, c)
		w := make([]float32, c)
		for i := range x {
			x[i], w[i] = []float32{nan, inf, -inf, 7, -1, 3}[i%6], 1
		}
		a := []unsafe.Pointer{unsafe.Pointer(&x[0])}
		out := make([]float32, c)
		args := DWConvF32Args{
			A: &a[0], P: 1, KS: 1, C: c, W: &w[0], Bias: &make([]float32, c)[0], Hi: 6, Out: &out[0], OutStride: 4 * c,
		}
		k.Run(&args)
		for i, got := range out {
			want := []float32{nan, 6, 0, 6, 0, 3}[i%6]
			if got != want && !(got != got && want != want) {
				t.Errorf("channel %d: the clamp of %v to 0 and 6 is %v", i, x[i], got)
			}
		}
		checkNoAllocs(t, func() { k.Run(&args) })
	})
}

func BenchmarkDWConvF32(b *testing.B) {
	for _, s := range []struct{ hw, c, window int }{{112, 8, 3}, {112, 16, 3}, {56, 24, 3}, {112, 32, 3}, {56, 144, 3}, {14, 64, 3}, {14, 576, 3}, {7, 960, 3}, {14, 480, 5}} {
		b.Run(fmt.Sprintf("%dx%dx%d_%dx%d", s.hw, s.hw, s.c, s.window, s.window), func(b *testing.B) {
			benchEachKernel(b, dwconvF32Table, func(b *testing.B, k *DWConvF32) {
				ks := s.window * s.window
				width := s.hw + s.window - 1
				in := make([]float32, width*width*s.c)
				w := make([]float32, ks*s.c)
				bias := make([]float32, s.c)
				out := make([]float32, s.hw*s.hw*s.c)
				for _, s := range [][]float32{in, w, bias} {
					for i := range s {
						s[i] = float32(i%7) - 3
					}
				}
				var args []DWConvF32Args
				for y := range s.hw {
					a := make([]unsafe.Pointer, width*s.window)
					for i := range a {
						a[i] = unsafe.Pointer(&in[((y+i%s.window)*width+i/s.window)*s.c])
					}
					args = append(args, DWConvF32Args{
						A: &a[0], AStep: s.window, P: s.hw, KS: ks, C: s.c, W: &w[0], Bias: &bias[0], Hi: 6,
						Out: &out[y*s.hw*s.c], OutStride: 4 * s.c,
					})
				}
				for b.Loop() {
					for i := range args {
						k.Run(&args[i])
					}
				}
				ops := 2 * s.hw * s.hw * s.c * ks
				reportGops(b, ops)
				reportF32Limit(b, k.Tier, ops)
			})
		})
	}
}
