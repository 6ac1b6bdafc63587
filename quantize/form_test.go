package quantize

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// build returns a model of one input with random weights.
func build(t testing.TB, shape []int, forward root) *graph.Graph {
	t.Helper()
	m, err := nn.BuildRandom(nn.Architecture{Name: "test", Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: shape}}, Root: forward}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// randomInput returns normally distributed values.
func randomInput(t testing.TB, seed uint64, shape ...int) *tensor.Tensor {
	t.Helper()
	x, err := tensor.New(tensor.Float32, shape...)
	if err != nil {
		t.Fatal(err)
	}
	copy(x.Float32s(), normal(rand.New(rand.NewPCG(seed, seed)), x.Numel()))
	return x
}

// run compiles and runs a graph.
func run(t testing.TB, g *graph.Graph, in ...*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	s, err := g.Compile(graph.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(context.Background(), in...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func countOps(g *graph.Graph, name string) int {
	n := 0
	for _, node := range g.Nodes {
		if node.Op.Name() == name {
			n++
		}
	}
	return n
}

// mobile has the operators of mobile networks and feature pyramids.
func mobile(c *nn.Context, x *graph.Value) *graph.Value {
	v := c.Call("stem", nn.Conv2d{In: 3, Out: 16, Kernel: 3, Stride: 2, Padding: 1}, x)
	v = c.Apply(ops.Unary{Fn: ops.HardSwish}, v)
	dw := c.Call("depthwise", nn.Conv2d{In: 16, Out: 16, Kernel: 3, Padding: 1, Groups: 16}, v)
	dw = c.Apply(ops.Unary{Fn: ops.SiLU}, dw)
	s := c.Apply(ops.Reduce{Fn: ops.Mean, Axes: []int{2, 3}, KeepDims: true}, dw)
	s = c.Call("reduce", nn.Conv2d{In: 16, Out: 8, Kernel: 1}, s)
	s = c.Call("relu", nn.ReLU{}, s)
	s = c.Call("expand", nn.Conv2d{In: 8, Out: 16, Kernel: 1}, s)
	s = c.Apply(ops.Unary{Fn: ops.Sigmoid}, s)
	v = c.Apply(ops.Binary{Fn: ops.Mul}, dw, s)
	v = c.Apply(ops.Unary{Fn: ops.LeakyReLU, Alpha: 0.1}, c.Call("project", nn.Conv2d{In: 16, Out: 16, Kernel: 1}, v))
	small := c.Call("pool", nn.MaxPool2d{Kernel: 2}, v)
	up := c.Apply(ops.Interpolate{Mode: ops.Nearest, Scales: []float64{2, 2}}, c.Call("lateral", nn.Conv2d{In: 16, Out: 16, Kernel: 1}, small))
	v = c.Apply(ops.Binary{Fn: ops.Add}, v, up)
	v = c.Apply(ops.Binary{Fn: ops.Div, BNumber: true}, v, c.Const(tensor.Scalar(float32(3))))
	channel, _ := tensor.New(tensor.Float32, 1, 16, 1, 1)
	for i := range channel.Float32s() {
		channel.Float32s()[i] = float32(i) / 16
	}
	v = c.Apply(ops.Binary{Fn: ops.Mul}, v, c.Const(channel))
	v = c.Apply(ops.Concat{Axis: 1}, v, dw)
	return c.Call("head", nn.Conv2d{In: 32, Out: 10, Kernel: 1}, v)
}

// TestNoFloatIsland checks that Native computes a network of the operators that
// have an int8 form in int8 from end to end: one step in, and none out where
// the last layer gives float32.
func TestNoFloatIsland(t *testing.T) {
	m := build(t, []int{1, 3, 16, 16}, mobile)
	x := randomInput(t, 1, 3, 3, 16, 16)
	for _, backend := range []*Backend{Native, DISC} {
		q := New(Options{Backend: backend, Device: X86}) // one device on every host, as its defaults choose the SQNR
		calib, err := q.Calib(m)
		if err != nil {
			t.Fatal(err)
		}
		defer calib.Close()
		if _, err := calib.Run(context.Background(), x); err != nil {
			t.Fatal(err)
		}
		g, err := q.Quantize(m)
		if err != nil {
			t.Fatal(err)
		}
		if in, out := countOps(g, "quantize"), countOps(g, "dequantize"); backend == Native && (in != 1 || out != 0) {
			t.Errorf("%d steps to int8 and %d back:\n%v", in, out, g)
		} else if backend == DISC && out < 5 {
			t.Errorf("DISC dequantizes %d times: only its layers should be int8", out)
		}
		got, want := run(t, g, x)[0].Float32s(), run(t, m, x)[0].Float32s()
		if s := sumsOf(want, got); s.sqnr() < 25 {
			t.Errorf("%v: SQNR %.1f dB", backend, s.sqnr())
		}
	}
}

// TestBetweenInt8 checks that an operator is int8 only where it takes values
// from int8 operators and gives them to others.
func TestBetweenInt8(t *testing.T) {
	m := build(t, []int{1, 8, 32}, func(c *nn.Context, x *graph.Value) *graph.Value {
		v := c.Apply(ops.Unary{Fn: ops.Tanh}, x) // float in front of the first layer
		v = c.Call("fc1", nn.Linear{In: 32, Out: 64}, v)
		v = c.Call("act", nn.GELU{}, v) // between two layers
		v = c.Call("fc2", nn.Linear{In: 64, Out: 32}, v)
		v = c.Apply(ops.Binary{Fn: ops.Add}, v, x) // in front of a float operator
		v = c.Call("norm", nn.LayerNorm{Features: 32}, v)
		v = c.Apply(ops.Slice{Axis: 1, End: 1, Step: 1}, v) // leaves less to quantize
		return c.Call("fc3", nn.Linear{In: 32, Out: 4}, v)
	})
	q := New(Options{})
	calib, err := q.Calib(m)
	if err != nil {
		t.Fatal(err)
	}
	defer calib.Close()
	x := randomInput(t, 2, 5, 8, 32)
	if _, err := calib.Run(context.Background(), x); err != nil {
		t.Fatal(err)
	}
	g, err := q.Quantize(m)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range g.Nodes {
		names = append(names, n.Op.Name())
	}
	want := []string{"tanh", "quantize", "int8.linear", "int8.gelu", "int8.linear", "int8.layer_norm", "slice", "int8.linear"}
	if !slices.Equal(names, want) {
		t.Errorf("the model is %v, want %v", names, want)
	}
	got, float := run(t, g, x)[0].Float32s(), run(t, m, x)[0].Float32s()
	if s := sumsOf(float, got); s.sqnr() < 30 || math.IsInf(s.sqnr(), 0) {
		t.Errorf("SQNR %.1f dB", s.sqnr())
	}
}
