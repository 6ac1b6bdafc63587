package ops

import (
	"math"
	"testing"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestNormExtremes normalizes values far from 0, beyond what float32 can square, and farther apart than float32
// reaches: every normalization gives what float64 does, with either layout.
func TestNormExtremes(t *testing.T) {
	const n = 24
	for name, at := range map[string]func(i int) float64{
		"constant":  func(int) float64 { return 123456.7 },
		"large":     func(i int) float64 { return 1e6 + float64(i%3)*0.25 },
		"squares":   func(i int) float64 { return []float64{1e20, -1e20, 3e19}[i%3] },
		"far apart": func(i int) float64 { return []float64{3e38, -1e38, -3e38, 1e38, 3e38}[i%5] },
	} {
		x, want := make([]float32, n), make([]float64, n)
		mean, variance := 0.0, 0.0
		for i := range x {
			x[i] = float32(at(i))
			mean += float64(x[i]) / n
		}
		for _, v := range x {
			variance += (float64(v) - mean) * (float64(v) - mean) / n
		}
		if name == "constant" {
			mean, variance = float64(x[0]), 0
		}
		for i, v := range x {
			want[i] = (float64(v) - mean) / math.Sqrt(variance+1e-5)
		}
		for _, c := range []struct {
			op    Op
			shape []int
		}{
			{LayerNorm{Dims: 1, Eps: 1e-5}, []int{1, n}},
			{GroupNorm{Groups: 1, Eps: 1e-5}, []int{1, 4, 6}},
			{GroupNorm{Groups: 1, Eps: 1e-5, NHWC: true}, []int{1, 6, 4}},
			{InstanceNorm{Eps: 1e-5}, []int{1, 1, n}},
			{InstanceNorm{Eps: 1e-5, NHWC: true}, []int{1, n, 1}},
		} {
			for _, tier := range asm.Supported() {
				for i, got := range evalNorm(t, c.op, tier, floatsTensor(t, x, c.shape...))[0].Float32s() {
					if !(math.Abs(float64(got)-want[i]) <= 1e-6*math.Abs(want[i])) {
						t.Fatalf("%s, %v, %v: element %d is %v, want %v", name, c.op, tier, i, got, want[i])
					}
				}
			}
		}
		checkBatchStatistics(t, name, x, mean, variance)
	}
}

func checkBatchStatistics(t *testing.T, name string, x []float32, mean, variance float64) {
	t.Helper()
	one, zero := floatsTensor(t, []float32{1}, 1), floatsTensor(t, []float32{0}, 1)
	for _, nhwc := range []bool{false, true} {
		shape := []int{len(x) / 4, 1, 4}
		if nhwc {
			shape = []int{len(x) / 4, 4, 1}
		}
		in := []*tensor.Tensor{floatsTensor(t, x, shape...), one, zero, zero, zero}
		out := evalNorm(t, BatchNormTrain{Eps: 1e-5, Momentum: 1, NHWC: nhwc}, asm.Generic, in...)
		if got := out[1].Float32s()[0]; got != float32(mean) {
			t.Errorf("%s: the mean is %v, want %v", name, got, mean)
		}
		if got := out[2].Float32s()[0]; math.Abs(float64(got)-variance) > 1e-6*variance && got != float32(variance) {
			t.Errorf("%s: the variance is %v, want %v", name, got, variance)
		}
		for i, y := range out[0].Float32s() {
			if y != y || math.IsInf(float64(y), 0) {
				t.Fatalf("%s: element %d is %v", name, i, y)
			}
		}
	}
}

func evalNorm(t *testing.T, op Op, tier asm.Tier, in ...*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	out, err := Eval(op, tier, nil, in...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func floatsTensor(t *testing.T, v []float32, shape ...int) *tensor.Tensor {
	t.Helper()
	x, err := tensor.FromSlice(v, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}
