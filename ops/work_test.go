package ops_test

import (
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

type workCase struct {
	name string
	op   ops.Op
	in   []ops.Type
	want int64 // multiply-accumulates, counted by hand
}

func workCases() []workCase {
	f := ops.F32
	f64 := func(shape ...int) ops.Type { return ops.Type{DType: tensor.Float64, Shape: shape} }
	u8 := func(shape ...int) ops.Type {
		return ops.Type{DType: tensor.Uint8, Shape: shape, Q: tensor.PerTensor(tensor.Uint8, 0.1, 3)}
	}
	s8 := func(shape ...int) ops.Type {
		return ops.Type{DType: tensor.Int8, Shape: shape, Q: tensor.PerTensor(tensor.Int8, 0.1, 0)}
	}
	params8 := tensor.PerTensor(tensor.Uint8, 0.1, 3)
	params := int8.Params{DType: tensor.Uint8, Min: 0, Max: 255}
	weights := int8.Params{DType: tensor.Int8, Min: -128, Max: 127}
	conv := func(stride, padding, dilation, groups int) ops.Conv {
		two := func(n int) []int { return []int{n, n} }
		return ops.Conv{Stride: two(stride), Padding: two(padding), Dilation: two(dilation), Groups: groups}
	}
	small := ops.Conv{Stride: []int{1}, Padding: []int{0}, Dilation: []int{2}, Groups: 1}
	return []workCase{
		// 7 - 2*(3-1) = 3 positions, 4 outputs, of 3 channels and taps.
		{"dilated convolution of one dimension", small, []ops.Type{f(1, 3, 7), f(4, 3, 3)}, 3 * 4 * 9},
		{"convolution of three dimensions", ops.Conv{Stride: []int{1, 1, 1}, Padding: []int{0, 0, 0}, Dilation: []int{1, 1, 1}, Groups: 1},
			[]ops.Type{f(2, 3, 4, 5, 6), f(7, 3, 2, 2, 2)}, 2 * 3 * 4 * 5 * 7 * 3 * 8},
		// The border counts as if it were in the image.
		{"grouped convolution", conv(2, 1, 1, 2), []ops.Type{f(2, 4, 8, 8), f(6, 2, 3, 3)}, 2 * 4 * 4 * 6 * 2 * 9},
		{"depthwise convolution", conv(1, 1, 1, 8), []ops.Type{f(1, 8, 5, 5), f(8, 1, 3, 3)}, 8 * 25 * 9},
		// Each of the 8 x 16 elements of the input is multiplied with 4 x 9 weights.
		{"transposed convolution", ops.ConvTranspose{Stride: []int{2, 2}, Padding: []int{0, 0}, OutputPadding: []int{0, 0}, Dilation: []int{1, 1}, Groups: 1},
			[]ops.Type{f(1, 8, 4, 4), f(8, 4, 3, 3)}, 4608},
		{"transposed convolution of groups", ops.ConvTranspose{Stride: []int{2, 2}, Padding: []int{1, 1}, OutputPadding: []int{1, 1}, Dilation: []int{1, 1}, Groups: 2},
			[]ops.Type{f(2, 4, 8, 8), f(4, 3, 3, 3)}, 2 * 4 * 64 * 3 * 9},
		// As the convolution itself: 2 images of 16 positions, 6 outputs of 2 x 9 inputs.
		{"gradient of a convolution's weight", ops.ConvWeightGrad{ConvAttributes: ops.ConvAttributes(conv(2, 1, 1, 2)), Kernel: []int{3, 3}},
			[]ops.Type{f(2, 4, 8, 8), f(2, 6, 4, 4)}, 2 * 16 * 6 * 2 * 9},
		{"linear", ops.Linear{}, []ops.Type{f(2, 5, 8), f(3, 8)}, 2 * 5 * 8 * 3},
		{"linear of a vector", ops.Linear{HasBias: true}, []ops.Type{f(8), f(3, 8), f(3)}, 8 * 3},
		{"matrix product", ops.MatMul{}, []ops.Type{f(2, 3, 4, 5), f(5, 6)}, 2 * 3 * 4 * 5 * 6},
		{"transposed matrix product of batches", ops.MatMul{TransposeB: true}, []ops.Type{f(7, 1, 4, 5), f(3, 6, 5)}, 7 * 3 * 4 * 5 * 6},
		{"product of vectors", ops.MatMul{}, []ops.Type{f(9), f(9)}, 9},
		{"addmm", ops.AddMM{Beta: 2, Alpha: 3}, []ops.Type{f(4), f(3, 5), f(5, 4)}, 3 * 5 * 4},
		// From left to right: (ij,jk -> ik) and then (ik,kl -> il).
		{"einsum of three", ops.Einsum{Equation: "ij,jk,kl->il"}, []ops.Type{f(2, 3), f(3, 4), f(4, 5)}, 2*3*4 + 2*4*5},
		// 2 x 3 heads of 5 queries and 7 keys: scores of width 4, then values of width 6.
		{"attention", ops.Attention{}, []ops.Type{f(2, 3, 5, 4), f(2, 3, 7, 4), f(2, 3, 7, 6)}, 6 * 5 * 7 * (4 + 6)},
		{"attention with the heads last", ops.Attention{HeadsLast: true, Causal: true}, []ops.Type{f(2, 5, 3, 4), f(2, 7, 3, 4), f(2, 7, 3, 6)}, 6 * 5 * 7 * (4 + 6)},
		{"LSTM", ops.RNN{Cell: ops.LSTMCell, Layers: 1},
			[]ops.Type{f(7, 2, 3), f(1, 2, 5), f(1, 2, 5), f(20, 3), f(20, 5)}, 7 * 2 * (20*3 + 20*5)},
		// 10 steps of three gates, each 16 units of 32 inputs and 16 states.
		{"GRU", ops.RNN{Cell: ops.GRUCell, Layers: 1}, []ops.Type{f(5, 2, 32), f(1, 2, 16), f(48, 32), f(48, 16)}, 23040},
		{"RNN of two layers in both directions, without a batch", ops.RNN{Cell: ops.TanhCell, Layers: 2, Bidirectional: true},
			[]ops.Type{f(6, 3), f(4, 5), f(5, 3), f(5, 5), f(5, 3), f(5, 5), f(5, 10), f(5, 5), f(5, 10), f(5, 5)},
			6 * 2 * (5*3 + 5*5 + 5*10 + 5*5)},
		// 5 frequencies of two numbers, each of 8 values.
		{"Fourier transform", ops.RFFT{}, []ops.Type{f(3, 8)}, 3 * 10 * 8},
		// (20 - 8)/4 + 1 = 4 frames.
		{"short-time Fourier transform", ops.STFT{Hop: 4, OneSided: true}, []ops.Type{f(2, 20), f(8)}, 2 * 4 * 10 * 8},
		{"convolution of float64", ops.Conv64{Stride: []int{1}, Padding: []int{0}, Dilation: []int{2}, Groups: 1}, []ops.Type{f64(1, 3, 7), f64(4, 3, 3)}, 3 * 4 * 9},
		{"transposed convolution of float64", ops.ConvTranspose64{Stride: []int{3}, Padding: []int{1}, OutputPadding: []int{1}, Dilation: []int{2}, Groups: 2},
			[]ops.Type{f64(1, 4, 5), f64(4, 2, 3)}, 4 * 5 * 2 * 3},
		{"matrix product of float64", ops.MatMul64{TransposeB: true}, []ops.Type{f64(7, 1, 4, 5), f64(3, 6, 5)}, 7 * 3 * 4 * 5 * 6},
		{"einsum of float64", ops.Einsum{Equation: "ij,jk->ik"}, []ops.Type{f64(2, 3), f64(3, 4)}, 2 * 3 * 4},
		{"GRU of float64", ops.RNN64{Cell: ops.GRUCell, Layers: 1}, []ops.Type{f64(5, 2, 32), f64(1, 2, 16), f64(48, 32), f64(48, 16)}, 23040},
		// Elimination of 3 by 3 and 2 by 2 and 1 elements behind the first pivots, and 4^2 for both triangles of each column.
		{"system of equations", ops.Solve{}, []ops.Type{f(2, 4, 4), f(2, 4, 3)}, 2 * (9 + 4 + 1 + 16*3)},
		{"triangular system", ops.Solve{Fn: ops.SolveUpper}, []ops.Type{f64(4, 4), f64(4, 3)}, (4 + 3 + 2 + 1) * 3},
		{"matrix exponential", ops.MatrixExp{}, []ops.Type{f(2, 4, 4)}, 2 * 15 * 4 * 4 * 4},
		{"int8 convolution", int8.Conv{ConvAttributes: ops.ConvAttributes(conv(2, 1, 1, 2))},
			[]ops.Type{u8(2, 4, 8, 8), s8(6, 2, 3, 3)}, 2 * 16 * 6 * 2 * 9},
		{"int8 linear", int8.Linear{}, []ops.Type{u8(2, 5, 8), s8(3, 8)}, 2 * 5 * 8 * 3},
		{"dynamic int8 linear", int8.DynamicLinear{}, []ops.Type{f(2, 5, 8), s8(3, 8)}, 2 * 5 * 8 * 3},
		{"int8 GRU", int8.RNN{RNNAttributes: ops.RNNAttributes{Cell: ops.GRUCell, Layers: 1}}, []ops.Type{f(5, 2, 32), f(1, 2, 16), s8(48, 32), s8(48, 16)}, 23040},
		{"int8 matrix product", int8.MatMul{MatMulAttributes: ops.MatMulAttributes{TransposeB: true}, Out: params8}, []ops.Type{u8(7, 1, 4, 5), u8(3, 6, 5)}, 7 * 3 * 4 * 5 * 6},
		{"int8 attention", int8.Attention{AttentionAttributes: ops.AttentionAttributes{Causal: true}, Out: params8}, []ops.Type{u8(2, 5, 4), u8(2, 7, 4), u8(2, 7, 6)}, 2 * 5 * 7 * (4 + 6)},
		{"trained convolution", int8.TrainedLayer{Layer: conv(1, 0, 1, 1), X: params, W: weights, Y: &params},
			[]ops.Type{f(1, 3, 4, 4), f(1), f(1), f(5, 3, 2, 2), f(1), f(1), f(1), f(1)}, 9 * 5 * 3 * 4},
		{"relu", ops.Unary{Fn: ops.ReLU}, []ops.Type{f(2, 3)}, 0},
		{"mean", ops.Reduce{Fn: ops.Mean}, []ops.Type{f(2, 3)}, 0},
	}
}

func TestWorkOf(t *testing.T) {
	for _, c := range workCases() {
		t.Run(c.name, func(t *testing.T) {
			out, err := c.op.Infer(c.in)
			if err != nil {
				t.Fatal(err)
			}
			want := ops.Work{MACs: c.want}
			if ops.OperatorOf(c.op).Int8 {
				want = ops.Work{Int8MACs: c.want}
			}
			for _, types := range [][]ops.Type{c.in, out} {
				for _, v := range types {
					want.Bytes += int64(v.Bytes())
				}
			}
			if got := ops.WorkOf(c.op, c.in, out); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// TestWorkOfAll checks that each operator whose products count has a case.
func TestWorkOfAll(t *testing.T) {
	counted := make(map[string]bool)
	for _, c := range workCases() {
		counted[ops.OperatorOf(c.op).Type.String()] = true
	}
	for _, o := range ops.Operators() {
		if o.Multiplies() && !counted[o.Type.String()] {
			t.Errorf("no case counts the products of %v by hand", o.Type)
		}
	}
}
