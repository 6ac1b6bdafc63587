package ops_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestComposedFunctions compares functions that are made of kernels with their definition in float64, on every tier.
func TestComposedFunctions(t *testing.T) {
	inf := float32(math.Inf(1))
	x := []float32{0, float32(math.Copysign(0, -1)), inf, -inf, float32(math.NaN()), 1e-30, -1e-30, 1e-7, -1e-7, 100, -100, 1e30, -1e30}
	for i := range 3000 {
		x = append(x, float32(i-1500)/73)
	}
	for _, op := range []ops.Unary{
		{Fn: ops.LogSigmoid}, {Fn: ops.Mish}, {Fn: ops.ELU, Alpha: 1}, {Fn: ops.ELU, Alpha: 0.3}, {Fn: ops.SELU}, {Fn: ops.CELU, Alpha: 1}, {Fn: ops.CELU, Alpha: 2.5},
		{Fn: ops.CELU, Alpha: -1}, {Fn: ops.Softplus, Alpha: 2, Beta: 20}, {Fn: ops.Softplus, Alpha: 0.5, Beta: 3}, {Fn: ops.Softplus, Alpha: 1, Beta: 20}, {Fn: ops.Threshold, Alpha: 0.1, Beta: 20},
	} {
		double := make([]float64, len(x))
		for i, v := range x {
			double[i] = float64(v)
		}
		in64, err := tensor.FromSlice(double, len(x))
		if err != nil {
			t.Fatal(err)
		}
		want, err := ops.Eval(op, asm.Generic, nil, in64)
		if err != nil {
			t.Fatal(err)
		}
		for _, tier := range asm.Supported() {
			t.Run(fmt.Sprintf("%v %v", op, tier), func(t *testing.T) {
				in, err := tensor.FromSlice(x, len(x))
				if err != nil {
					t.Fatal(err)
				}
				got, err := ops.Eval(op, tier, nil, in)
				if err != nil {
					t.Fatal(err)
				}
				for i, y := range got[0].Float32s() {
					w := tensor.Data[float64](want[0])[i]
					if same := math.IsNaN(w) && y != y || float64(y) == w || math.Abs(float64(y)-w) <= 1e-6*math.Abs(w)+1e-37; !same {
						t.Fatalf("of %v: %v, want %v", x[i], y, w)
					}
				}
			})
		}
	}
}
