package graph_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestSubPixelConvolutions compares transposed convolutions with what the passes put in their place, which has none left.
func TestSubPixelConvolutions(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	random := func(shape ...int) *tensor.Tensor {
		x, err := tensor.New(tensor.Float32, shape...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range x.Float32s() {
			x.Float32s()[i] = float32(rng.NormFloat64())
		}
		return x
	}
	replaced, all := 0, 0
	for k := 1; k <= 5; k++ {
		for s := 1; s <= 3; s++ {
			for p := 0; p <= k; p++ {
				for _, groups := range []int{1, 2} {
					for _, outPad := range []int{0, s - 1} {
						op := ops.ConvTranspose{Stride: []int{s, s}, Padding: []int{p, p}, OutputPadding: []int{outPad, outPad},
							Dilation: []int{1, 1}, Groups: groups, HasBias: true, Act: ops.ActReLU}
						x, w := random(2, 4, 5, 6), random(4, 3, k, k)
						if p == 1 {
							op.Stride, w = []int{s, 2}, random(4, 3, k, 2)
							op.OutputPadding = []int{outPad, 0}
						}
						if p == 2 {
							op.Stride, op.Padding, op.OutputPadding, op.Dilation = []int{s}, []int{p}, []int{outPad}, []int{1}
							x, w = random(2, 4, 7), random(4, 3, k)
						}
						done, err := checkSubPixel(op, x, w, random(3*groups))
						if err != nil {
							t.Errorf("%+v, kernel %v: %v", op, w.Shape(), err)
						}
						all++
						replaced += done
					}
				}
			}
		}
	}
	if replaced < all/3 {
		t.Errorf("%d of %d were replaced", replaced, all)
	}
}

// checkSubPixel returns 1 where the convolution was replaced, and 0 where it was not, or cannot be.
func checkSubPixel(op ops.ConvTranspose, x, w, b *tensor.Tensor) (int, error) {
	g := graph.New()
	in := g.Input("x", tensor.Float32, x.Shape()...)
	v, err := g.Add1(graph.Scope{}, op, in, g.Const("w", w), g.Const("b", b))
	if err != nil {
		return 0, nil // it would have no extent
	}
	g.SetOutputs(v)
	h := g.Clone()
	if err := h.Rewrite(graph.SubPixelConvolutions, 0); err != nil {
		return 0, err
	}
	convs := 0
	for _, n := range h.Nodes {
		switch n.Op.(type) {
		case ops.ConvTranspose:
			return 0, nil
		case ops.Conv:
			convs++
		}
	}
	if convs != 1 {
		return 0, fmt.Errorf("%d convolutions", convs)
	}
	want, err := runGraph(g, x)
	if err != nil {
		return 0, err
	}
	got, err := runGraph(h, x)
	if err != nil {
		return 0, err
	}
	if !got.Shape().Equal(want.Shape()) {
		return 0, fmt.Errorf("shape %v, want %v", got.Shape(), want.Shape())
	}
	for i, v := range want.Contiguous().Float32s() {
		if d := math.Abs(float64(got.Contiguous().Float32s()[i] - v)); d > 1e-4 {
			return 0, fmt.Errorf("element %d is %v, want %v", i, got.Contiguous().Float32s()[i], v)
		}
	}
	return 1, nil
}

func runGraph(g *graph.Graph, x *tensor.Tensor) (*tensor.Tensor, error) {
	s, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	out, err := s.Run(context.Background(), x)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// TestRewritesOfNothing runs the passes on nodes that have no inputs.
func TestRewritesOfNothing(t *testing.T) {
	g := graph.New()
	v, err := g.Add1(graph.Scope{}, ops.Full{Shape: []int{2}, Value: 1, DType: tensor.Float32})
	if err != nil {
		t.Fatal(err)
	}
	g.SetOutputs(v)
	for _, passes := range [][]graph.Pass{graph.SubPixelConvolutions, graph.DepthwiseNorms, graph.DepthwisePReLUs} {
		if err := g.Rewrite(passes, 0); err != nil {
			t.Error(err)
		}
	}
}
