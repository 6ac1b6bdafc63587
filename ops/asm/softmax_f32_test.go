package asm

import (
	"fmt"
	"math"
	"testing"
)

func TestSoftmaxF32(t *testing.T) {
	in, maskMem, outMem := newGuarded(t, 1<<15), newGuarded(t, 1<<15), newGuarded(t, 1<<15)
	forEachKernel(t, softmaxF32Table, func(t *testing.T, k *SoftmaxF32) {
		for _, cols := range append(columnSizes(), 1000) {
			for form := range 6 {
				rnd := newRand(uint64(cols*10 + form))
				const rows = 3
				stride, maskStride := cols+1, (cols+2)*(form%3%2)
				src := atEnd[float32](in, (rows-1)*stride+cols)
				mask := atEnd[float32](maskMem, (rows-1)*maskStride+cols)
				for i := range src {
					src[i] = float32(rnd.NormFloat64()) * 10
				}
				for i := range mask {
					if mask[i] = float32(rnd.NormFloat64()); rnd.IntN(3) == 0 {
						mask[i] = float32(math.Inf(-1))
					}
				}
				dst := atEnd[float32](outMem, (rows-1)*stride+cols)
				fillSentinel(dst)
				args := SoftmaxF32Args{
					Dst: &dst[0], Src: &src[0], DstStride: 4 * stride, SrcStride: 4 * stride, Rows: rows, Cols: cols, Scale: 1,
				}
				if form%3 > 0 {
					args.Mask, args.MaskStride = &mask[0], 4*maskStride
				}
				if form >= 3 {
					args.Scale = 0.125
				}
				name := fmt.Sprintf("%d columns, form %d", cols, form)
				k.Run(&args)
				checkStridedSentinels(t, name, asBytes(dst), rows, 4*cols, 4*stride)
				for r := range rows {
					x := make([]float32, cols)
					for c := range x {
						if x[c] = src[r*stride+c] * args.Scale; args.Mask != nil {
							x[c] += mask[r*maskStride+c]
						}
					}
					checkSoftmaxRow(t, name, dst[r*stride:][:cols], x)
				}
				before := append([]float32(nil), dst...)
				args.Src, args.SrcStride = args.Dst, args.DstStride
				for r := range rows {
					copy(dst[r*stride:][:cols], src[r*stride:])
				}
				k.Run(&args)
				for r := range rows {
					for i := r * stride; i < r*stride+cols; i++ {
						if !sameF32(dst[i], before[i]) {
							t.Fatalf("%s: in place, element %d is %v, apart %v", name, i, dst[i], before[i])
						}
					}
				}
				checkNoAllocs(t, func() { k.Run(&args) })
			}
		}
	})
}

// checkSoftmaxRow compares with float64. What float32 makes of t - max is of size 40 here at most, and so
// is its error in ulp.
func checkSoftmaxRow(t *testing.T, name string, got, x []float32) {
	t.Helper()
	top, sum := math.Inf(-1), 0.0
	for _, v := range x {
		top = max(top, float64(v))
	}
	for _, v := range x {
		sum += math.Exp(float64(v) - top)
	}
	for c, v := range x {
		want := math.Exp(float64(v)-top) / sum
		tolerance := want*0x1p-24*(6+2*math.Abs(float64(v))+2*math.Abs(top)+float64(len(x))/8) + 0x1p-140
		if math.IsInf(float64(v), -1) {
			tolerance = 0
		}
		if !closeF32(got[c], want, tolerance) {
			t.Fatalf("%s: column %d is %v, want %v", name, c, got[c], want)
		}
	}
}

func TestSoftmaxF32SpecialRows(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	forEachKernel(t, softmaxF32Table, func(t *testing.T, k *SoftmaxF32) {
		for _, cols := range []int{1, 5, 16, 40} {
			for _, v := range []float32{nan, inf, -inf} {
				for at := range cols {
					x := make([]float32, cols)
					x[at] = v
					if v == -inf {
						for i := range x {
							x[i] = v
						}
					}
					k.Run(&SoftmaxF32Args{Dst: &x[0], Src: &x[0], Rows: 1, Cols: cols, Scale: 1})
					for i, got := range x {
						if got == got {
							t.Fatalf("%d columns with %v at %d: column %d is %v, want NaN", cols, v, at, i, got)
						}
					}
				}
			}
		}
	})
}

func BenchmarkSoftmaxF32(b *testing.B) {
	b.Run("128x128", func(b *testing.B) {
		benchEachKernel(b, softmaxF32Table, func(b *testing.B, k *SoftmaxF32) {
			x, y := make([]float32, 128*128), make([]float32, 128*128)
			for i := range x {
				x[i] = float32(i%31) / 5
			}
			args := SoftmaxF32Args{Dst: &y[0], Src: &x[0], DstStride: 512, SrcStride: 512, Rows: 128, Cols: 128, Scale: 0.125}
			b.SetBytes(4 * int64(len(x)))
			for b.Loop() {
				k.Run(&args)
			}
		})
	})
}
