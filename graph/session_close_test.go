package graph

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Close waits for runs, and runs that begin later fail.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inside, goOn := make(chan bool), make(chan bool)
		s, err := chain(t, 2).Compile(Options{Threads: 1, Trace: func(tr StepTrace) {
			if tr.Index == 0 {
				inside <- true
				<-goOn
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		x := random(t, rand.New(rand.NewPCG(1, 1)), 2, 3)
		result := make(chan error, 1)
		go func() {
			_, err := s.Run(context.Background(), x)
			result <- err
		}()
		<-inside
		closed := make(chan bool)
		go func() {
			s.Close()
			close(closed)
		}()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("Close did not wait for the run")
		default:
		}
		if _, err := s.Run(context.Background(), x); !errors.Is(err, ErrClosed) {
			t.Errorf("a run after Close: %v", err)
		}
		close(goOn)
		if err := <-result; err != nil {
			t.Errorf("the run in progress: %v", err)
		}
		<-closed
		s.Close()
		out := []*tensor.Tensor{random(t, rand.New(rand.NewPCG(1, 1)), 2, 3)}
		if err := s.RunInto(context.Background(), out, []*tensor.Tensor{x}); !errors.Is(err, ErrClosed) {
			t.Errorf("RunInto after Close: %v", err)
		}
	})
}

// A panic in a callback, at any step, leaves the session usable, one of a model with state or with extents that only the run knows too,
// and no memory behind.
func TestPanicInTrace(t *testing.T) {
	x := random(t, rand.New(rand.NewPCG(1, 1)), 2, 3)
	for name, c := range map[string]struct {
		g  *Graph
		in []*tensor.Tensor
	}{
		"plain":   {chain(t, 3), []*tensor.Tensor{x}},
		"state":   {NewOpen([]string{"x"}, counting{}), []*tensor.Tensor{x}},
		"loop":    {doubling(t, 100), []*tensor.Tensor{tensor.Scalar(int64(3)), vector(t, 1, 2)}},
		"stages":  {positiveRows(t, 3, false), []*tensor.Tensor{withPositive(t, 9, 3, 5)}},
		"growing": {growing(t), []*tensor.Tensor{tensor.Scalar(int64(3)), vector(t, 1, 2), tensor.Scalar(int64(100))}},
	} {
		want, steps, failing := []*tensor.Tensor(nil), 0, 0
		s := compile(t, c.g, Options{Threads: 1, Trace: func(StepTrace) {
			if steps++; steps == failing {
				panic("callback")
			}
		}})
		for done := false; !done; failing++ {
			steps = 0
			func() {
				defer func() { done = failing > 0 && recover() == nil }()
				_, _ = s.Run(context.Background(), c.in...)
			}()
			s.Reset()
			last := failing
			failing = 0
			out, err := s.Run(context.Background(), c.in...)
			if err != nil {
				t.Fatalf("%s: the run after a panic at step %d: %v", name, last, err)
			}
			if want == nil {
				want = out
			}
			equal(t, fmt.Sprintf("%s: after a panic at step %d", name, last), out, want)
			s.Reset()
			s.Trim()
			if m := s.Memory(); m != 0 {
				t.Errorf("%s: %d bytes are left after a panic at step %d", name, m, last)
			}
			failing = last
		}
		if failing < 2 {
			t.Errorf("%s: no step was seen", name)
		}
		s.Close()
	}
}

// counting is a model that adds up its inputs.
type counting struct{}

func (counting) Specialize(in []ops.Type, before string) (*Graph, error) {
	g := New()
	x := g.Input("x", in[0].DType, in[0].Shape...)
	sum := x
	g.State = &State{Before: before, After: "sum", Outputs: 1}
	var err error
	if before != "" {
		g.State.Inputs = 1
		kept := g.Input("kept", in[1].DType, in[1].Shape...)
		sum, err = g.Add1(Scope{}, ops.Binary{Fn: ops.Add}, x, kept)
	} else {
		sum, err = g.Add1(Scope{}, ops.Binary{Fn: ops.Mul}, x, g.Const("", tensor.Scalar(float32(1))))
	}
	g.SetOutputs(sum, sum)
	return g, err
}

// Outputs in the memory of inputs or of each other are refused, few and many.
func TestOverlap(t *testing.T) {
	for _, n := range []int{1, 40} {
		g := New()
		x := g.Input("x", tensor.Float32, 4)
		var outs []*Value
		for range n {
			outs = append(outs, add(t, g, "", ops.Unary{Fn: ops.Exp}, x))
		}
		g.SetOutputs(outs...)
		s := compile(t, g, Options{Threads: 1})
		memory := make([]float32, 4*(n+2))
		at := func(i int) *tensor.Tensor { return mustTensor(t, memory[i:i+4]) }
		fill := func(first func(i int) int) []*tensor.Tensor {
			var out []*tensor.Tensor
			for i := range n {
				out = append(out, at(first(i)))
			}
			return out
		}
		apart := fill(func(i int) int { return 4 * (i + 1) })
		if err := s.RunInto(context.Background(), apart, []*tensor.Tensor{at(0)}); err != nil {
			t.Errorf("%d outputs apart: %v", n, err)
		}
		for _, input := range []int{1, 4, 4*n + 1} {
			err := s.RunInto(context.Background(), apart, []*tensor.Tensor{at(input)})
			var oe *OutputError
			if !errors.As(err, &oe) || !strings.Contains(err.Error(), "in the memory of") {
				t.Errorf("%d outputs, input at %d: %v", n, input, err)
			}
		}
		if n > 1 {
			err := s.RunInto(context.Background(), fill(func(i int) int { return 4 + 3*i }), []*tensor.Tensor{at(0)})
			var oe *OutputError
			if !errors.As(err, &oe) {
				t.Errorf("outputs in each other: %v", err)
			}
		}
	}
}

// A context that ends within a node stops it: its tasks are many and most are left out.
func TestCancelWithinNode(t *testing.T) {
	for _, threads := range []int{1, 2} {
		ctx, cancel := context.WithCancel(context.Background())
		pool := ops.NewPool(threads)
		defer pool.Close()
		c := &ops.Call{Pool: pool, Workers: make([]ops.Worker, threads), Context: ctx, Done: ctx.Done()}
		ran := 0
		if threads == 1 {
			c.Parallel(1000, func(_ *ops.Call, i int, _ *ops.Worker) {
				if ran++; i == 5 {
					cancel()
				}
			})
			if ran != 6 {
				t.Errorf("%d tasks ran after the context ended with the sixth", ran)
			}
			continue
		}
		cancel()
		c.Parallel(1000, func(*ops.Call, int, *ops.Worker) { t.Error("a task ran after the context ended") })
	}
	// Behind the last node, too, a run whose context ended is an error.
	ctx, cancel := context.WithCancel(context.Background())
	g := New()
	x := g.Input("x", tensor.Float32, 2)
	g.SetOutputs(add(t, g, "", cancelling{cancel}, x))
	if _, err := compile(t, g, Options{Threads: 1}).Run(ctx, random(t, rand.New(rand.NewPCG(1, 1)), 2)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled in the last node: %v", err)
	}
}

// cancelling ends a context as it runs.
type cancelling struct{ cancel func() }

func (cancelling) Name() string                            { return "cancelling" }
func (cancelling) Infer(in []ops.Type) ([]ops.Type, error) { return in[:1], nil }
func (op cancelling) Prepare(*ops.Prepare) (*ops.Kernel, error) {
	return &ops.Kernel{Run: func(*ops.Call) error { op.cancel(); return nil }}, nil
}

func TestThreadsBounded(t *testing.T) {
	if _, err := chain(t, 1).Compile(Options{Threads: 1 << 20}); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("2^20 threads: %v", err)
	}
}

// Trim gives up what conditions and loops made for the memory of runs: 1 MB in each of these.
func TestTrimControl(t *testing.T) {
	branch := func(n int) *Graph {
		g := New()
		v := g.Input("x", tensor.Float32, 256, 512)
		for range n {
			w := add(t, g, "", ops.Unary{Fn: ops.Exp}, v)
			v = add(t, g, "", ops.Binary{Fn: ops.Add}, w, v)
		}
		g.SetOutputs(v)
		return g
	}
	g := New()
	cond := g.Input("cond", tensor.Bool)
	x := g.Input("x", tensor.Float32, 256, 512)
	g.SetOutputs(add(t, g, "", If{Then: branch(3), Else: branch(2)}, cond, x))
	s := compile(t, g, Options{Threads: 1})
	in := []*tensor.Tensor{tensor.Scalar(true), random(t, rand.New(rand.NewPCG(1, 1)), 256, 512)}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var before uint64
	for i := range 60 {
		if _, err := s.Run(context.Background(), in...); err != nil {
			t.Fatal(err)
		}
		s.Trim()
		if i == 5 {
			before = heap()
		}
	}
	if after := heap(); after > before+16<<20 {
		t.Errorf("memory grew from %d to %d bytes in runs with Trim behind each", before, after)
	}
}
