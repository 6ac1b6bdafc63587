package graph

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestRewritesKeepShapes checks that no pass takes for a constant what follows from the
// example shapes: sessions that began with one length give what fresh ones give.
func TestRewritesKeepShapes(t *testing.T) {
	size := func(g *Graph, x *Value) *Value {
		n := add(t, g, "", ops.SizeOf{Axis: 1}, x)
		return add(t, g, "", ops.Cast{DType: tensor.Float32}, n)
	}
	scores := func(g *Graph, x *Value) *Value {
		return add(t, g, "", ops.MatMul{TransposeB: true}, x, x)
	}
	build := map[string]func(g *Graph, x *Value) *Value{
		"divided": func(g *Graph, x *Value) *Value {
			return add(t, g, "", ops.Binary{Fn: ops.Div}, scores(g, x), size(g, x))
		},
		"multiplied": func(g *Graph, x *Value) *Value {
			return add(t, g, "", ops.Binary{Fn: ops.Mul}, scores(g, x), size(g, x))
		},
		"multiplied from the left": func(g *Graph, x *Value) *Value {
			return add(t, g, "", ops.Binary{Fn: ops.Mul}, size(g, x), scores(g, x))
		},
		"masked": func(g *Graph, x *Value) *Value {
			return add(t, g, "", ops.Binary{Fn: ops.Add}, scores(g, x), size(g, x))
		},
	}
	r := rand.New(rand.NewPCG(1, 1))
	short, long := scaledInput(t, r, 1, 4, 3), scaledInput(t, r, 1, 16, 3)
	for name, f := range build {
		made := func(x *tensor.Tensor) *Session {
			g := New()
			v := g.Input("x", tensor.Float32, x.Shape()...)
			p := add(t, g, "", ops.Softmax{Axis: -1}, f(g, v))
			g.SetOutputs(add(t, g, "", ops.MatMul{}, p, v))
			return compile(t, g, Options{Threads: 1})
		}
		for _, order := range [][2]*tensor.Tensor{{short, long}, {long, short}} {
			want := runOne(t, made(order[1]), order[1]).Float32s()
			got := runOne(t, made(order[0]), order[1]).Float32s()
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v in a session for %v gives %v, want %v", name, order[1], order[0], got, want)
			}
		}
	}
}

// scaledInput returns random numbers that softmax does not make ones and zeros of.
func scaledInput(t *testing.T, r *rand.Rand, shape ...int) *tensor.Tensor {
	x := random(t, r, shape...)
	for i := range x.Float32s() {
		x.Float32s()[i] /= 64
	}
	return x
}

// TestGradientOfSize checks the gradient of a power whose exponent is an extent: 2 for the
// example, 3 in the run.
func TestGradientOfSize(t *testing.T) {
	g := New()
	x, y := g.Input("x", tensor.Float32, 2), g.Input("y", tensor.Float32, 2)
	n := add(t, g, "", ops.Cast{DType: tensor.Float32}, add(t, g, "", ops.SizeOf{}, y))
	loss := add(t, g, "", ops.Reduce{Fn: ops.Sum, Axes: []int{0}}, add(t, g, "", ops.Binary{Fn: ops.Pow}, x, n))
	grads, err := g.Gradients(loss, []*Value{x})
	if err != nil {
		t.Fatal(err)
	}
	g.SetOutputs(grads...)
	s := compile(t, g, Options{Threads: 1})
	if got := runOne(t, s, vector(t, 1, 2), vector(t, 0, 0, 0)).Float32s(); !slices.Equal(got, []float32{3, 12}) {
		t.Errorf("the gradient is %v", got)
	}
}
