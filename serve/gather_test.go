package serve

import (
	"runtime"
	"sync"
	"testing"
)

// TestGather sends requests at a time to a server that has one thread of Go, and nothing that runs: they are joined all the same, as those
// are that arrive while all threads run models.
func TestGather(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	g := newGate()
	s := newServer(t, Options{Threads: 1, Batch: 8})
	load(t, s, "m", g.model(t, 2))
	x := fromSlice(t, make([]float32, 2), 1, 2)
	infer := func() {
		if _, err := s.Infer(t.Context(), "m", x); err != nil {
			t.Error(err)
		}
	}
	before := g.runs.Load()
	infer()
	if n := g.runs.Load() - before; n != 1 {
		t.Errorf("a request alone: %d runs", n)
	}
	const rounds, clients = 20, 8
	before = g.runs.Load()
	for range rounds {
		var wg sync.WaitGroup
		for range clients {
			wg.Go(infer)
		}
		wg.Wait()
	}
	if n := g.runs.Load() - before; n > rounds*clients/2 {
		t.Errorf("%d runs for %d times %d requests", n, rounds, clients)
	}
}
