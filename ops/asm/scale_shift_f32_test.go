package asm

import (
	"math"
	"testing"
)

func TestScaleShiftF32(t *testing.T) {
	var mem [4]*guarded
	for i := range mem {
		mem[i] = newGuarded(t, 1<<14)
	}
	inf := float32(math.Inf(1))
	forEachKernel(t, scaleShiftF32Table, func(t *testing.T, k *ScaleShiftF32) {
		for _, cols := range columnSizes() {
			for _, bounds := range [][2]float32{{-inf, inf}, {0, 6}} {
				rows, stride := 3, cols+1
				src := specialF32(atEnd[float32](mem[0], (rows-1)*stride+cols), uint64(cols))
				scale := specialF32(atEnd[float32](mem[1], cols), 1)
				shift := specialF32(atEnd[float32](mem[2], cols), 2)
				dst := atEnd[float32](mem[3], (rows-1)*stride+cols)
				fillSentinel(dst)
				args := ScaleShiftF32Args{
					Dst: &dst[0], Src: &src[0], DstStride: 4 * stride, SrcStride: 4 * stride, Scale: &scale[0], Shift: &shift[0],
					Rows: rows, Cols: cols, Lo: bounds[0], Hi: bounds[1],
				}
				k.Run(&args)
				for r := range rows {
					for c := range cols {
						x, s, b := src[r*stride+c], float64(scale[c]), float64(shift[c])
						want := min(max(float64(x)*s+b, float64(bounds[0])), float64(bounds[1]))
						got := float64(dst[r*stride+c])
						tolerance := 0x1p-23 * (math.Abs(float64(x)*s) + math.Abs(b))
						if got != want && !(got != got && want != want) && !(math.Abs(got-want) <= tolerance) {
							t.Fatalf("%d columns: %v*%v + %v is %v, want %v", cols, x, s, b, got, want)
						}
					}
				}
				checkStridedSentinels(t, "scale and shift", asBytes(dst), rows, 4*cols, 4*stride)
				checkNoAllocs(t, func() { k.Run(&args) })
			}
		}
	})
}

func BenchmarkScaleShiftF32(b *testing.B) {
	b.Run("64x64", func(b *testing.B) {
		benchEachKernel(b, scaleShiftF32Table, func(b *testing.B, k *ScaleShiftF32) {
			x, s := make([]float32, 64*64), make([]float32, 64)
			for i := range s {
				s[i] = 1
			}
			args := ScaleShiftF32Args{
				Dst: &x[0], Src: &x[0], DstStride: 256, SrcStride: 256, Scale: &s[0], Shift: &s[0], Rows: 64, Cols: 64, Hi: 6,
			}
			b.SetBytes(4 * int64(len(x)))
			for b.Loop() {
				k.Run(&args)
			}
		})
	})
}
