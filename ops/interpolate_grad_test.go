package ops

import (
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestInterpolateGradLayouts compares the gradient with the channels last with that with
// them first, on one thread and on three; more channels than a task takes among them.
func TestInterpolateGradLayouts(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	pool := NewPool(3)
	defer pool.Close()
	for _, shape := range [][]int{{2, 3, 5, 4}, {1, poolGradChannels + 7, 3, 6}} {
		for _, resize := range []Interpolate{{Size: []int{7, 9}}, {Mode: NearestExact, Size: []int{2, 3}}, {Mode: Linearly, Size: []int{9, 3}}, {Mode: Cubic, Size: []int{4, 11}, AlignCorners: true}} {
			op := InterpolateGrad{Resize: resize, Shape: shape}
			dy := randomTensor(t, rng, append(shape[:2:2], resize.Size...))
			last, _, ok := op.ChannelsLast([]Type{TypeOf(dy)})
			if !ok {
				t.Fatal("it is not channels-last")
			}
			first, err := Eval(op, asm.Generic, nil, dy)
			if err != nil {
				t.Fatal(err)
			}
			want := toChannelsLast(t, first[0])
			for _, p := range []*Pool{nil, pool} {
				got, err := Eval(last, asm.Generic, p, toChannelsLast(t, dy))
				if err != nil {
					t.Fatal(err)
				}
				compare(t, resize.Mode.String(), got[0], want, 1e-6)
			}
			checkAllocations(t, 0, op, []Type{TypeOf(dy)}, []*tensor.Tensor{dy})
		}
	}
}

// TestCumprodGradLines compares the gradient along each dimension with that of the lines moved to the end.
func TestCumprodGradLines(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	x, dy := randomTensor(t, rng, []int{3, 4, 5}), randomTensor(t, rng, []int{3, 4, 5})
	for axis := range 3 {
		order := frontOrder(3, axis)
		order = append(order[1:], order[0])
		moved := func(v *tensor.Tensor) *tensor.Tensor {
			p, err := v.Permute(order...)
			if err != nil {
				t.Fatal(err)
			}
			return p.Contiguous()
		}
		got, err := Eval(CumprodGrad{Axis: axis}, asm.Generic, nil, x, dy)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Eval(CumprodGrad{Axis: -1}, asm.Generic, nil, moved(x), moved(dy))
		if err != nil {
			t.Fatal(err)
		}
		compare(t, "cumprod gradient", moved(got[0]), want[0], 0)
		checkAllocations(t, axis, CumprodGrad{Axis: axis}, []Type{TypeOf(x), TypeOf(dy)}, []*tensor.Tensor{x, dy})
	}
}
