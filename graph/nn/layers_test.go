package nn_test

import (
	"context"
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/tensor"
)

// pooled averages windows and flattens the result.
type pooled struct{ pool nn.AvgPool2d }

func (pooled) Class() string { return "Pooled" }

func (m pooled) Forward(c *nn.Context, x ...*graph.Value) *graph.Value {
	return c.Call("flatten", nn.Flatten{}, c.Call("pool", m.pool, x[0]))
}

// TestAvgPool2dFlatten checks both, as torch.nn computes them: padding counts, and a stride of 0 is the window's size.
func TestAvgPool2dFlatten(t *testing.T) {
	for _, c := range []struct {
		pool nn.AvgPool2d
		want []float32
	}{
		{nn.AvgPool2d{Kernel: 2}, []float32{3.5, 5.5, 11.5, 13.5, 19.5, 21.5, 27.5, 29.5}},
		{nn.AvgPool2d{Kernel: 2, Stride: 4, Padding: 1}, []float32{0.25, 1, 3.25, 4, 4.25, 5, 7.25, 8}},
	} {
		arch := nn.Architecture{Name: "pooled", Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, 2, 4, 4}}}, Root: pooled{c.pool}}
		g, err := nn.BuildRandom(arch, 1)
		if err != nil {
			t.Fatal(err)
		}
		s, err := g.Compile(graph.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		x, err := tensor.New(tensor.Float32, 1, 2, 4, 4)
		if err != nil {
			t.Fatal(err)
		}
		for i := range x.Float32s() {
			x.Float32s()[i] = float32(i + 1)
		}
		y, err := s.Run(context.Background(), x)
		if err != nil {
			t.Fatal(err)
		}
		if got := y[0].Float32s(); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.pool, got, c.want)
		}
	}
}
