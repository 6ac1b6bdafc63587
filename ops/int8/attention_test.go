package int8_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// TestFloatInside computes operators that quantize what they compute of dequantized values, on every tier: all give the same bits, which
// are close to those of the float32 operator.
func TestFloatInside(t *testing.T) {
	out := tensor.PerTensor(tensor.Uint8, 1.0/64, 120)
	attention := func(a ops.AttentionAttributes) ops.Op { return int8.Attention{AttentionAttributes: a, Out: out} }
	for name, c := range map[string]struct {
		op     ops.Op
		shapes [][]int // the last one is float32 of an operator with a mask
		steps  float64 // by which a result may be off
	}{
		"matmul":             {int8.MatMul{Out: out}, [][]int{{3, 50, 37}, {3, 37, 19}}, 0.51},
		"matmul, transposed": {int8.MatMul{MatMulAttributes: ops.MatMulAttributes{TransposeB: true}, Out: out}, [][]int{{2, 3, 7, 64}, {3, 18, 64}}, 0.51},
		"matmul, vector":     {int8.MatMul{Out: out}, [][]int{{5, 9}, {9}}, 0.51},
		"softmax":            {int8.Softmax{SoftmaxAttributes: ops.SoftmaxAttributes{Axis: -1}, Out: out}, [][]int{{5, 33}}, 0.51},
		"softmax, columns":   {int8.Softmax{SoftmaxAttributes: ops.SoftmaxAttributes{Axis: 1, Log: true}, Out: out}, [][]int{{2, 9, 5}}, 0.51},
		"layer norm":         {int8.LayerNorm{LayerNormAttributes: ops.LayerNormAttributes{Dims: 1, Eps: 1e-5}, Out: out}, [][]int{{7, 33}}, 0.51},
		"group norm":         {int8.GroupNorm{GroupNormAttributes: ops.GroupNormAttributes{Groups: 2, Eps: 1e-5}, Out: out}, [][]int{{2, 6, 5}}, 0.51},
		"attention":          {attention(ops.AttentionAttributes{}), [][]int{{2, 3, 60, 20}, {2, 3, 37, 20}, {2, 3, 37, 11}}, 2},
		"attention, causal":  {attention(ops.AttentionAttributes{Causal: true, HeadsLast: true}), [][]int{{2, 9, 3, 8}, {2, 9, 3, 8}, {2, 9, 3, 8}}, 2},
		"attention, no keys": {attention(ops.AttentionAttributes{}), [][]int{{2, 5, 8}, {2, 0, 8}, {2, 0, 9}}, 0},
		"attention, mask":    {attention(ops.AttentionAttributes{HasMask: true, Scale: 0.2}), [][]int{{2, 5, 8}, {2, 7, 8}, {2, 7, 9}, {5, 7}}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			var in, real []*tensor.Tensor
			for i, s := range c.shapes {
				x := randomU8(t, r, s, tensor.PerTensor(tensor.Uint8, 0.011, int32(110+9*i)))
				f, err := ops.Eval(int8.Dequantize{}, asm.Generic, nil, x)
				if err != nil {
					t.Fatal(err)
				}
				if i == 3 { // a mask that leaves nothing of a key
					for k := 2; k < f[0].Numel(); k += s[1] {
						f[0].Float32s()[k] = float32(math.Inf(-1))
					}
					x = f[0]
				}
				in, real = append(in, x), append(real, f[0])
			}
			want, err := ops.Eval(int8.FloatOf(c.op), asm.Generic, nil, real...)
			if err != nil {
				t.Fatal(err)
			}
			first, err := ops.Eval(c.op, asm.Generic, nil, in...)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range want[0].Float32s() {
				got := float64(int32(first[0].Uint8s()[i])-120) / 64
				if limit := min(max(float64(v), -120.0/64), 135.0/64); math.Abs(got-limit) > c.steps/64 {
					t.Fatalf("element %d is %v, the float32 operator's %v", i, got, v)
				}
			}
			for _, tier := range asm.Supported() {
				got, err := ops.Eval(c.op, tier, nil, in...)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got[0].Bytes(), first[0].Bytes()) {
					t.Errorf("%v differs from plain Go", tier)
				}
			}
		})
	}
}

// randomU8 returns random integers with parameters q.
func randomU8(t *testing.T, r *rand.Rand, shape []int, q *tensor.QParams) *tensor.Tensor {
	t.Helper()
	x, err := tensor.New(tensor.Uint8, shape...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.Uint8s() {
		x.Uint8s()[i] = uint8(r.IntN(256))
	}
	return x.WithQParams(q)
}
