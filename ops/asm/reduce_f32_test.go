package asm

import (
	"math"
	"testing"
)

func TestReduceF32(t *testing.T) {
	in, outMem := newGuarded(t, 1<<16), newGuarded(t, 1<<14)
	forEachKernel(t, reduceF32Table, func(t *testing.T, k *ReduceF32) {
		for _, cols := range append(columnSizes(), 1000) {
			for _, rows := range []int{1, 2, 7} {
				stride := cols + 1
				x := atEnd[float32](in, (rows-1)*stride+cols)
				for special := range 2 {
					if special == 1 {
						specialF32(x, uint64(cols))
					} else {
						rnd := newRand(uint64(cols))
						for i := range x {
							x[i] = float32(rnd.NormFloat64())
						}
					}
					testReduceF32(t, k, outMem, x, rows, cols, stride)
				}
			}
		}
	})
}

func testReduceF32(t *testing.T, k *ReduceF32, mem *guarded, x []float32, rows, cols, stride int) {
	t.Helper()
	args := ReduceF32Args{Src: &x[0], SrcStride: 4 * stride, Rows: rows, Cols: cols}
	run := func(f func(*ReduceF32Args), n int) []float32 {
		out := atEnd[float32](mem, n+1)
		fillSentinel(out)
		args.Dst = &out[1]
		f(&args)
		checkSentinel(t, "before the output", out[:1])
		return append([]float32(nil), out[1:]...)
	}
	sums, columns := run(k.RowSum, rows), run(k.ColSum, cols)
	args.Dst = &make([]float32, max(rows, cols))[0]
	checkNoAllocs(t, func() { k.RowSum(&args); k.ColSum(&args) })
	for r := range rows {
		sum, bound := 0.0, 0.0
		for _, v := range x[r*stride:][:cols] {
			sum += float64(v)
			bound += math.Abs(float64(v))
		}
		if !closeF32(sums[r], sum, float64(cols)*0x1p-24*bound) {
			t.Fatalf("%dx%d: the sum of row %d is %v, want %v", rows, cols, r, sums[r], sum)
		}
	}
	for c := range cols {
		sum := float32(0)
		for r := range rows {
			sum += x[r*stride+c]
		}
		if !sameF32(columns[c], sum) {
			t.Fatalf("%dx%d: the sum of column %d is %v, want %v", rows, cols, c, columns[c], sum)
		}
	}
}

// closeF32 reports whether got is within tolerance of want, or the same infinity or NaN.
func closeF32(got float32, want, tolerance float64) bool {
	if math.IsNaN(want) || math.IsInf(want, 0) {
		return sameF32(got, float32(want))
	}
	return math.Abs(float64(got)-want) <= tolerance
}

func BenchmarkReduceF32(b *testing.B) {
	b.Run("49x1280", func(b *testing.B) {
		benchEachKernel(b, reduceF32Table, func(b *testing.B, k *ReduceF32) {
			const rows, cols = 49, 1280
			x, out := make([]float32, rows*cols), make([]float32, cols)
			for i := range x {
				x[i] = float32(i % 13)
			}
			args := ReduceF32Args{Dst: &out[0], Src: &x[0], SrcStride: 4 * cols, Rows: rows, Cols: cols}
			b.SetBytes(4 * rows * cols)
			for b.Loop() {
				k.ColSum(&args)
			}
		})
	})
}
