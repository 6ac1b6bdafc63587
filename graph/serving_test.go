package graph

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// gated is the identity whose planning, for inputs of one extent, tells that it began and waits.
type gated struct {
	extent       int
	planned      *atomic.Int32
	inside, goOn chan bool
}

func (gated) Name() string                            { return "gated" }
func (gated) Infer(in []ops.Type) ([]ops.Type, error) { return in[:1], nil }
func (op gated) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	if p.In[0].Shape[0] == op.extent {
		op.planned.Add(1)
		op.inside <- true
		if !<-op.goOn {
			panic("planning")
		}
	}
	return &ops.Kernel{Run: func(c *ops.Call) error { return c.Out[0].CopyFrom(c.In[0]) }}, nil
}

func gatedGraph(t *testing.T, extent int) (*Graph, gated) {
	op := gated{extent: extent, planned: new(atomic.Int32), inside: make(chan bool), goOn: make(chan bool)}
	g := New()
	g.SetOutputs(add(t, g, "", op, g.Input("x", tensor.Float32, 1)))
	return g, op
}

func numbers(n int) *tensor.Tensor {
	x, _ := tensor.New(tensor.Float32, n)
	return x
}

// A shape that is being planned keeps nobody waiting who has another shape, and those who have
// the same until it is planned, once, or until their contexts end.
func TestPlanningBlocksNobody(t *testing.T) {
	for _, open := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g, op := gatedGraph(t, 7)
			if open {
				g = NewOpen([]string{"x"}, fixedProgram{g})
			}
			s, err := g.Compile(Options{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			results := make(chan error, 3)
			run := func(ctx context.Context) {
				_, err := s.Run(ctx, numbers(7))
				results <- err
			}
			go run(context.Background())
			<-op.inside
			go run(context.Background())
			short, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			run(short)
			if err := <-results; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("one who waits for a plan longer than its deadline: %v", err)
			}
			for range 3 {
				if _, err := s.Run(context.Background(), numbers(1)); err != nil {
					t.Error(err)
				}
			}
			op.goOn <- true
			for range 2 {
				if err := <-results; err != nil {
					t.Error(err)
				}
			}
			if n := op.planned.Load(); n != 1 {
				t.Errorf("planned %d times", n)
			}
		})
	}
}

// fixedProgram makes the same graph for all inputs of its rank.
type fixedProgram struct{ g *Graph }

func (p fixedProgram) Specialize([]ops.Type, string) (*Graph, error) { return p.g, nil }

// A panic while planning leaves no lock held, and those who wait plan by themselves.
func TestPanicInPlanning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, op := gatedGraph(t, 7)
		s, err := g.Compile(Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		panicked, result := make(chan any), make(chan error)
		go func() {
			defer func() { panicked <- recover() }()
			_, _ = s.Run(context.Background(), numbers(7))
		}()
		<-op.inside
		go func() {
			_, err := s.Run(context.Background(), numbers(7))
			result <- err
		}()
		synctest.Wait()
		op.goOn <- false
		if v := <-panicked; v != "planning" {
			t.Errorf("recovered %v", v)
		}
		<-op.inside
		op.goOn <- true
		if err := <-result; err != nil {
			t.Error(err)
		}
	})
}

// MaxRuns bounds the runs at a time; others wait, and no longer than their context allows.
func TestMaxRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inside, goOn := make(chan bool), make(chan bool)
		s, err := chain(t, 1).Compile(Options{Threads: 1, MaxRuns: 2, Trace: func(StepTrace) {
			inside <- true
			<-goOn
		}})
		if err != nil {
			t.Fatal(err)
		}
		x := random(t, rand.New(rand.NewPCG(1, 1)), 2, 3)
		results := make(chan error, 3)
		run := func(ctx context.Context) {
			_, err := s.Run(ctx, x)
			results <- err
		}
		go run(context.Background())
		go run(context.Background())
		<-inside
		<-inside
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		run(ctx)
		if err := <-results; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a third run: %v", err)
		}
		if got, want := s.Memory(), 2*s.plans.All()[0].runBytes(1); got != want {
			t.Errorf("%d bytes for two runs, want %d", got, want)
		}
		go run(context.Background())
		synctest.Wait()
		closed := make(chan bool)
		go func() {
			s.Close()
			close(closed)
		}()
		if err := <-results; !errors.Is(err, ErrClosed) {
			t.Errorf("one who waits while the session closes: %v", err)
		}
		close(goOn)
		for range 2 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		<-closed
	})
}

// Runs with states of their own do not know of each other; those without share the session's.
func TestSessionStates(t *testing.T) {
	s := compile(t, NewOpen([]string{"x"}, counting{}), Options{Threads: 1, MaxRuns: 1})
	one := mustTensor(t, []float32{1, 1})
	sum := func(run func(context.Context, ...*tensor.Tensor) ([]*tensor.Tensor, error)) float32 {
		t.Helper()
		out, err := run(context.Background(), one)
		if err != nil {
			t.Fatal(err)
		}
		return out[0].Float32s()[0]
	}
	a, b := s.NewState(), s.NewState()
	for i := range 3 {
		for name, run := range map[string]func(context.Context, ...*tensor.Tensor) ([]*tensor.Tensor, error){"a": a.Run, "b": b.Run, "session": s.Run} {
			if got := sum(run); got != float32(i+1) {
				t.Errorf("run %d of %s gives %v", i, name, got)
			}
		}
	}
	a.Reset()
	out := []*tensor.Tensor{mustTensor(t, []float32{0, 0})}
	if err := a.RunInto(context.Background(), out, []*tensor.Tensor{one}); err != nil || out[0].Float32s()[0] != 1 {
		t.Errorf("after Reset: %v, %v", out[0], err)
	}
	if got := sum(b.Run); got != 4 {
		t.Errorf("the other state gives %v", got)
	}
	s.Reset()
	if got := sum(s.Run); got != 1 {
		t.Errorf("the session's state gives %v after Reset", got)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			k := s.NewState()
			for i := range 20 {
				out, err := k.Run(context.Background(), one)
				if err != nil || out[0].Float32s()[0] != float32(i+1) {
					t.Errorf("run %d: %v, %v", i, out, err)
				}
			}
		})
	}
	wait.Wait()
}

// Who waits for a state gives up with its context, and holds no place of a run.
func TestStateWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var block atomic.Bool
		inside, goOn := make(chan bool), make(chan bool)
		s, err := NewOpen([]string{"x"}, counting{}).Compile(Options{Threads: 1, MaxRuns: 2, Trace: func(StepTrace) {
			if block.CompareAndSwap(true, false) {
				inside <- true
				<-goOn
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		one := mustTensor(t, []float32{1, 1})
		if _, err := s.Run(context.Background(), one); err != nil {
			t.Fatal(err)
		}
		block.Store(true)
		result := make(chan error)
		go func() {
			_, err := s.Run(context.Background(), one)
			result <- err
		}()
		<-inside
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		go func() {
			_, err := s.Run(ctx, one)
			result <- err
		}()
		synctest.Wait()
		if _, err := s.NewState().Run(context.Background(), one); err != nil {
			t.Errorf("another state: %v", err)
		}
		if err := <-result; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("one who waits for the state: %v", err)
		}
		close(goOn)
		if err := <-result; err != nil {
			t.Error(err)
		}
	})
}

// Plans are kept by the bytes that they and what runs left take.
func TestMaxPlanMemory(t *testing.T) {
	const limit = 1 << 20
	s := compile(t, convNet(t), Options{Threads: 1, MaxPlanMemory: limit})
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 40 {
		if _, err := s.Run(context.Background(), random(t, r, 1+i%20, 3, 16, 16)); err != nil {
			t.Fatal(err)
		}
		var sum, left int64
		for _, p := range s.plans.All() {
			sum += p.bytes()
		}
		for _, m := range s.free {
			left += m.bytes
		}
		sum += left
		if sum != s.kept || left != s.Memory() || (sum > limit && s.plans.Len() > 1) {
			t.Fatalf("run %d: %d plans of %d bytes, counted as %d; runs left %d, counted as %d", i, s.plans.Len(), sum, s.kept, left, s.Memory())
		}
	}
	if s.plans.Len() < 2 {
		t.Error("one plan is kept where more fit")
	}
	s.Trim()
	if s.Memory() != 0 {
		t.Errorf("%d bytes after Trim", s.Memory())
	}
}

// Runs of different shapes take turns in one arena, and runs at a time have one each.
func TestShapesShareArena(t *testing.T) {
	s := compile(t, convNet(t), Options{Threads: 1})
	r := rand.New(rand.NewPCG(1, 1))
	most := int64(0)
	for i := range 60 {
		if _, err := s.Run(context.Background(), random(t, r, 1+i*7%20, 3, 16, 16)); err != nil {
			t.Fatal(err)
		}
		most = max(most, int64(s.plans.All()[0].arena))
		states := int64(0)
		for p := range s.free[0].states {
			states += p.stateBytes()
		}
		if len(s.free) != 1 || s.Memory()-states > most+most/2+workerBytes(s.plans.All()[0].workerScratch, 0)*2 {
			t.Fatalf("run %d: %d arenas with %d bytes, where a run takes at most %d", i, len(s.free), s.Memory(), most)
		}
	}
	if n := len(s.free[0].states); n != 20 {
		t.Errorf("%d of 20 shapes have a state", n)
	}
}

// Sessions share a pool, which outlives them, and Threads bounds what one run uses of it.
func TestSharedPool(t *testing.T) {
	pool := ops.NewPool(3)
	defer pool.Close()
	x := random(t, rand.New(rand.NewPCG(1, 1)), 4, 3, 8, 8)
	var want []byte
	for _, threads := range []int{0, 1, 2, 8} {
		s, err := convNet(t).Compile(Options{Pool: pool, Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		if n := s.Threads(); n != 3 && n != threads {
			t.Errorf("%d threads of %d", n, threads)
		}
		out := runOne(t, s, x)
		if want == nil {
			want = out.Bytes()
		} else if !bytes.Equal(out.Bytes(), want) {
			t.Errorf("other bits with %d threads", threads)
		}
		s.Close()
	}
}

// What If and Loop made for a run goes when the memory of the run goes, evicted or trimmed.
func TestControlMemoryIsOfTheRun(t *testing.T) {
	s := compile(t, doubling(t, 100), Options{Threads: 1})
	runOne(t, s, tensor.Scalar(int64(3)), vector(t, 1, 2))
	kept := 0
	calls := s.free[0].states[s.plans.All()[0]].calls
	for i := range calls {
		if calls[i].Kept != nil {
			kept++
		}
	}
	if kept != 1 {
		t.Errorf("%d calls keep something, want the loop's", kept)
	}
}

// Shapes that operators refuse are errors of the input that has them.
func TestUnfitInputs(t *testing.T) {
	g := New()
	a, b, c := g.Input("a", tensor.Float32, 2, 3), g.Input("b", tensor.Float32, 3), g.Input("c", tensor.Float32, 2)
	g.SetOutputs(add(t, g, "sum", ops.Binary{Fn: ops.Add}, a, b), add(t, g, "", ops.Unary{Fn: ops.Neg}, c))
	s := compile(t, g, Options{Threads: 1})
	for _, q := range []struct {
		a, b, c *tensor.Tensor
		index   int
		name    string
	}{
		{ones(t, 2, 4), numbers(3), numbers(2), 0, "a"},
		{ones(t, 2, 3), numbers(4), numbers(9), 1, "b"},
		{ones(t, 2, 5), numbers(4), numbers(2), -1, ""},
	} {
		_, err := s.Run(context.Background(), q.a, q.b, q.c)
		var ie *InputError
		var ne *NodeError
		if !errors.As(err, &ie) || ie.Index != q.index || ie.Name != q.name || ie.Want == "" || ie.Got == "" || !errors.As(err, &ne) {
			t.Errorf("%v, %v: %#v", q.a, q.b, err)
		}
	}
}

func ones(t *testing.T, shape ...int) *tensor.Tensor {
	return random(t, rand.New(rand.NewPCG(1, 1)), shape...)
}
