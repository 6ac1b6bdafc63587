package ops

import (
	"math"
	"testing"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestSoftplus compares all tiers with float64: with PyTorch's defaults, which have a kernel, and with others.
func TestSoftplus(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	x := []float32{0, 1, -1, 0.5, -20, -80, -200, 16.9, 17, 19.5, 20, 20.000002, 21, 50, 89, 1000, math.MaxFloat32, inf, -inf, nan}
	for _, c := range []struct {
		beta, limit float64
		kernel      bool
	}{{1, 20, true}, {1, 17, true}, {1, 3, false}, {2, 20, false}, {0.3, 20, false}, {1, 100, false}} {
		op := Unary{Fn: Softplus, Alpha: c.beta, Beta: c.limit}
		if _, _, _, ok := unaryKernel(op); ok != c.kernel {
			t.Errorf("%v: has a kernel: %v, want %v", op, ok, c.kernel)
		}
		for _, tier := range []asm.Tier{asm.Generic, asm.AVX2, asm.AVX512} {
			if tier > asm.Best() {
				continue
			}
			in, err := tensor.FromSlice(x, len(x))
			if err != nil {
				t.Fatal(err)
			}
			y, err := Eval(op, tier, nil, in)
			if err != nil {
				t.Fatal(err)
			}
			for i, got := range y[0].Float32s() {
				want := softplus(float64(x[i]), c.beta, c.limit)
				switch {
				case float64(x[i])*c.beta > c.limit && got != x[i]:
					t.Errorf("%v %v: f(%v) = %v, want x itself", tier, op, x[i], got)
				case want == want && math.Abs(float64(got)-want) > 3e-7*want+1e-42:
					t.Errorf("%v %v: f(%v) = %v, want %v", tier, op, x[i], got, want)
				case want != want && got == got:
					t.Errorf("%v %v: f(%v) = %v, want NaN", tier, op, x[i], got)
				}
			}
		}
	}
}
