package graph

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

func compile(t testing.TB, g *Graph, opts Options) *Session {
	t.Helper()
	s, err := g.Compile(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func random(t testing.TB, r *rand.Rand, shape ...int) *tensor.Tensor {
	t.Helper()
	x, err := tensor.New(tensor.Float32, shape...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(r.IntN(200) - 100)
	}
	return x
}

func equal(t testing.TB, what string, got, want []*tensor.Tensor) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d outputs, not %d", what, len(got), len(want))
	}
	for i := range want {
		if got[i].DType() != want[i].DType() || !got[i].Shape().Equal(want[i].Shape()) || !bytes.Equal(got[i].Bytes(), want[i].Contiguous().Bytes()) {
			t.Fatalf("%s: output %d is %v %v, not %v %v", what, i, got[i], got[i].Float32s(), want[i], want[i].Contiguous().Float32s())
		}
	}
}

// TestRandomGraphs compares sessions, which share memory between values and
// with the caller, with the operators one by one: with new outputs, with the
// caller's, with inputs that are not contiguous, and twice, over old memory.
func TestRandomGraphs(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		g := randomGraph(t, r)
		s := compile(t, g, Options{Threads: 1 + int(seed%2)})
		var into []*tensor.Tensor
		for round := range 3 {
			a, b := random(t, r, 4, 6), random(t, r, 4, 6)
			if round == 1 {
				wide := random(t, r, 6, 4)
				var err error
				if a, err = wide.Permute(1, 0); err != nil {
					t.Fatal(err)
				}
			}
			in := []*tensor.Tensor{a, b}
			keep := []*tensor.Tensor{a.Clone(), b.Clone()}
			want := reference(t, g, in)
			got, err := s.Run(ctx, in...)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, g.String(), got, want)
			if into == nil {
				into = got
			}
			if err := s.RunInto(ctx, into, in); err != nil {
				t.Fatal(err)
			}
			equal(t, g.String(), into, want)
			equal(t, "inputs of "+g.String(), []*tensor.Tensor{a.Clone(), b.Clone()}, keep)
		}
	}
}

// TestAliases runs graphs whose outputs are inputs, constants, views of them,
// or each other.
func TestAliases(t *testing.T) {
	build := map[string]func(g *Graph, x, c *Value) []*Value{
		"identity":    func(_ *Graph, x, _ *Value) []*Value { return []*Value{x} },
		"constant":    func(_ *Graph, _, c *Value) []*Value { return []*Value{c} },
		"both, twice": func(_ *Graph, x, c *Value) []*Value { return []*Value{x, c, x, c} },
		"view of the input": func(g *Graph, x, _ *Value) []*Value {
			return []*Value{add(t, g, "", ops.Flatten{Start: 0, End: -1}, x)}
		},
		"view of a constant": func(g *Graph, _, c *Value) []*Value {
			return []*Value{add(t, g, "", ops.Flatten{Start: 0, End: -1}, c)}
		},
		"one value twice": func(g *Graph, x, c *Value) []*Value {
			v := add(t, g, "", ops.Binary{Fn: ops.Add}, x, c)
			return []*Value{v, v}
		},
		"a value and a view": func(g *Graph, x, c *Value) []*Value {
			v := add(t, g, "", ops.Binary{Fn: ops.Add}, x, c)
			return []*Value{add(t, g, "", ops.Flatten{Start: 0, End: -1}, v), v}
		},
		"an inner value": func(g *Graph, x, c *Value) []*Value {
			v := add(t, g, "", ops.Binary{Fn: ops.Sub}, x, c)
			return []*Value{add(t, g, "", ops.Unary{Fn: ops.Neg}, v), v}
		},
		"known from shapes": func(g *Graph, x, _ *Value) []*Value { return []*Value{add(t, g, "", ops.ShapeOf{}, x)} },
		"a view of the inner": func(g *Graph, x, c *Value) []*Value {
			v := add(t, g, "", ops.Binary{Fn: ops.Sub}, x, c)
			w := add(t, g, "", ops.Reshape{Shape: []int{3, 2}}, v)
			return []*Value{add(t, g, "", ops.Unary{Fn: ops.Neg}, w), w}
		},
	}
	for name, f := range build {
		g := New()
		x := g.Input("x", tensor.Float32, 2, 3)
		g.SetOutputs(f(g, x, g.Const("c", mustTensor(t, []float32{1, 2, 3, 4, 5, 6}, 2, 3)))...)
		s := compile(t, g, Options{Threads: 1})
		in := []*tensor.Tensor{mustTensor(t, []float32{7, 8, 9, 10, 11, 12}, 2, 3)}
		want := reference(t, g, in)
		got, err := s.Run(context.Background(), in...)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, name, got, want)
		// The outputs are the caller's: what is written to them changes nothing.
		for _, y := range got {
			clear(y.Bytes())
		}
		again, err := s.Run(context.Background(), in...)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, name+", again", again, want)
	}
}

// convNet is a graph with kernels that need scratch, for inputs of any batch and size.
func convNet(t testing.TB) *Graph {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	g := New()
	x := g.Input("x", tensor.Float32, 1, 3, 8, 8)
	conv := ops.Conv{Stride: []int{1, 1}, Padding: []int{1, 1}, Dilation: []int{1, 1}, Groups: 1}
	v := add(t, g, "conv1", conv, x, g.Const("w1", random(t, r, 8, 3, 3, 3)))
	v = add(t, g, "relu1", ops.Unary{Fn: ops.ReLU}, v)
	w := add(t, g, "conv2", conv, v, g.Const("w2", random(t, r, 8, 8, 3, 3)))
	v = add(t, g, "sum", ops.Binary{Fn: ops.Add}, w, v)
	v = add(t, g, "pool", ops.AdaptiveAvgPool{Size: []int{1, 1}}, v)
	v = add(t, g, "flatten", ops.Flatten{Start: 1, End: -1}, v)
	g.SetOutputs(v)
	return g
}

// TestConcurrentRuns runs one session from many goroutines with inputs of
// several shapes, more than it keeps plans for.
func TestConcurrentRuns(t *testing.T) {
	g := convNet(t)
	s := compile(t, g, Options{Threads: 2, MaxPlans: 2})
	r := rand.New(rand.NewPCG(2, 2))
	var inputs, want []*tensor.Tensor
	for i := range 6 {
		x := random(t, r, 1+i%3, 3, 5+i%4, 7)
		out, err := compile(t, g, Options{Threads: 1}).Run(context.Background(), x)
		if err != nil {
			t.Fatal(err)
		}
		inputs, want = append(inputs, x), append(want, out[0])
	}
	var wg sync.WaitGroup
	for worker := range 12 {
		wg.Go(func() {
			for i := range 15 {
				k := (worker + i) % len(inputs)
				out, err := s.Run(context.Background(), inputs[k])
				if err != nil {
					t.Error(err)
					return
				}
				if !bytes.Equal(out[0].Bytes(), want[k].Bytes()) {
					t.Errorf("worker %d: other bits for %v", worker, inputs[k])
				}
			}
		})
	}
	wg.Wait()
}

func TestCancelledContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	steps := 0
	g := chain(t, 5)
	s := compile(t, g, Options{Threads: 1, Trace: func(StepTrace) {
		if steps++; steps == 2 {
			cancel()
		}
	}})
	x := random(t, rand.New(rand.NewPCG(1, 1)), 2, 3)
	if _, err := s.Run(ctx, x); !errors.Is(err, context.Canceled) || steps != 2 {
		t.Errorf("after %d steps: %v", steps, err)
	}
	if _, err := s.Run(ctx, x); !errors.Is(err, context.Canceled) || steps != 2 {
		t.Errorf("cancelled before the run, after %d steps: %v", steps, err)
	}
	identity := New()
	identity.SetOutputs(identity.Input("x", tensor.Float32, 2, 3))
	if _, err := compile(t, identity, Options{Threads: 1}).Run(ctx, x); !errors.Is(err, context.Canceled) {
		t.Errorf("without a step: %v", err)
	}
	// The memory of runs that stopped is used again.
	if _, err := s.Run(context.Background(), x); err != nil || steps != 7 {
		t.Errorf("after a cancelled run: %v", err)
	}
	if n := len(s.free); n != 1 {
		t.Errorf("%d states are free, not 1", n)
	}
}

func TestInputErrors(t *testing.T) {
	g := New()
	a, b := g.Input("a", tensor.Float32, 2, 3), g.Input("b", tensor.Float32, 3)
	g.SetOutputs(add(t, g, "sum", ops.Binary{Fn: ops.Add}, a, b))
	s := compile(t, g, Options{Threads: 1})
	f := func(shape ...int) *tensor.Tensor { return random(t, rand.New(rand.NewPCG(1, 1)), shape...) }
	for _, c := range []struct {
		in    []*tensor.Tensor
		index int
		want  string
	}{
		{nil, -1, "0 given where the graph has 2"},
		{[]*tensor.Tensor{f(2, 3)}, -1, "1 given"},
		{[]*tensor.Tensor{f(2, 3), f(3), f(3)}, -1, "3 given"},
		{[]*tensor.Tensor{f(2, 3), nil}, 1, "input 1 (b): it is missing"},
		{[]*tensor.Tensor{f(2, 3), mustTensor(t, []int64{1, 2, 3})}, 1, "int64"},
		{[]*tensor.Tensor{f(6), f(3)}, 0, "2 dimensions"},
	} {
		_, err := s.Run(context.Background(), c.in...)
		var ie *InputError
		if !errors.As(err, &ie) || ie.Index != c.index || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.in, err, c.want)
		}
	}
	_, err := s.Run(context.Background(), f(2, 3), f(4))
	var ne *NodeError
	var se *ops.ShapeError
	if !errors.As(err, &ne) || ne.Node.Scope.Path != "sum" || !errors.As(err, &se) {
		t.Errorf("shapes that do not fit give %v", err)
	}
	x, y := f(2, 3), f(3)
	for name, out := range map[string][]*tensor.Tensor{
		"none": nil, "nil": {nil}, "shape": {f(3, 2)}, "type": {mustTensor(t, make([]int32, 6), 2, 3)}, "two": {f(2, 3), f(2, 3)},
	} {
		if err := s.RunInto(context.Background(), out, []*tensor.Tensor{x, y}); err == nil {
			t.Errorf("%s: outputs that do not fit were written", name)
		}
	}
	if n := len(s.free); n != 1 {
		t.Errorf("%d states are free, not 1: refused outputs must give theirs back", n)
	}
}

func TestMaxPlans(t *testing.T) {
	s := compile(t, convNet(t), Options{Threads: 1, MaxPlans: 3})
	r := rand.New(rand.NewPCG(1, 1))
	run := func(batch int) {
		t.Helper()
		if _, err := s.Run(context.Background(), random(t, r, batch, 3, 8, 8)); err != nil {
			t.Fatal(err)
		}
	}
	run(1)
	made := len(s.packed.made)
	for batch := range 20 {
		run(batch + 1)
		if s.plans.Len() > 3 {
			t.Fatalf("%d plans are kept", s.plans.Len())
		}
	}
	run(19)
	run(18)
	var keys []string
	for _, p := range s.plans.All() {
		keys = append(keys, p.key)
	}
	run(18)
	if s.plans.All()[0].key != keys[0] || s.plans.Len() != 3 {
		t.Error("a plan in use was made again")
	}
	run(20) // the least recently used, still kept
	if s.plans.All()[2].key != keys[1] {
		t.Error("the plans are not in the order of their use")
	}
	if got := len(s.packed.made); got != made || made < 2 {
		t.Errorf("%d things are kept of the weights of two convolutions, %d after the first run", got, made)
	}
}

func TestMaxMemory(t *testing.T) {
	g := convNet(t)
	s := compile(t, g, Options{Threads: 1, MaxMemory: 1 << 20})
	x := random(t, rand.New(rand.NewPCG(1, 1)), 1, 3, 8, 8)
	if _, err := s.Run(context.Background(), x); err != nil {
		t.Fatal(err)
	}
	big, err := tensor.Unbound(tensor.Float32, 1, 3, 1<<14, 1<<14)
	if err != nil {
		t.Fatal(err)
	}
	var me *MemoryError
	if _, err := s.Run(context.Background(), big); !errors.As(err, &me) || me.Limit != 1<<20 || me.Need <= me.Limit {
		t.Errorf("a large image gives %v", err)
	}
	if _, err := s.Run(context.Background(), x); err != nil {
		t.Errorf("after a refused input: %v", err)
	}
	if _, err := g.Compile(Options{Threads: 1, MaxMemory: 1000}); !errors.As(err, &me) {
		t.Errorf("1000 bytes: %v", err)
	}
	// Outputs count, though they are not in the arena.
	wide := New()
	wide.SetOutputs(add(t, wide, "", ops.Expand{Shape: []int{1 << 20, 1 << 20}}, wide.Input("x", tensor.Float32, 1)))
	if _, err := wide.Compile(Options{Threads: 1}); !errors.As(err, &me) {
		t.Errorf("an output of 4 TB: %v", err)
	}
}

func TestMaxPatches(t *testing.T) {
	g := convNet(t)
	x := random(t, rand.New(rand.NewPCG(1, 1)), 2, 3, 8, 8)
	want, err := compile(t, g, Options{Threads: 1}).Run(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 2, 3, 4, 1000} {
		s := compile(t, g, Options{Threads: 1, MaxPatches: n})
		got, err := s.Run(context.Background(), x)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "patches", got, want)
	}
}

func TestTrace(t *testing.T) {
	var names []string
	g := chain(t, 2)
	s := compile(t, g, Options{Threads: 1, Trace: func(tr StepTrace) {
		names = append(names, tr.Node.Scope.Path+":"+tr.Out[0].String())
		if tr.Index != len(names)-1 || tr.Choice == "" || len(tr.In) != 1 {
			t.Errorf("%+v", tr)
		}
	}})
	if _, err := s.Run(context.Background(), random(t, rand.New(rand.NewPCG(1, 1)), 4, 3)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"0:f32[4, 3]", "1:f32[4, 3]"}; !slices.Equal(names, want) {
		t.Errorf("steps %q, not %q", names, want)
	}
	if p := s.Plan(); strings.Count(p, "\n") != 2 {
		t.Errorf("plan %q", p)
	}
}

// TestPlanColumns checks that the columns of a plan stand under each other whatever the lengths of paths and names.
func TestPlanColumns(t *testing.T) {
	g := New()
	x := g.Input("x", tensor.Float32, 1, 2, 9, 9)
	y := add(t, g, "features."+strings.Repeat("deep.", 9)+"pool", ops.AdaptiveAvgPool{Size: []int{3, 3}}, x)
	g.SetOutputs(add(t, g, "act", ops.Unary{Fn: ops.Tanh}, y))
	plan := compile(t, g, Options{}).Plan()
	pool, _, _ := strings.Cut(plan[strings.Index(plan, "features"):], "\n")
	name := strings.Index(pool, "adaptive_avg_pool2d ")
	choice := name + len("adaptive_avg_pool2d ")
	for line := range strings.Lines(plan) {
		if line[name-1] != ' ' || line[name] == ' ' || line[choice-1] != ' ' || line[choice] == ' ' {
			t.Errorf("%q is not in the columns of\n%s", line, plan)
		}
	}
}
