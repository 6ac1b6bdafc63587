package serve

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// linearModel is x [n, in] times weights of small whole numbers.
func linearModel(t testing.TB, in, out int) *graph.Graph {
	t.Helper()
	g := graph.New()
	x := g.Input("x", tensor.Float32, 1, in)
	weights := make([]float32, in*out)
	for i := range weights {
		weights[i] = float32(i%7) - 3
	}
	w := g.Const("w", fromSlice(t, weights, out, in))
	y, err := g.Add1(graph.Scope{}, ops.Linear{}, x, w)
	if err != nil {
		t.Fatal(err)
	}
	g.SetOutputs(y)
	return g
}

func fromSlice[T tensor.Element](t testing.TB, values []T, shape ...int) *tensor.Tensor {
	t.Helper()
	x, err := tensor.FromSlice(values, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// newServer returns a server that the test closes, and after which no goroutine may be left.
func newServer(t testing.TB, opts Options) *Server {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() { until(t, func() bool { return runtime.NumGoroutine() <= before }) })
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func load(t testing.TB, s *Server, name string, g *graph.Graph) {
	t.Helper()
	if err := s.Load(context.Background(), name, Graph(g)); err != nil {
		t.Fatal(err)
	}
}

// TestInfer runs a model in process, from many goroutines, and holds the results to those of a session.
func TestInfer(t *testing.T) {
	g := linearModel(t, 8, 3)
	s := newServer(t, Options{Threads: 2, Batch: 8})
	load(t, s, "linear", g)
	session, err := g.Compile(graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	var wg sync.WaitGroup
	for k := range 20 {
		wg.Go(func() {
			x := fromSlice(t, []float32{1, 2, 3, 4, 5, 6, 7, float32(k)}, 1, 8)
			want, err := session.Run(t.Context(), x)
			if err != nil {
				t.Error(err)
				return
			}
			for range 20 {
				got, err := s.Infer(t.Context(), "linear", x)
				if err != nil || !bytes.Equal(got[0].Contiguous().Bytes(), want[0].Bytes()) {
					t.Errorf("request %d: error %v, or other bits", k, err)
				}
			}
		})
	}
	wg.Wait()
	stats, err := s.Stats("linear", "")
	if err != nil || stats.ModelStats[0].InferenceCount != 400 {
		t.Errorf("statistics %+v, error %v", stats, err)
	}
}

// TestInferErrors looks at the codes of what a caller does wrong.
func TestInferErrors(t *testing.T) {
	s := newServer(t, Options{Batch: 8})
	load(t, s, "linear", linearModel(t, 8, 3))
	if err := s.Configure(Configured{Name: "later", Source: File("missing")}); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	x := fromSlice(t, make([]float32, 8), 1, 8)
	for _, c := range []struct {
		ctx   context.Context
		model string
		x     *tensor.Tensor
		want  Code
	}{
		{t.Context(), "linear", x, OK},
		{t.Context(), "none", x, NotFound},
		{t.Context(), "later", x, Unavailable},
		{t.Context(), "linear", nil, InvalidArgument},
		{nil, "linear", x, InvalidArgument},
		{t.Context(), "linear", &tensor.Tensor{}, InvalidArgument},
		{t.Context(), "linear", tensor.Scalar(float32(1)), InvalidArgument},
		{t.Context(), "linear", fromSlice(t, make([]float32, 7), 1, 7), InvalidArgument},
		{t.Context(), "linear", fromSlice(t, make([]int64, 8), 1, 8), InvalidArgument},
		{ended, "linear", x, Canceled},
	} {
		if _, err := s.Infer(c.ctx, c.model, c.x); CodeOf(err) != c.want {
			t.Errorf("model %s, input %v: error %v, code %v, want %v", c.model, c.x, err, CodeOf(err), c.want)
		}
	}
	s.Close()
	var e *Error
	if _, err := s.Infer(t.Context(), "linear", x); !errors.As(err, &e) || e.Code != Unavailable {
		t.Errorf("after Close: error %v", err)
	}
}

// TestInferAllocates holds a request in process to the allocations of a run alone.
func TestInferAllocates(t *testing.T) {
	g := linearModel(t, 8, 3)
	s := newServer(t, Options{Threads: 1})
	load(t, s, "linear", g)
	session, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	x := fromSlice(t, make([]float32, 8), 1, 8)
	alone := testing.AllocsPerRun(200, func() {
		if _, err := session.Run(t.Context(), x); err != nil {
			t.Fatal(err)
		}
	})
	served := testing.AllocsPerRun(200, func() {
		if _, err := s.Infer(t.Context(), "linear", x); err != nil {
			t.Fatal(err)
		}
	})
	if served > alone {
		t.Errorf("a request allocates %v times, a run alone %v", served, alone)
	}
}

// TestOptionsBelowZero refuses numbers that stand for no default.
func TestOptionsBelowZero(t *testing.T) {
	for _, o := range []Options{{MaxQueue: -1}, {MaxBody: -1}, {MaxInflightBytes: -1}, {Timeout: -1}, {BodyTimeout: -1}, {Threads: -1}, {BatchDelay: -1}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v", o)
		}
	}
}
