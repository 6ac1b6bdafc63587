package int8_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// TestMul compares with the definition in docs/numerics.md, bit for bit, on
// every tier, for one and two threads: values of one shape, and gates.
func TestMul(t *testing.T) {
	pool := ops.NewPool(2)
	defer pool.Close()
	for _, c := range []struct{ a, b []int }{
		{[]int{7}, []int{7}},
		{[]int{3, 50, 40}, []int{3, 50, 40}},
		{[]int{2, 5, 7, 19}, []int{2, 1, 1, 19}},
		{[]int{3, 40, 30, 64}, []int{3, 1, 1, 64}},
		{[]int{1, 4, 1}, []int{1, 1, 1}},
		{[]int{2, 0, 3, 8}, []int{2, 1, 1, 8}},
	} {
		rng := rand.New(rand.NewPCG(3, 4))
		qa, qb, out := tensor.PerTensor(tensor.Uint8, 0.02, 131), tensor.PerTensor(tensor.Uint8, 1.0/256, 3), tensor.PerTensor(tensor.Uint8, 0.011, 90)
		a, b := quantized(rng, qa, c.a...), quantized(rng, qb, c.b...)
		for _, act := range []ops.Activation{ops.NoActivation, ops.ReLU} {
			op := int8.Mul{Act: act, Out: out, NHWC: true}
			want := make([]uint8, a.Numel())
			lo, hi := int8.Bounds(out, act)
			mult := float32(float64(qa.Scale[0]) * float64(qb.Scale[0]) / float64(out.Scale[0]))
			per := a.Numel()
			if len(c.a) > 1 && len(c.b) == len(c.a) && a.Numel() != b.Numel() {
				per = a.Numel() / max(c.a[0], 1)
			}
			channels := c.a[len(c.a)-1]
			for i, x := range a.Uint8s() {
				y := b.Uint8s()[i%max(b.Numel(), 1)]
				if per != a.Numel() {
					y = b.Uint8s()[i/per*channels+i%channels]
				}
				v := float32((int32(x)-qa.ZeroPoint[0])*(int32(y)-qb.ZeroPoint[0])) * mult
				want[i] = uint8(min(max(math.RoundToEven(float64(v))+float64(out.ZeroPoint[0]), float64(lo)), float64(hi)))
			}
			for _, tier := range asm.Supported() {
				for _, p := range []*ops.Pool{nil, pool} {
					got, err := ops.Eval(op, tier, p, a, b)
					if err != nil {
						t.Fatalf("%v: %v", c, err)
					}
					for i, v := range got[0].Uint8s() {
						if v != want[i] {
							t.Fatalf("%v %v on %v: element %d is %d, want %d", c, act, tier, i, v, want[i])
						}
					}
				}
			}
		}
	}
}
