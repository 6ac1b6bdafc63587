package ops

import (
	"math"
	"testing"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestSoftshrinkNaN keeps NaN, which lies on no side of the threshold.
func TestSoftshrinkNaN(t *testing.T) {
	x, _ := tensor.FromSlice([]float32{float32(math.NaN()), 0.25, 2, -2, inf}, 5)
	for _, tier := range asm.Supported() {
		out, err := Eval(Unary{Fn: Softshrink, Alpha: 0.5}, tier, nil, x)
		if err != nil {
			t.Fatal(err)
		}
		y := out[0].Float32s()
		if y[0] == y[0] || y[1] != 0 || y[2] != 1.5 || y[3] != -1.5 || y[4] != inf {
			t.Errorf("%v: %v", tier, y)
		}
	}
}
