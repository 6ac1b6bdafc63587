package int8

import (
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestOverflows checks that a layer which is said to be safe is prepared whatever its input's zero point is, and that
// one whose accumulators do overflow is not said to be safe.
func TestOverflows(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	safe, refused := 0, 0
	for _, depth := range []int{100, 8192, 8193, 16000, 32000, 33000, 40000, 70000} {
		for _, most := range []int{20, 127} {
			for _, lean := range []int{0, 50, 127} {
				for _, zero := range []int32{0, 100} {
					w := weightOf(t, rng, depth, most, lean, zero)
					said := Overflows(w, 0)
					if slack := Overflows(w, 1); said && !slack {
						t.Errorf("slack makes a layer of %d safe", depth)
					}
					for _, zx := range []int32{0, 128, 255} {
						err := prepareLinear(w, zx)
						if err != nil && !said {
							t.Errorf("%d weights up to %d, leaning by %d, zero point %d: safe, but with an input's zero point of %d %v", depth, most, lean, zero, zx, err)
						}
						if err != nil {
							refused++
						}
					}
					if !said {
						safe++
					}
				}
			}
		}
	}
	if safe < 20 || refused < 20 {
		t.Errorf("%d safe, %d refused: the cases say little", safe, refused)
	}
}

// weightOf returns random weights for three outputs.
func weightOf(t *testing.T, rng *rand.Rand, depth, most, lean int, zero int32) *tensor.Tensor {
	t.Helper()
	w, err := tensor.New(tensor.Int8, 3, depth)
	if err != nil {
		t.Fatal(err)
	}
	for i := range w.Int8s() {
		w.Int8s()[i] = int8(min(max(rng.IntN(2*most+1)-most+lean, -128), 127))
	}
	return w.WithQParams(tensor.PerTensor(tensor.Int8, 0.01, zero))
}

func prepareLinear(w *tensor.Tensor, zx int32) error {
	x := ops.Type{DType: tensor.Uint8, Shape: tensor.Shape{1, w.Dim(1)}, Q: tensor.PerTensor(tensor.Uint8, 0.1, zx)}
	op := Linear{}
	in := []ops.Type{x, ops.TypeOf(w)}
	out, err := op.Infer(in)
	if err != nil {
		return err
	}
	_, err = op.Prepare(&ops.Prepare{In: in, Out: out, Tier: asm.Generic, Threads: 1})
	return err
}
