//go:build unix

package serve

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// threeLinears returns three layers of 2048 to 2048 in int8, whose weights do not fit the cache.
func threeLinears(b *testing.B) *graph.Graph {
	const width = 2048
	g := graph.New()
	x := g.Input("x", tensor.Float32, 1, width)
	random := rand.New(rand.NewPCG(1, 0))
	for _, name := range []string{"a", "b", "c"} {
		weights := make([]float32, width*width)
		for i := range weights {
			weights[i] = float32(random.NormFloat64()) / 64
		}
		var err error
		if x, err = g.Add1(graph.Scope{Path: name}, ops.Linear{}, x, g.Const(name, fromSlice(b, weights, width, width))); err != nil {
			b.Fatal(err)
		}
	}
	g.SetOutputs(x)
	g, err := quantize.New(quantize.Options{Dynamic: true}).Quantize(g)
	if err != nil {
		b.Fatal(err)
	}
	return g
}

// BenchmarkJoining measures 32 clients in process, whose requests are joined or not. samples/run is how many share a run.
func BenchmarkJoining(b *testing.B) {
	g := threeLinears(b)
	for _, c := range []struct {
		name  string
		batch Batching
	}{{"off", BatchOff}, {"auto", BatchAuto}} {
		b.Run(c.name, func(b *testing.B) {
			events := &runCounter{}
			s := newServer(b, Options{Batch: c.batch, Observer: events})
			load(b, s, "m", g)
			b.Log(s.ModelStatuses()[0].Batching)
			var next atomic.Int64
			var clients sync.WaitGroup
			start := cpuTime(b)
			b.ResetTimer()
			for range 32 {
				clients.Go(func() {
					x := fromSlice(b, make([]float32, 2048), 1, 2048)
					for next.Add(1) <= int64(b.N) {
						if _, err := s.Infer(b.Context(), "m", x); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			clients.Wait()
			b.ReportMetric(float64((cpuTime(b)-start).Microseconds())/float64(b.N), "cpu-us/op")
			b.ReportMetric(float64(b.N)/float64(events.runs.Load()), "samples/run")
		})
	}
}

// runCounter counts runs.
type runCounter struct {
	NoObserver
	runs atomic.Int64
}

func (r *runCounter) Run(RunEvent) { r.runs.Add(1) }
