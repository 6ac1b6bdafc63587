package graph_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// program is a function as a graph.Program; it counts its calls.
type program struct {
	f     func(inputs []ops.Type, before string) (*graph.Graph, error)
	calls int
}

func (p *program) Specialize(inputs []ops.Type, before string) (*graph.Graph, error) {
	p.calls++
	return p.f(inputs, before)
}

// doubling returns a program that makes x+x and holds for any first extent, of
// [N, C], and for one value of a second, optional input.
func doubling() *program {
	return &program{f: func(inputs []ops.Type, _ string) (*graph.Graph, error) {
		g := graph.New()
		x := g.Input("x", inputs[0].DType, inputs[0].Shape...)
		x.Guard = &graph.Guard{Shape: []int{-1, inputs[0].Shape[1]}}
		times := 2
		if len(inputs) > 1 {
			n := g.Input("n", inputs[1].DType)
			n.Guard = &graph.Guard{Value: inputs[1].Known}
			if inputs[1].Known == nil {
				return nil, errors.New("the value of n is not known")
			}
			times = int(inputs[1].Known.Int64s()[0])
		}
		sum := x
		for range times - 1 {
			var err error
			if sum, err = g.Add1(graph.Scope{}, ops.Binary{Fn: ops.Add}, sum, x); err != nil {
				return nil, err
			}
		}
		g.SetOutputs(sum)
		return g, nil
	}}
}

func ones(t testing.TB, shape ...int) *tensor.Tensor {
	t.Helper()
	x, err := tensor.New(tensor.Float32, shape...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.Float32s() {
		x.Float32s()[i] = 1
	}
	return x
}

// openSession compiles an open graph of the program.
func openSession(t testing.TB, p graph.Program, inputs ...string) (*graph.Graph, *graph.Session) {
	t.Helper()
	g := graph.NewOpen(inputs, p)
	s, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return g, s
}

func runOpen(t *testing.T, s *graph.Session, want float32, inputs ...*tensor.Tensor) {
	t.Helper()
	out, err := s.Run(context.Background(), inputs...)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range out[0].Float32s() {
		if v != want {
			t.Fatalf("%v gives %v, want %v", inputs, v, want)
		}
	}
}

func TestOpen(t *testing.T) {
	p := doubling()
	g, s := openSession(t, p, "x", "n")
	if _, err := g.Concrete(); !errors.Is(err, graph.ErrOpen) {
		t.Errorf("before a run the graph is concrete (%v)", err)
	}
	if s.Graph() == nil || s.Plan() != "" || s.ArenaBytes() != 0 {
		t.Error("a plan before the first run")
	}
	runOpen(t, s, 2, ones(t, 1, 3))
	runOpen(t, s, 2, ones(t, 5, 3))
	if p.calls != 1 {
		t.Errorf("%d graphs for two batches", p.calls)
	}
	runOpen(t, s, 2, ones(t, 5, 4))
	runOpen(t, s, 3, ones(t, 5, 4), tensor.Scalar(int64(3)))
	runOpen(t, s, 4, ones(t, 5, 4), tensor.Scalar(int64(4)))
	runOpen(t, s, 3, ones(t, 2, 4), tensor.Scalar(int64(3)))
	if p.calls != 4 {
		t.Errorf("%d graphs, want 4", p.calls)
	}
	c, err := g.Concrete()
	if err != nil || len(c.Nodes) != 2 {
		t.Errorf("concrete: %v, %v", c, err)
	}
	if same, err := g.Specialize(ops.F32(7, 3)); err != nil || p.calls != 4 || len(same.Inputs) != 1 {
		t.Errorf("specialized anew (%d calls, %v)", p.calls, err)
	}
	if _, err := g.Specialize(ops.F32(7, 3), ops.Type{DType: tensor.Int64}); err == nil {
		t.Error("a graph for one value serves any")
	}
	if _, err := s.Run(context.Background(), nil); err == nil {
		t.Error("ran without an input")
	}
	// Steady state allocates nothing, whichever graph runs.
	x, y := []*tensor.Tensor{ones(t, 5, 3)}, []*tensor.Tensor{ones(t, 5, 3)}
	if n := testing.AllocsPerRun(20, func() {
		if err := s.RunInto(context.Background(), y, x); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations per run", n)
	}
}

// TestOpenRetries checks that a graph whose guards promise too much is made again.
func TestOpenRetries(t *testing.T) {
	p := &program{f: func(inputs []ops.Type, _ string) (*graph.Graph, error) {
		g := graph.New()
		x := g.Input("x", inputs[0].DType, inputs[0].Shape...)
		y, err := g.Add1(graph.Scope{}, ops.Reshape{Shape: []int{inputs[0].Shape[0], -1}}, x)
		g.SetOutputs(y)
		return g, err
	}}
	_, s := openSession(t, p, "x")
	runOpen(t, s, 1, ones(t, 2, 3))
	runOpen(t, s, 1, ones(t, 5, 3))
	if p.calls != 2 {
		t.Errorf("%d graphs, want 2", p.calls)
	}
}

// running returns a program that keeps the sum of what it met: nothing at
// first, then a value.
func running() *program {
	return &program{f: func(inputs []ops.Type, before string) (*graph.Graph, error) {
		g := graph.New()
		sum := g.Input("x", inputs[0].DType, inputs[0].Shape...)
		g.State = &graph.State{Before: before, After: "sum", Outputs: 1}
		if before == "sum" {
			g.State.Inputs = 1
			kept := g.Input("sum", inputs[1].DType, inputs[1].Shape...)
			var err error
			if sum, err = g.Add1(graph.Scope{}, ops.Binary{Fn: ops.Add}, sum, kept); err != nil {
				return nil, err
			}
		}
		g.SetOutputs(sum, sum)
		return g, nil
	}}
}

func TestState(t *testing.T) {
	g, s := openSession(t, running(), "x")
	_, other := openSession(t, running(), "x")
	for i := range 4 {
		runOpen(t, s, float32(i+1), ones(t, 3))
	}
	runOpen(t, other, 1, ones(t, 3))
	s.Reset()
	runOpen(t, s, 1, ones(t, 3))
	again, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	runOpen(t, again, 1, ones(t, 3))
	if _, err := s.Run(context.Background(), ones(t, 2)); err == nil {
		t.Error("shapes that do not fit what is kept ran")
	}
	runOpen(t, s, 2, ones(t, 3))
	out := []*tensor.Tensor{ones(t, 3)}
	if err := s.RunInto(context.Background(), out, []*tensor.Tensor{ones(t, 3)}); err != nil || out[0].Float32s()[0] != 3 {
		t.Errorf("into the caller's memory: %v (%v)", out[0].Float32s(), err)
	}
	if err := s.RunInto(context.Background(), append(out, ones(t, 3)), []*tensor.Tensor{ones(t, 3)}); err == nil {
		t.Error("what is kept was given to the caller")
	}
	// Runs at the same time go one after the other.
	s.Reset()
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 25 {
				if _, err := s.Run(context.Background(), ones(t, 3)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	runOpen(t, s, 201, ones(t, 3))
}

func TestDerive(t *testing.T) {
	p := doubling()
	g, s := openSession(t, p, "x")
	negated := 0
	derived, err := graph.Derive(g, func(g *graph.Graph) (*graph.Graph, error) {
		if negated++; negated > 2 {
			return nil, fmt.Errorf("enough")
		}
		c := g.Clone()
		y, err := c.Add1(graph.Scope{}, ops.Unary{Fn: ops.Neg}, c.Outputs[0])
		c.SetOutputs(y)
		return c, err
	})
	if err != nil || !derived.IsOpen() {
		t.Fatal(err)
	}
	d, err := derived.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	runOpen(t, d, -2, ones(t, 1, 3))
	runOpen(t, d, -2, ones(t, 4, 3))
	runOpen(t, s, 2, ones(t, 4, 3))
	if p.calls != 1 || negated != 1 {
		t.Errorf("%d graphs and %d derived, want one each", p.calls, negated)
	}
	runOpen(t, d, -2, ones(t, 4, 2))
	if _, err := d.Run(context.Background(), ones(t, 4, 1)); err == nil {
		t.Error("an error of the function is lost")
	}
	c, err := g.Concrete()
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := graph.Derive(c, func(g *graph.Graph) (*graph.Graph, error) { return g, nil }); err != nil || plain != c {
		t.Errorf("of a concrete graph: %v, %v", plain, err)
	}
}

// choosy takes batches of at most 3, and knows one of 2.
type choosy struct{ *program }

func (choosy) Check(inputs []ops.Type) error {
	if inputs[0].Shape[0] > 3 {
		return errors.New("at most 3")
	}
	return nil
}

func (choosy) Example() ([]ops.Type, bool) { return []ops.Type{ops.F32(2, 4)}, true }

// TestOpenChecks asks a program about inputs that a graph made before would serve, of
// graphs derived from it too, and makes a graph of its example.
func TestOpenChecks(t *testing.T) {
	open := graph.NewOpen([]string{"x"}, choosy{doubling()})
	derived, err := graph.Derive(open, func(g *graph.Graph) (*graph.Graph, error) { return g, nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range []*graph.Graph{open, derived} {
		if types, ok := g.Example(); !ok || !types[0].Shape.Equal(tensor.Shape{2, 4}) {
			t.Errorf("the example is %v, %v", types, ok)
		}
		made, err := g.Concrete()
		if err != nil || !made.Inputs[0].Type.Shape.Equal(tensor.Shape{2, 4}) {
			t.Fatalf("of the example: %v", err)
		}
		if _, err := g.Specialize(ops.F32(3, 4)); err != nil {
			t.Errorf("a batch of 3: %v", err)
		}
		if _, err := g.Specialize(ops.F32(4, 4)); err == nil || err.Error() != "at most 3" {
			t.Errorf("a batch of 4 gives %v", err)
		}
	}
}
