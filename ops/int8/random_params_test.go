package int8

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// randomParams returns parameters as a file or a caller may give them: scales from 1e-30 to 1e30, ranges of any two ends, zero points anywhere, often at an
// end and outside the range.
func randomParams(r *rand.Rand) *tensor.QParams {
	scale := float32(math.Exp(3 * r.NormFloat64()))
	switch r.IntN(8) {
	case 0:
		scale = float32(math.Pow(10, 60*r.Float64()-30))
	case 1:
		scale = []float32{1e-30, 1e30, 0x1p-126, 1}[r.IntN(4)]
	}
	q := tensor.PerTensor(tensor.Uint8, scale, r.Int32N(256))
	if r.IntN(3) == 0 {
		q.ZeroPoint[0] = []int32{0, 255, 1, 254, 128}[r.IntN(5)]
	}
	if r.IntN(2) == 0 {
		q.Min, q.Max = r.Int32N(255), 255
		q.Max = q.Min + 1 + r.Int32N(255-q.Min)
	}
	return q
}

// TestRandomParamsTiers computes operators with random parameters on every tier: all have the bits of plain Go.
func TestRandomParamsTiers(t *testing.T) {
	tiers := asm.Supported()
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 12))
		n, c := 1+r.IntN(5), 1+r.IntN(150)
		value := func() *tensor.Tensor {
			x, err := tensor.New(tensor.Uint8, 1, n, n, c)
			if err != nil {
				t.Fatal(err)
			}
			for i := range x.Uint8s() {
				x.Uint8s()[i] = uint8(r.IntN(256))
			}
			return x.WithQParams(randomParams(r))
		}
		floats, err := tensor.New(tensor.Float32, 1, n, n, c)
		if err != nil {
			t.Fatal(err)
		}
		special := []float32{0, float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), math.MaxFloat32, -math.MaxFloat32, 1e-40}
		for i := range floats.Float32s() {
			floats.Float32s()[i] = float32(math.Exp(5*r.NormFloat64())) * float32(1-2*r.IntN(2))
			if r.IntN(10) == 0 {
				floats.Float32s()[i] = special[r.IntN(len(special))]
			}
		}
		a, b, y := value(), value(), randomParams(r)
		act := []ops.Activation{ops.NoActivation, ops.ActReLU, ops.ActReLU6}[r.IntN(3)]
		pool := ops.AvgPoolAttributes{Kernel: []int{1 + r.IntN(n), 1 + r.IntN(n)}, Stride: []int{1, 1 + r.IntN(2)}, Padding: []int{0, 0}, NHWC: true}
		for _, c := range []struct {
			op ops.Op
			in []*tensor.Tensor
		}{
			{Add{Act: act, Out: y}, []*tensor.Tensor{a, b}},
			{Sub{Act: act, Out: y}, []*tensor.Tensor{a, b}},
			{Mul{Act: act, Out: y}, []*tensor.Tensor{a, b}},
			{Min{Act: act, Out: y}, []*tensor.Tensor{a, b}},
			{Max{Act: act, Out: y}, []*tensor.Tensor{a, b}},
			{Concat{Axis: 3}, []*tensor.Tensor{a, b}},
			{AvgPool{AvgPoolAttributes: pool, Out: y}, []*tensor.Tensor{a}},
			{AdaptiveAvgPool{AdaptiveAvgPoolAttributes: ops.AdaptiveAvgPoolAttributes{Size: []int{1, 1}, NHWC: true}, Out: y}, []*tensor.Tensor{a}},
			{Softmax{SoftmaxAttributes: ops.SoftmaxAttributes{Axis: 3}, Out: y}, []*tensor.Tensor{a}},
			{Quantize{Q: y}, []*tensor.Tensor{floats}},
			{Dequantize{}, []*tensor.Tensor{a}},
		} {
			var want []byte
			for _, tier := range tiers {
				out, err := ops.Eval(c.op, tier, nil, c.in...)
				if err != nil {
					t.Fatalf("seed %d, %s on %v: %v", seed, c.op.Name(), tier, err)
				}
				got := out[0].Bytes()
				if want == nil {
					want = got
				}
				if !bytes.Equal(got, want) {
					at := 0
					for got[at] == want[at] {
						at++
					}
					t.Fatalf("seed %d, %s of %s on %v: byte %d is %d, plain Go gives %d", seed, c.op.Name(), describe(c.in, y, act), tier, at, got[at], want[at])
				}
			}
		}
	}
}

func describe(in []*tensor.Tensor, y *tensor.QParams, act ops.Activation) string {
	text := fmt.Sprintf("to %v in %d to %d, %v", y, y.Min, y.Max, act)
	for _, x := range in {
		text += fmt.Sprintf(", %v %v", x.Shape(), x.QParams())
	}
	return text
}
