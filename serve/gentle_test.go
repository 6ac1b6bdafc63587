package serve

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// slow adds its scale, and takes a millisecond for any number of samples.
type slow struct {
	scale float32 // not a part of dumps, as the values of weights are not
	runs  *atomic.Int64
}

func (slow) Name() string                            { return "slow" }
func (slow) Infer(in []ops.Type) ([]ops.Type, error) { return in[:1], nil }

func (op slow) Prepare(*ops.Prepare) (*ops.Kernel, error) {
	return &ops.Kernel{Run: func(c *ops.Call) error {
		op.runs.Add(1)
		time.Sleep(time.Millisecond)
		x, y := c.In[0].Float32s(), c.Out[0].Float32s()
		for i := range x {
			y[i] = x[i] + op.scale
		}
		return nil
	}}, nil
}

// slowModel is a model of so many of them, one after the other.
func slowModel(t testing.TB, nodes int, op slow) *graph.Graph {
	t.Helper()
	g := graph.New()
	x := g.Input("x", tensor.Float32, 1, 3)
	for range nodes {
		var err error
		if x, err = g.Add1(graph.Scope{}, op, x); err != nil {
			t.Fatal(err)
		}
	}
	g.SetOutputs(x)
	return g
}

// bubbleServer returns a server of one thread for synctest, in which workers that watch for tasks would let no time pass.
func bubbleServer(t *testing.T, opts Options) *Server {
	t.Helper()
	opts.Threads = 1
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A load works all the time while no requests come, and else an eighth of it.
func TestLoadPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubbleServer(t, Options{Batch: BatchOff})
		defer s.Close()
		if err := s.Load(t.Context(), "m", Graph(slowModel(t, 1, slow{runs: new(atomic.Int64)}))); err != nil {
			t.Fatal(err)
		}
		d, err := s.find("m", "")
		if err != nil {
			t.Fatal(err)
		}
		const parts = 100
		for _, busy := range []bool{false, true} {
			if busy {
				if err := s.admission.enter(d, 1, 1); err != nil {
					t.Fatal(err)
				}
			}
			g, start := s.gently(t.Context()), time.Now()
			for range parts {
				time.Sleep(time.Millisecond)
				if err := g.Err(); err != nil {
					t.Fatal(err)
				}
			}
			want := parts * time.Millisecond
			if busy {
				want *= 1 + loadPause
			}
			if took := time.Since(start); took != want {
				t.Errorf("busy %v: %d ms of work took %v, want %v", busy, parts, took, want)
			}
		}
		s.admission.leave(d, 1)

		// The pause ends with the context.
		ctx, cancel := context.WithCancel(t.Context())
		g := s.gently(ctx)
		if err := s.admission.enter(d, 1, 1); err != nil {
			t.Fatal(err)
		}
		defer s.admission.leave(d, 1)
		time.AfterFunc(time.Hour+time.Second, cancel)
		time.Sleep(time.Hour)
		if start := time.Now(); g.Err() == nil || time.Since(start) != time.Second {
			t.Errorf("a pause of %v, whose context ended after 1s", time.Since(start))
		}
	})
}

// While a model is loaded whose run takes 20 ms, no request waits longer for the one place to run than a node takes.
func TestRequestsBesideLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubbleServer(t, Options{})
		defer s.Close()
		if err := s.Load(t.Context(), "m", Graph(slowModel(t, 1, slow{runs: new(atomic.Int64)}))); err != nil {
			t.Fatal(err)
		}
		d, err := s.find("m", "")
		if err != nil {
			t.Fatal(err)
		}
		loaded := make(chan error)
		runs := new(atomic.Int64)
		go func() { loaded <- s.Load(t.Context(), "large", Graph(slowModel(t, 20, slow{runs: runs}))) }()
		requests, longest := 0, time.Duration(0)
		for {
			time.Sleep(500 * time.Microsecond)
			if err := s.admission.enter(d, 1, 1); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			j := &job{wake: make(chan struct{}, 1), queue: &d.queue, instance: d.current.Load(), ctx: t.Context()}
			if err := s.scheduler.enter(j); err != nil {
				t.Fatal(err)
			}
			longest = max(longest, time.Since(start))
			requests++
			time.Sleep(100 * time.Microsecond)
			s.scheduler.leave(j, 100*time.Microsecond)
			s.admission.leave(d, 1)
			select {
			case err := <-loaded:
				// A run that is measured is not divided before it has taken as long as a short one.
				if err != nil || longest > shortRun+time.Millisecond || requests < 100 || runs.Load() < 20*minMeasuredRuns {
					t.Errorf("%d requests waited for at most %v beside %d nodes, error %v", requests, longest, runs.Load(), err)
				}
				if i := s.models["large"].versions[0].current.Load(); i.warm != 20*time.Millisecond {
					t.Errorf("a run was measured to take %v, without its pauses it is 20ms", i.warm)
				}
				return
			default:
			}
		}
	})
}

// Time and batches are measured once for all loads of the same graph; its bits are compared at each.
func TestMeasuredOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubbleServer(t, Options{})
		defer s.Close()
		runs := new(atomic.Int64)
		loadRuns := func(nodes int, op slow) int64 {
			op.runs = runs
			before := runs.Load()
			if err := s.Load(t.Context(), "m", Graph(slowModel(t, nodes, op))); err != nil {
				t.Fatal(err)
			}
			return (runs.Load() - before) / int64(nodes)
		}
		first := loadRuns(1, slow{})
		table := s.models["m"].versions[0].current.Load().batch
		bits := int64(1)
		for _, size := range table.sizes {
			bits += 1 + int64(size)
		}
		if len(table.sizes) < 3 || first < 2*bits-int64(table.most()) {
			t.Errorf("sizes %v, after %d runs", table.sizes, first)
		}
		if again := loadRuns(1, slow{scale: 3}); again != bits {
			t.Errorf("%d runs for the same graph with other weights, want %d, which compare bits", again, bits)
		}
		if now := s.models["m"].versions[0].current.Load().batch; now.reason != table.reason {
			t.Errorf("batching %q after %q", now.reason, table.reason)
		}
		if other := loadRuns(2, slow{}); other <= bits {
			t.Errorf("%d runs for another graph", other)
		}
	})
}

// TestUnchanged reloads files that have changed, and no others.
func TestUnchanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	save := func(out int, at time.Time) {
		t.Helper()
		if err := loader.Save(path, linearModel(t, 8, out)); err != nil {
			t.Fatal(err)
		}
		setTime(t, path, at)
	}
	hour := time.Now().Add(-time.Hour)
	events := &recorder{}
	s := newServer(t, Options{Observer: events, Batch: BatchOff})
	check := func(what string, loads bool, do func(context.Context) error) {
		t.Helper()
		before, n := s.models["m"].versions[0].current.Load(), len(events.loads)
		if err := do(t.Context()); err != nil {
			t.Fatal(err)
		}
		if now := s.models["m"].versions[0].current.Load(); (now != before) != loads || now == nil {
			t.Errorf("%s: loaded %v", what, now != before)
		}
		if len(events.loads) != n+1 || events.loads[n].Unchanged == loads {
			t.Errorf("%s: events %+v", what, events.loads[n:])
		}
	}
	control := func(ctx context.Context) error { return s.LoadModel(ctx, "m") }
	if err := s.Configure(Configured{Name: "m", Source: File(path)}); err != nil {
		t.Fatal(err)
	}
	save(3, hour)
	check("the first load", true, s.Reload)
	check("the same file", false, s.Reload)
	check("the same file, by its name", false, control)
	check("Load", true, func(ctx context.Context) error { return s.Load(ctx, "m", File(path)) })
	save(3, hour.Add(time.Second))
	check("a newer file", true, control)
	if err := s.Configure(Configured{Name: "m", Source: Source{Path: path, Warm: []*tensor.Tensor{fromSlice(t, make([]float32, 8), 1, 8)}}}); err != nil {
		t.Fatal(err)
	}
	check("another example", true, s.Reload)
	check("the same example", false, s.Reload)
	if err := s.UnloadModel(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	check("after it was unloaded", true, control)
	setTime(t, path, time.Now())
	check("a file of this moment", true, s.Reload)
	check("a file that was written at the moment it was loaded", true, s.Reload)
}

func setTime(t *testing.T, path string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}
