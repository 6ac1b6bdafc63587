package serve

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
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

// TestRefuseWhileBusy sends many requests at a time to a server that has one thread of Go. They are refused beyond the queue, and do not wait
// in the scheduler of Go for their turn to be admitted.
func TestRefuseWhileBusy(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	g := newGate()
	g.busy = 2 * time.Millisecond
	s := newServer(t, Options{Threads: 1, Batch: BatchOff, MaxQueue: 3})
	load(t, s, "m", g.model(t, 2))
	x := fromSlice(t, make([]float32, 2), 1, 2)
	const clients, places = 40, 1 + 3
	var answered, refused atomic.Int64
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			var e *Error
			switch _, err := s.Infer(t.Context(), "m", x); {
			case err == nil:
				answered.Add(1)
			case errors.As(err, &e) && e.Code == Exhausted:
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if answered.Load() < places || refused.Load() < clients/2 {
		t.Errorf("%d answered, %d refused of %d, with %d places", answered.Load(), refused.Load(), clients, places)
	}
}
