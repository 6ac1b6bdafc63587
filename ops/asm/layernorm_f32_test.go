package asm

import (
	"fmt"
	"math"
	"testing"
)

func TestLayerNormF32(t *testing.T) {
	in, outMem := newGuarded(t, 1<<16), newGuarded(t, 1<<16)
	gammaMem, betaMem := newGuarded(t, 1<<13), newGuarded(t, 1<<13)
	forEachKernel(t, layerNormF32Table, func(t *testing.T, k *LayerNormF32) {
		for _, cols := range append(columnSizes(), 768, 1001) {
			for form := range 4 {
				const rows, eps = 3, 1e-5
				rnd := newRand(uint64(cols*10 + form))
				stride := cols + 1
				x := atEnd[float32](in, (rows-1)*stride+cols)
				gamma, beta := atEnd[float32](gammaMem, cols), atEnd[float32](betaMem, cols)
				offset := []float64{0, 100}[form%2] // a mean far from 0 shows cancellation
				for i := range x {
					x[i] = float32(rnd.NormFloat64() + offset)
				}
				for i := range gamma {
					gamma[i], beta[i] = float32(rnd.NormFloat64()), float32(rnd.NormFloat64())
				}
				out := atEnd[float32](outMem, (rows-1)*stride+cols)
				fillSentinel(out)
				args := LayerNormF32Args{
					Dst: &out[0], Src: &x[0], DstStride: 4 * stride, SrcStride: 4 * stride, Rows: rows, Cols: cols, Eps: eps,
				}
				if form >= 1 {
					args.Gamma = &gamma[0]
				}
				if form >= 2 {
					args.Beta = &beta[0]
				}
				k.Run(&args)
				name := fmt.Sprintf("%d columns, form %d", cols, form)
				checkLikeGeneric(t, name, args)
				checkStridedSentinels(t, name, asBytes(out), rows, 4*cols, 4*stride)
				for r := range rows {
					row := x[r*stride:][:cols]
					mean, variance := 0.0, 0.0
					for _, v := range row {
						mean += float64(v) / float64(cols)
					}
					for _, v := range row {
						variance += (float64(v) - mean) * (float64(v) - mean) / float64(cols)
					}
					rstd := 1 / math.Sqrt(variance+eps)
					for c, v := range row {
						g, b := 1.0, 0.0
						if args.Gamma != nil {
							g = float64(gamma[c])
						}
						if args.Beta != nil {
							b = float64(beta[c])
						}
						want := (float64(v)-mean)*rstd*g + b
						tolerance := 0x1.01p-24*(math.Abs(want)+2*math.Abs(want-b)) + 1e-11 // one rounding each of what is normalized, product and sum
						if got := out[r*stride+c]; !closeF32(got, want, tolerance) {
							t.Fatalf("%s: row %d column %d is %v, want %v", name, r, c, got, want)
						}
					}
				}
				checkNoAllocs(t, func() { k.Run(&args) })
			}
		}
	})
}

// checkLikeGeneric checks that the outputs have the bits that the plain Go kernel gives.
func checkLikeGeneric(t *testing.T, name string, args LayerNormF32Args) {
	t.Helper()
	want := make([]float32, args.Cols)
	for r := range args.Rows {
		one := args
		one.Rows, one.Dst = 1, &want[0]
		one.Src = &rowF32(args.Src, r*args.SrcStride, args.Cols)[0]
		layerNormF32Generic(&one)
		for c, got := range rowF32(args.Dst, r*args.DstStride, args.Cols) {
			if math.Float32bits(got) != math.Float32bits(want[c]) {
				t.Fatalf("%s: row %d column %d is %v, in plain Go %v", name, r, c, got, want[c])
			}
		}
	}
}

// TestLayerNormF32Extremes checks rows whose mean is far above their deviations, which are of steps that float32 has there,
// and rows of values whose squares, or whose differences, no float32 holds.
func TestLayerNormF32Extremes(t *testing.T) {
	forEachKernel(t, layerNormF32Table, func(t *testing.T, k *LayerNormF32) {
		for _, cols := range []int{1, 2, 7, 8, 9, 16, 33, 100, 768, 1001, 4096} {
			for _, mean := range []float32{0, 0.1, -3.3, 1000.1, 123456.7, 1e8 / 3, -1e20, math.MaxFloat32} {
				for _, step := range []float64{0, 1, 2, 0x1p22} { // of some 2^-21 of the mean: a constant row, and up to the mean itself
					x, y := make([]float32, cols), make([]float32, cols)
					rnd := newRand(uint64(cols))
					sum, squares := 0.0, 0.0
					for i := range x {
						x[i] = float32(float64(mean) * (1 - 0x1p-21*step*float64(rnd.IntN(2))))
						sum += float64(x[i]) / float64(cols)
					}
					for _, v := range x {
						squares += (float64(v) - sum) * (float64(v) - sum) / float64(cols)
					}
					if step == 0 {
						sum, squares = float64(x[0]), 0
					}
					rstd := 1 / math.Sqrt(squares+1e-5)
					args := LayerNormF32Args{Dst: &y[0], Src: &x[0], Rows: 1, Cols: cols, Eps: 1e-5}
					k.Run(&args)
					name := fmt.Sprintf("%d columns, mean %v, %v steps", cols, mean, step)
					checkLikeGeneric(t, name, args)
					for i, v := range x {
						if want := (float64(v) - sum) * rstd; !(math.Abs(float64(y[i])-want) <= 1e-6*math.Abs(want)+1e-7) {
							t.Fatalf("%s: column %d is %v, want %v", name, i, y[i], want)
						}
					}
				}
			}
		}
	})
}

func TestLayerNormF32NaN(t *testing.T) {
	forEachKernel(t, layerNormF32Table, func(t *testing.T, k *LayerNormF32) {
		for _, cols := range []int{1, 9, 40} {
			for at := range cols {
				x := make([]float32, 2*cols)
				x[at] = float32(math.NaN())
				k.Run(&LayerNormF32Args{Dst: &x[0], Src: &x[0], DstStride: 4 * cols, SrcStride: 4 * cols, Rows: 2, Cols: cols, Eps: 1})
				for i, v := range x {
					if (v != v) != (i < cols) {
						t.Fatalf("%d columns, NaN at %d of row 0: element %d is %v", cols, at, i, v)
					}
				}
			}
		}
	})
}

func BenchmarkLayerNormF32(b *testing.B) {
	b.Run("128x768", func(b *testing.B) {
		benchEachKernel(b, layerNormF32Table, func(b *testing.B, k *LayerNormF32) {
			x, y := make([]float32, 128*768), make([]float32, 128*768)
			for i := range x {
				x[i] = float32(i % 31)
			}
			args := LayerNormF32Args{
				Dst: &y[0], Src: &x[0], DstStride: 4 * 768, SrcStride: 4 * 768, Rows: 128, Cols: 768, Gamma: &x[0], Beta: &x[768], Eps: 1e-5,
			}
			b.SetBytes(4 * int64(len(x)))
			for b.Loop() {
				k.Run(&args)
			}
		})
	})
}
