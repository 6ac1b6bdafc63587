package ops

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
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

// TestPoolUsesWorkers checks that a task that waits for another one is not left alone, whether the workers watch or sleep.
func TestPoolUsesWorkers(t *testing.T) {
	meet := func(p *Pool) {
		met := make(chan bool)
		poolCall(p).Parallel(2, func(_ *Call, i int, _ *Worker) {
			if i == 0 {
				met <- true
			} else {
				<-met
			}
		})
	}
	p := NewPool(2)
	defer p.Close()
	for range 100 {
		meet(p) // the worker watches, but for the first one
	}
	synctest.Test(t, func(t *testing.T) {
		p := newPool(2, 0)
		defer p.Close()
		for range 100 {
			synctest.Wait() // the worker sleeps
			meet(p)
		}
	})
}

// TestPoolSleeps checks that the workers of an idle pool do.
func TestPoolSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(4, 0)
		defer p.Close()
		poolCall(p).Parallel(8, func(*Call, int, *Worker) {})
		synctest.Wait()
		if p.sleepers != 3 || p.watchers != 0 {
			t.Errorf("%d workers sleep and %d watch, of 3", p.sleepers, p.watchers)
		}
	})
}

// TestPoolClose checks that calls still work; that workers end is what the bubble waits for.
func TestPoolClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(8, 0)
		p.Close()
		var ran atomic.Int32
		poolCall(p).Parallel(3, func(*Call, int, *Worker) { ran.Add(1) })
		if n := ran.Load(); n != 3 {
			t.Errorf("%d tasks of 3 ran", n)
		}
	})
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
