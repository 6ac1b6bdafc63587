package graph

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// unaryGraph is f of an input and a captured one.
func unaryGraph(t *testing.T, shape []int, f func(g *Graph, x, y *Value) *Value) *Graph {
	t.Helper()
	g := New()
	x, y := g.Input("x", tensor.Float32, shape...), g.Input("y", tensor.Float32, shape...)
	g.SetOutputs(f(g, x, y))
	return g
}

func apply(t *testing.T, g *Graph, op ops.Op, in ...*Value) *Value {
	t.Helper()
	v, err := g.Add1(Scope{}, op, in...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func runOne(t *testing.T, s *Session, in ...*tensor.Tensor) *tensor.Tensor {
	t.Helper()
	out, err := s.Run(context.Background(), in...)
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

func vector(t *testing.T, v ...float32) *tensor.Tensor {
	t.Helper()
	x, err := tensor.FromSlice(v, len(v))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestIf(t *testing.T) {
	op := If{
		Then: unaryGraph(t, []int{2}, func(g *Graph, x, y *Value) *Value { return apply(t, g, ops.Binary{Fn: ops.Add}, x, y) }),
		Else: unaryGraph(t, []int{2}, func(g *Graph, x, y *Value) *Value {
			return apply(t, g, ops.Unary{Fn: ops.Neg}, apply(t, g, ops.Binary{Fn: ops.Mul}, x, y))
		}),
	}
	g := New()
	c, x, y := g.Input("c", tensor.Bool), g.Input("x", tensor.Float32, 2), g.Input("y", tensor.Float32, 2)
	g.SetOutputs(apply(t, g, op, c, x, y))
	if text := g.String(); !strings.Contains(text, "mul") || !strings.Contains(text, "= if(%c, %x, %y)") {
		t.Errorf("the dump is\n%s", text)
	}
	s := compile(t, g, Options{Threads: 2})
	for range 2 {
		if got := runOne(t, s, tensor.Scalar(true), vector(t, 1, 2), vector(t, 10, 20)).Float32s(); got[0] != 11 || got[1] != 22 {
			t.Errorf("true gives %v", got)
		}
		if got := runOne(t, s, tensor.Scalar(false), vector(t, 1, 2, 3), vector(t, 10, 20, 30)).Float32s(); got[0] != -10 || got[2] != -90 {
			t.Errorf("false gives %v", got)
		}
	}
	x1 := vector(t, 1, 2)
	out := []*tensor.Tensor{vector(t, 0, 0)}
	in := []*tensor.Tensor{tensor.Scalar(false), x1, x1}
	if n := testing.AllocsPerRun(20, func() {
		if err := s.RunInto(context.Background(), out, in); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a run allocates %v times", n)
	}
	op.Else = unaryGraph(t, []int{2}, func(g *Graph, x, y *Value) *Value { return apply(t, g, ops.Concat{}, x, y) })
	if _, err := g.Add(Scope{}, op, c, x, y); err == nil {
		t.Error("branches of different shapes are accepted")
	}
}

// doubling is a loop that doubles x until it is at least limit, at most n times.
func doubling(t *testing.T, limit float64) *Graph {
	t.Helper()
	body := New()
	body.Input("i", tensor.Int64)
	x, l := body.Input("x", tensor.Float32, 2), body.Input("limit", tensor.Float32)
	x2 := apply(t, body, ops.Binary{Fn: ops.Add}, x, x)
	least := apply(t, body, ops.Reduce{Fn: ops.AMin}, x2)
	body.SetOutputs(apply(t, body, ops.Binary{Fn: ops.Lt}, least, l), x2)
	g := New()
	n, x0 := g.Input("n", tensor.Int64), g.Input("x", tensor.Float32, 2)
	out, err := g.Add(Scope{}, Loop{Body: body, Carried: 1}, n, g.Const("", tensor.Scalar(true)), x0, g.Const("", tensor.Scalar(float32(limit))))
	if err != nil {
		t.Fatal(err)
	}
	g.SetOutputs(out...)
	return g
}

func TestLoop(t *testing.T) {
	s := compile(t, doubling(t, 100), Options{Threads: 2})
	for _, c := range []struct {
		n    int64
		want float32
	}{{0, 3}, {1, 6}, {2, 12}, {5, 96}, {6, 192}, {1 << 40, 192}} {
		if got := runOne(t, s, tensor.Scalar(c.n), vector(t, 3, 4)).Float32s()[0]; got != c.want {
			t.Errorf("%d iterations give %v, want %v", c.n, got, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Run(ctx, tensor.Scalar(int64(3)), vector(t, 1, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled run gives %v", err)
	}
	// Zeros stay zeros.
	endless := compile(t, doubling(t, 1), Options{Threads: 1})
	var ve *ops.ValueError
	if _, err := endless.Run(context.Background(), tensor.Scalar(int64(1<<40)), vector(t, 0, 0)); !errors.As(err, &ve) {
		t.Errorf("an endless loop gives %v", err)
	}
}
