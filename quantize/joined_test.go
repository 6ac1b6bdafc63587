package quantize

import (
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// joining is a model that concatenates values, the result once more with others, and with one far smaller that a layer takes as well.
func joining(t testing.TB) (*graph.Graph, *dataset) {
	t.Helper()
	m := build(t, []int{2, 3, 6, 6}, func(c *nn.Context, x *graph.Value) *graph.Value {
		a := c.Call("a", nn.Conv2d{In: 3, Out: 4, Kernel: 1}, x)
		b := c.Call("b", nn.Conv2d{In: 4, Out: 4, Kernel: 3, Padding: 1}, a)
		first := c.Apply(ops.Concat{Axis: 1}, a, b)
		d := c.Call("d", nn.Conv2d{In: 8, Out: 4, Kernel: 1}, first)
		small := c.Apply(ops.Binary{Fn: ops.Mul, BNumber: true}, d, c.Const(tensor.Scalar(float32(1)/64)))
		e := c.Call("e", nn.Conv2d{In: 4, Out: 4, Kernel: 1}, small)
		second := c.Apply(ops.Concat{Axis: 1}, first, small, e)
		y := c.Call("y", nn.Conv2d{In: 16, Out: 2, Kernel: 1}, second)
		y = c.Call("pool", nn.AdaptiveAvgPool2d{Size: 1}, y)
		return c.Call("fc", nn.Linear{In: 2, Out: 2}, c.Apply(ops.Flatten{Start: 1, End: -1}, y))
	})
	return m, &dataset{batches: [][]*tensor.Tensor{{randomInput(t, 1, 2, 3, 6, 6)}}}
}

// TestConcatenatedShare takes what is concatenated to have the parameters of the last result, so that integers are copied, but for a
// value that others take and whose own step is far finer. Training learns one pair of parameters for all of them.
func TestConcatenatedShare(t *testing.T) {
	m, d := joining(t)
	q := New(Options{})
	calibrate(t, q, m, d)
	check := func(g *graph.Graph, when string) {
		t.Helper()
		tables := 0
		for _, n := range g.Nodes {
			if table, is := n.Op.(int8.Table); is && table.Label == "requantize" {
				tables++
			}
		}
		if tables != 1 {
			t.Errorf("%s: %d values are brought to other parameters, want 1, the small one", when, tables)
		}
	}
	check(quantized(t, q, m), "calibrated")
	trainOneStep(t, q, m, d.batches[0]...)
	check(quantized(t, q, m), "trained")
}

// TestPooledExtremes takes the range of what a pool leaves from its extremes, with the default observer of 8 bits alone.
func TestPooledExtremes(t *testing.T) {
	m, d := joining(t)
	for seed := range 60 { // enough for outliers
		d.batches = append(d.batches, []*tensor.Tensor{randomInput(t, uint64(seed)+2, 2, 3, 6, 6)})
	}
	for _, c := range []struct {
		observer *ObserverConfig
		extremes bool
	}{
		{nil, true},
		{&ObserverConfig{Kind: MSE, Spec: nativeU8}, true},
		{&ObserverConfig{Kind: Percentile, Spec: nativeU8, Percentile: 70}, false},
		{&ObserverConfig{Kind: MSE, Spec: nativeU8.WithBits(4)}, false},
	} {
		o, spec := Options{Activation: c.observer}, nativeU8
		if c.observer != nil {
			spec = c.observer.Spec
		}
		q := New(o)
		calibrate(t, q, m, d)
		p, err := q.Parameters(m)
		if err != nil {
			t.Fatal(err)
		}
		seen := q.values["pool"].State()
		want, err := spec.qparams(seen.Min, seen.Max)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Activations["pool"]; got.Equal(want) != c.extremes {
			t.Errorf("%v: %v, those of the extremes are %v", c.observer, got, want)
		}
	}
}

// TestSpreadExtremes takes the ranges of what a pool spreads over windows that overlap from their extremes, and of what a function made that of.
func TestSpreadExtremes(t *testing.T) {
	for stride := 1; stride <= 2; stride++ {
		m := build(t, []int{4, 3, 8, 8}, func(c *nn.Context, x *graph.Value) *graph.Value {
			y := c.Apply(ops.Unary{Fn: ops.SiLU}, c.Call("a", nn.Conv2d{In: 3, Out: 4, Kernel: 1}, x))
			y = c.Apply(ops.MaxPool{Kernel: []int{3, 3}, Stride: []int{stride, stride}, Padding: []int{1, 1}, Dilation: []int{1, 1}}, y)
			return c.Call("b", nn.Conv2d{In: 4, Out: 2, Kernel: 1}, y)
		})
		d := &dataset{}
		for seed := range 30 { // enough for outliers
			d.batches = append(d.batches, []*tensor.Tensor{randomInput(t, uint64(seed)+2, 4, 3, 8, 8)})
		}
		q := New(Options{})
		calibrate(t, q, m, d)
		p, err := q.Parameters(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "silu"} {
			seen := q.values[name].State()
			want, err := nativeU8.qparams(seen.Min, seen.Max)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Activations[name]; got.Equal(want) != (stride == 1) {
				t.Errorf("stride %d: %q has %v, those of the extremes are %v", stride, name, got, want)
			}
		}
	}
}
