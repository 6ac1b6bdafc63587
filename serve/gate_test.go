package serve

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// gate is the identity, whose runs wait for the test once it is shut. Tests can so look at a server in the middle of its work.
type gate struct{ *gateState }

type gateState struct {
	mu      sync.Mutex
	shut    bool
	entered chan int // gets the samples of each run that has begun, while shut
	goOn    chan error
	runs    atomic.Int64
	panics  atomic.Bool
	busy    time.Duration // that a run computes at least
}

func newGate() gate {
	return gate{&gateState{entered: make(chan int, 1000), goOn: make(chan error)}}
}

func (g gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
}

// open lets all runs through, those that wait too.
func (g gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		g.shut = false
		close(g.goOn)
	}
}

func (gate) Name() string                            { return "gate" }
func (gate) Infer(in []ops.Type) ([]ops.Type, error) { return in[:1], nil }

func (g gate) Prepare(*ops.Prepare) (*ops.Kernel, error) {
	return &ops.Kernel{Run: func(c *ops.Call) error {
		g.runs.Add(1)
		for start := time.Now(); time.Since(start) < g.busy; {
		}
		if g.panics.Load() {
			panic("gate")
		}
		g.mu.Lock()
		shut := g.shut
		g.mu.Unlock()
		if shut {
			g.entered <- c.In[0].Dim(0)
			select {
			case err := <-g.goOn:
				if err != nil {
					return err
				}
			case <-c.Context.Done():
				return c.Context.Err()
			}
		}
		return c.Out[0].CopyFrom(c.In[0])
	}}, nil
}

// model returns a graph of the gate: x float32 [n, width].
func (g gate) model(t testing.TB, width int) *graph.Graph {
	t.Helper()
	m := graph.New()
	x := m.Input("x", tensor.Float32, 1, width)
	y, err := m.Add1(graph.Scope{}, g, x)
	if err != nil {
		t.Fatal(err)
	}
	m.SetOutputs(y)
	return m
}
