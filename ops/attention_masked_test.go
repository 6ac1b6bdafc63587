package ops

import (
	"math"
	"testing"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestAttentionMasked looks at rows whose elements are all left out: zeros with ZeroMasked,
// NaN without, and NaN where the scores are NaN or infinite.
func TestAttentionMasked(t *testing.T) {
	q, _ := tensor.FromSlice([]float32{1, 2, 3, 4, inf, 1, float32(math.NaN()), 1}, 4, 2)
	k, _ := tensor.FromSlice([]float32{1, 0, 0, 1, 1, 1}, 3, 2)
	bools, _ := tensor.FromSlice([]bool{false, false, false, true, false, true, false, false, false, false, false, false}, 4, 3)
	floats := make([]float32, 12)
	for i, keep := range tensor.Data[bool](bools) {
		if !keep {
			floats[i] = -inf
		}
	}
	added, _ := tensor.FromSlice(floats, 4, 3)
	for _, tier := range asm.Supported() {
		for _, mask := range []*tensor.Tensor{bools, added} {
			for _, zero := range []bool{true, false} {
				out, err := Eval(Attention{HasMask: true, ZeroMasked: zero}, tier, nil, q, k, k, mask)
				if err != nil {
					t.Fatal(err)
				}
				y := out[0].Float32s()
				if got := y[0] == 0 && y[1] == 0; got != zero {
					t.Errorf("%v: a row without elements is %v", tier, y[:2])
				}
				if y[2] != y[2] || y[3] != y[3] {
					t.Errorf("%v: a row with elements is %v", tier, y[2:4])
				}
				if y[4] == y[4] || y[6] == y[6] {
					t.Errorf("%v: rows of infinite and NaN scores are %v", tier, y[4:])
				}
			}
		}
	}
}
