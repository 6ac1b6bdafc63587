package ops_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestAveragesAgree compares the bits of the two ways to take means over whole windows: one model written with each is
// calibrated and quantized alike.
func TestAveragesAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ shape, kernel, size []int }{
		{[]int{2, 8, 8, 19}, []int{8, 8}, []int{1, 1}},
		{[]int{1, 12, 6, 16}, []int{4, 3}, []int{3, 2}},
		{[]int{3, 9, 5}, []int{9}, []int{1}},
		{[]int{2, 4, 3, 5, 8}, []int{4, 3, 5}, []int{1, 1, 1}},
		{[]int{2, 3, 6, 5, 8}, []int{1, 6, 5}, []int{3, 1, 1}},
	} {
		x, err := tensor.New(tensor.Float32, c.shape...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range x.Float32s() {
			x.Float32s()[i] = float32(r.NormFloat64())
		}
		pool := ops.AvgPool{Kernel: c.kernel, Stride: c.kernel, Padding: make([]int, len(c.kernel)), NHWC: true}
		for _, tier := range asm.Supported() {
			want, err := ops.Eval(pool, tier, nil, x)
			if err != nil {
				t.Fatal(err)
			}
			got, err := ops.Eval(ops.AdaptiveAvgPool{Size: c.size, NHWC: true}, tier, nil, x)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got[0].Bytes(), want[0].Bytes()) {
				t.Errorf("windows %v of %v on %v: %v, %v", c.kernel, c.shape, tier, got[0].Float32s(), want[0].Float32s())
			}
		}
	}
}
