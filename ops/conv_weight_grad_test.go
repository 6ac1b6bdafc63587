package ops

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestConvWeightGradLarge compares the weight gradient with sums in float64, on shapes that are divided in
// every way: into several chunks of rows and parts, into segments of long rows, over strides, dilation,
// groups, and channels that do not fill a tile.
func TestConvWeightGradLarge(t *testing.T) {
	pair := func(v int) []int { return []int{v, v} }
	for _, c := range []struct {
		conv   Conv
		x      []int // NHWC
		outs   int
		kernel []int
	}{
		{Conv{Stride: pair(1), Padding: pair(1), Dilation: pair(1), Groups: 1}, []int{5, 33, 20, 16}, 16, pair(3)},
		{Conv{Stride: pair(2), Padding: pair(1), Dilation: pair(1), Groups: 1}, []int{3, 41, 38, 5}, 19, pair(3)},
		{Conv{Stride: pair(3), Padding: pair(2), Dilation: pair(2), Groups: 2}, []int{2, 50, 61, 6}, 34, pair(3)},
		{Conv{Stride: pair(1), Padding: pair(0), Dilation: pair(1), Groups: 1}, []int{9, 17, 23, 20}, 7, pair(1)},
		{Conv{Stride: pair(2), Padding: pair(0), Dilation: pair(1), Groups: 1}, []int{2, 17, 23, 4}, 16, pair(1)},
		{Conv{Stride: []int{1}, Padding: []int{3}, Dilation: []int{1}, Groups: 1}, []int{2, 2700, 3}, 4, []int{7}},
		{Conv{Stride: []int{2}, Padding: []int{0}, Dilation: []int{3}, Groups: 1}, []int{1, 5000, 2}, 16, []int{4}},
		{Conv{Stride: []int{1, 2, 1}, Padding: []int{1, 0, 1}, Dilation: []int{1, 1, 1}, Groups: 1}, []int{2, 5, 9, 14, 3}, 5, []int{3, 2, 3}},
	} {
		c.conv.NHWC = true
		op := ConvWeightGrad{ConvAttributes: ConvAttributes(c.conv), Kernel: c.kernel}
		t.Run(fmt.Sprint(c.x, c.outs, c.kernel, c.conv.Stride, c.conv.Groups), func(t *testing.T) {
			weight := F32(append([]int{c.outs, c.x[len(c.x)-1] / c.conv.Groups}, c.kernel...)...)
			w, err := c.conv.Window(op, []Type{F32(c.x...), weight})
			if err != nil {
				t.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(3, 4))
			x, dy := randomTensor(t, rng, c.x), randomTensor(t, rng, c.conv.OutShape(w, []Type{F32(c.x...), weight}))
			want, size := weightGradOf(w, c.conv.Groups, x, dy, weight)
			types := []Type{F32(x.Shape()...), F32(dy.Shape()...)}
			out, err := op.Infer(types)
			if err != nil {
				t.Fatal(err)
			}
			for _, tier := range []asm.Tier{asm.Generic, asm.Best()} {
				one := runOp(t, op, tier, nil, types, out, []*tensor.Tensor{x, dy})[0]
				for i, g := range one.Float32s() {
					if math.Abs(float64(g)-want[i]) > 1e-5*size[i] {
						t.Fatalf("%v: element %d is %v, want %v", tier, i, g, want[i])
					}
				}
				pool := NewPool(3)
				three := runOp(t, op, tier, pool, types, out, []*tensor.Tensor{x, dy})[0]
				pool.Close()
				for i, g := range three.Float32s() {
					if g != one.Float32s()[i] {
						t.Fatalf("%v: element %d is %v with three threads, %v with one", tier, i, g, one.Float32s()[i])
					}
				}
			}
		})
	}
}

func randomTensor(t *testing.T, rng *rand.Rand, shape []int) *tensor.Tensor {
	t.Helper()
	x, err := tensor.New(tensor.Float32, shape...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(rng.NormFloat64())
	}
	return x
}

// weightGradOf computes the gradient, and the sum of the magnitudes of its terms, as its definition has it.
func weightGradOf(w *Window, groups int, x, dy *tensor.Tensor, weight Type) (grad, size []float64) {
	grad, size = make([]float64, weight.Numel()), make([]float64, weight.Numel())
	outs, perGroup, taps := weight.Shape[0], weight.Shape[1], w.Taps()
	channels := perGroup * groups
	xs, ds := x.Float32s(), dy.Float32s()
	p := w.pixel(0)
	for i := range w.Pixels() {
		if i > 0 {
			w.advance(&p)
		}
		for tap := range taps {
			kx, ky, kz := tap%w.Kernel[2], tap/w.Kernel[2]%w.Kernel[1], tap/(w.Kernel[2]*w.Kernel[1])
			at := [3]int{p.z*w.Stride[0] - w.Pad[0] + kz*w.Dilation[0], p.y*w.Stride[1] - w.Pad[1] + ky*w.Dilation[1], p.x*w.Stride[2] - w.Pad[2] + kx*w.Dilation[2]}
			if at[0] < 0 || at[1] < 0 || at[2] < 0 || at[0] >= w.In[0] || at[1] >= w.In[1] || at[2] >= w.In[2] {
				continue
			}
			px := ((p.n*w.In[0]+at[0])*w.In[1]+at[1])*w.In[2] + at[2]
			for o := range outs {
				for c := range perGroup {
					v := float64(ds[i*outs+o]) * float64(xs[px*channels+o/(outs/groups)*perGroup+c])
					k := (o*perGroup+c)*taps + tap
					grad[k] += v
					size[k] += math.Abs(v)
				}
			}
		}
	}
	return grad, size
}
