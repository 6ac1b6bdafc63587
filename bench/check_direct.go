package bench

import (
	"math"
	"math/rand/v2"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// directRows and directCols are the sizes of calls of kernels that no layer is needed for.
const (
	directRows = 13
	directCols = 67
)

// direct prepares a call of a kernel on float32 matrices: two that are filled, and results. call returns the results as float32 values
// besides those that it writes.
//
//go:noinline
func direct(call func(tier asm.Tier, a, b, dst []float32) func()) prepareFunc {
	return func(tier asm.Tier) (func() error, []*tensor.Tensor, error) {
		r := rand.New(rand.NewPCG(1, 2))
		var m [3]*tensor.Tensor
		for i := range m {
			var err error
			if m[i], err = floats(directRows, directCols)(r); err != nil {
				return nil, nil, err
			}
		}
		run := call(tier, m[0].Float32s(), m[1].Float32s(), m[2].Float32s())
		return func() error { run(); return nil }, m[2:], nil
	}
}

func binaryCase(op asm.BinaryOp) prepareFunc {
	return direct(func(tier asm.Tier, a, b, dst []float32) func() {
		const stride = 4 * directCols
		args := asm.BinaryF32Args{Dst: first(dst), A: first(a), B: first(b), DstStride: stride, AStride: stride, BStride: stride, Rows: directRows, Cols: directCols}
		return func() { asm.BinaryF32For(op, tier).Run(&args) }
	})
}

func unaryCase(op asm.UnaryOp) prepareFunc {
	return direct(func(tier asm.Tier, a, _, dst []float32) func() {
		if op == asm.UnaryLog {
			for i, x := range a {
				a[i] = x + 4
			}
		}
		return func() { asm.UnaryF32For(op, tier).Run(dst, a, -1, 2) }
	})
}

var scaleShiftCase = direct(func(tier asm.Tier, a, b, dst []float32) func() {
	const stride = 4 * directCols
	args := asm.ScaleShiftF32Args{
		Dst: first(dst), Src: first(a), DstStride: stride, SrcStride: stride, Scale: first(b), Shift: first(b[directCols:]),
		Rows: directRows, Cols: directCols, Lo: -4, Hi: 5,
	}
	return func() { asm.ScaleShiftF32For(tier).Run(&args) }
})

var minMaxCase = direct(func(tier asm.Tier, a, _, dst []float32) func() {
	clear(dst)
	return func() {
		for i := range directRows {
			dst[2*i], dst[2*i+1], _ = asm.MinMaxF32For(tier).Run(a[i*directCols+i:])
		}
	}
})

var histogramCase = direct(func(tier asm.Tier, a, _, dst []float32) func() {
	clear(dst)
	const bins = 101
	return func() {
		counts := make([]uint32, asm.HistogramTables*bins)
		asm.HistogramF32For(tier).Run(&asm.HistogramF32Args{
			X: first(a), N: len(a), Sub: -3, Mul: bins, Div: 6, Bins: bins, Counts: first(counts), Stride: bins,
		})
		clear(dst)
		for i, n := range counts {
			dst[i%bins] += float32(n)
		}
	}
})

var lsqGradCase = direct(func(tier asm.Tier, a, b, dst []float32) func() {
	inf := float32(math.Inf(1))
	return func() {
		args := asm.LSQGradF32Args{N: len(a) - 2, X: first(a), DY: first(b), DX: first(dst), Scale: 0.02, Zero: 117, Lo: 0, Hi: 200, ActLo: -inf, ActHi: inf}
		scale, zero := asm.LSQGradF32For(tier).Run(&args)
		dst[len(dst)-2], dst[len(dst)-1] = float32(scale), float32(zero)
	}
})

var requantizeCase = direct(func(tier asm.Tier, a, b, dst []float32) func() {
	acc := make([]int32, len(a))
	for i, x := range a {
		acc[i] = int32(x * 10000)
	}
	mult := make([]float32, directCols)
	for i := range mult {
		mult[i] = 0.001 * (b[i] + 4)
	}
	const stride = 4 * directCols
	args := asm.RequantizeI32F32Args{
		M: directRows, N: directCols, Acc: first(acc), AccStride: stride, Bias: first(b), Mult: first(mult), Res: first(a), ResStride: stride, ResInv: 20, ResMult: 1.7,
		Lo: -117, Hi: 138, Scale: 0.05, Y: first(dst), Real: first(make([]float32, len(dst))), YStride: stride,
	}
	return func() { asm.RequantizeI32F32For(tier).Run(&args) }
})
