package ops

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func poolCall(p *Pool) *Call { return &Call{Pool: p, Workers: make([]Worker, p.Threads())} }

// TestPoolRunsEachTaskOnce runs calls of many goroutines on one pool.
func TestPoolRunsEachTaskOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 8} {
		p := NewPool(threads)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				c := poolCall(p)
				for n := range 200 {
					counts := make([]atomic.Int32, n)
					c.Parallel(n, func(_ *Call, i int, _ *Worker) { counts[i].Add(1) })
					for i := range counts {
						if got := counts[i].Load(); got != 1 {
							t.Errorf("%d threads: task %d of %d ran %d times", threads, i, n, got)
							return
						}
					}
				}
			})
		}
		wg.Wait()
		p.Close()
	}
}

// TestPoolUsesWorkers checks that a task that waits for another one is not left alone.
func TestPoolUsesWorkers(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	for _, pause := range []time.Duration{0, 4 * spinTime} { // watching, asleep
		time.Sleep(pause)
		var met atomic.Int32
		poolCall(p).Parallel(2, func(*Call, int, *Worker) {
			met.Add(1)
			for met.Load() < 2 {
				runtime.Gosched()
			}
		})
	}
}

// TestPoolSleeps checks that the workers of an idle pool do.
func TestPoolSleeps(t *testing.T) {
	p := NewPool(4)
	defer p.Close()
	poolCall(p).Parallel(8, func(*Call, int, *Worker) {})
	for { // until the tests as a whole are given up
		p.mu.Lock()
		asleep := p.sleepers
		p.mu.Unlock()
		if asleep == 3 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// TestPoolClose checks that workers end, and that calls still work.
func TestPoolClose(t *testing.T) {
	before := runtime.NumGoroutine()
	p := NewPool(8)
	p.Close()
	var ran atomic.Int32
	poolCall(p).Parallel(3, func(*Call, int, *Worker) { ran.Add(1) })
	if n := ran.Load(); n != 3 {
		t.Errorf("%d tasks of 3 ran", n)
	}
	for runtime.NumGoroutine() > before {
		time.Sleep(time.Millisecond)
	}
}

// BenchmarkPool measures what handing out tasks costs while workers watch.
func BenchmarkPool(b *testing.B) {
	p := NewPool(2)
	defer p.Close()
	c := poolCall(p)
	task := func(*Call, int, *Worker) {}
	b.ReportAllocs()
	for b.Loop() {
		c.Parallel(2, task)
	}
}

// A task that panics, in the caller or in a worker, panics in the caller once nobody works on
// the call any more, and leaves the pool usable.
func TestPoolPanics(t *testing.T) {
	pool := NewPool(4)
	defer pool.Close()
	for round := range 50 {
		c := &Call{Pool: pool, Workers: make([]Worker, 4)}
		var working atomic.Int64
		func() {
			defer func() {
				if v := recover(); v != "task" || working.Load() != 0 {
					t.Errorf("round %d: recovered %v with %d tasks at work", round, v, working.Load())
				}
			}()
			c.Parallel(64, func(_ *Call, i int, _ *Worker) {
				working.Add(1)
				defer working.Add(-1)
				if i == round {
					panic("task")
				}
			})
		}()
		n := atomic.Int64{}
		c.Parallel(64, func(*Call, int, *Worker) { n.Add(1) })
		if n.Load() != 64 {
			t.Errorf("%d tasks after a panic", n.Load())
		}
	}
}

// TestPoolWakesCaller lets workers finish about when a caller that watched for them falls asleep: neither may miss the other.
func TestPoolWakesCaller(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	c := poolCall(p)
	busy := func(d time.Duration, done func() bool) {
		for start := time.Now(); time.Since(start) < d && !done(); {
		}
	}
	for n := range 3000 {
		length := spinTime/2 + time.Duration(n%100)*time.Microsecond
		var helped atomic.Bool
		c.Parallel(2, func(c *Call, _ int, w *Worker) {
			if w == &c.Workers[0] {
				busy(200*time.Microsecond, helped.Load)
				return
			}
			helped.Store(true)
			busy(length, func() bool { return false })
		})
	}
}
