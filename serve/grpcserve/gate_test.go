package grpcserve

import (
	"cmp"
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/grpcserve/pb"
	"github.com/octet-ml/octet/tensor"
)

// gate is the identity. Once it is shut its runs wait for the test.
type gate struct{ *gateState }

type gateState struct {
	mu      sync.Mutex
	shut    bool
	panics  bool
	entered chan struct{}
	goOn    chan struct{}
}

func newGate() gate {
	return gate{&gateState{entered: make(chan struct{}, 1000), goOn: make(chan struct{})}}
}

func (g gate) set(shut, panics bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut && !shut {
		close(g.goOn)
	}
	g.shut, g.panics = shut, panics
}

func (gate) Name() string                            { return "gate" }
func (gate) Infer(in []ops.Type) ([]ops.Type, error) { return in[:1], nil }

func (g gate) Prepare(*ops.Prepare) (*ops.Kernel, error) {
	return &ops.Kernel{Run: func(c *ops.Call) error {
		g.mu.Lock()
		shut, panics := g.shut, g.panics
		g.mu.Unlock()
		if panics {
			panic("gate")
		}
		if shut {
			g.entered <- struct{}{}
			select {
			case <-g.goOn:
			case <-c.Context.Done():
				return c.Context.Err()
			}
		}
		return c.Out[0].CopyFrom(c.In[0])
	}}, nil
}

// model returns a graph of the gate: x [n, 2].
func (g gate) model(t testing.TB, dtype tensor.DType) *graph.Graph {
	t.Helper()
	m := graph.New()
	y, err := m.Add1(graph.Scope{}, g, m.Input("x", dtype, 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	m.SetOutputs(y)
	return m
}

// recorder keeps what it is told of requests.
type recorder struct {
	serve.NoObserver
	mu     sync.Mutex
	events []serve.RequestEvent
}

func (r *recorder) Request(e serve.RequestEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *recorder) count(is func(serve.RequestEvent) bool) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if is(e) {
			n++
		}
	}
	return n
}

// until waits for what other goroutines bring about.
func until(condition func() bool) {
	for !condition() {
		time.Sleep(time.Millisecond)
	}
}

// start serves models over gRPC, at a port of the loopback interface, and returns a client.
func start(t testing.TB, opts serve.Options, models map[string]*graph.Graph) (*serve.Server, *Server, *grpc.ClientConn) {
	t.Helper()
	// On a machine that does other things a request may take long, which is not what is tested.
	opts.Timeout, opts.BodyTimeout = cmp.Or(opts.Timeout, 10*time.Minute), cmp.Or(opts.BodyTimeout, 10*time.Minute)
	s, err := serve.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	for name, g := range models {
		if err := s.Load(context.Background(), name, serve.Graph(g)); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := New(s, nil)
	done := make(chan error)
	go func() { done <- g.Serve(l) }()
	t.Cleanup(func() {
		if err := g.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return s, g, conn
}

// floats is a request for model m with contents.
func floats(values ...float32) *pb.ModelInferRequest {
	return &pb.ModelInferRequest{ModelName: "m", Inputs: []*pb.ModelInferRequest_InferInputTensor{
		{Name: "x", Datatype: "FP32", Shape: []int64{1, int64(len(values))}, Contents: &pb.InferTensorContents{Fp32Contents: values}},
	}}
}
