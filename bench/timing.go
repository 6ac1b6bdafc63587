package bench

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// TimeOptions say how long to measure, and how many runs at a time.
type TimeOptions struct {
	Runs     int           // measured runs; 0: as many as fit into Duration
	Duration time.Duration // where Runs is 0; 0: about two seconds, and 10 to 1000 runs
	Warmup   int           // least runs of each client before, which are not counted; 0: three, or what takes 300 ms
	Clients  int           // runs at a time, of one session; 0: one
}

// Timing is what a number of runs took.
type Timing struct {
	Runs                       int
	Min, Median, P90, P99, Max time.Duration   // of one run, as its caller sees it
	Elapsed                    time.Duration   // of all runs
	AllocsPerRun               int             // heap allocations, rounded down
	Times                      []time.Duration // of each run, in order, one client's after another's
}

// PerSecond is how many runs ended in a second.
func (t Timing) PerSecond() float64 {
	if t.Elapsed <= 0 {
		return 0
	}
	return float64(t.Runs) / t.Elapsed.Seconds()
}

// The number of runs where none is asked for: as many as fit in autoTime, within bounds.
const (
	autoTime = 2 * time.Second
	minRuns  = 10
	maxRuns  = 1000
	// warmUp bounds the runs that are not counted: caches fill and the clock rises.
	warmUp     = 300 * time.Millisecond
	warmUpRuns = 3
	maxRoom    = 1 << 20 // times that there is room for before the first
)

// Time runs the session on the inputs: first until it is warm, then as the options say. Each client waits for its run to end
// before it begins the next, and has outputs of its own.
func Time(ctx context.Context, s *graph.Session, inputs []*tensor.Tensor, o TimeOptions) (Timing, error) {
	clients := make([]func() error, max(o.Clients, 1))
	for i := range clients {
		outputs, err := s.Run(ctx, inputs...)
		if err != nil {
			return Timing{}, err
		}
		clients[i] = func() error { return s.RunInto(ctx, outputs, inputs) }
	}
	return o.time(clients)
}

// time measures the runs of clients.
func (o TimeOptions) time(clients []func() error) (Timing, error) {
	var last atomic.Int64 // what a run of any client took, in nanoseconds
	if err := together(clients, func(_ int, run func() error) error {
		took, err := o.warmUp(run)
		last.Store(int64(took))
		return err
	}); err != nil {
		return Timing{}, err
	}
	count := o.Runs
	if count <= 0 && o.Duration <= 0 {
		count = min(max(int(autoTime/time.Duration(max(last.Load(), 1)))*len(clients), minRuns), maxRuns)
	}
	m := measured{count: count, duration: o.Duration, times: make([][]time.Duration, len(clients))}
	for i := range m.times {
		// Room for all, so that what is counted is not the measurement's own: of a duration as many as it can be.
		m.times[i] = make([]time.Duration, 0, min(max(count, int(2*o.Duration/time.Duration(max(last.Load(), 1)))), maxRoom))
	}
	runtime.GC()
	if err := clients[0](); err != nil { // the collection has emptied the runtime's own caches
		return Timing{}, err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m.start = time.Now()
	if err := together(clients, m.client); err != nil {
		return Timing{}, err
	}
	elapsed := time.Since(m.start)
	times := slices.Concat(m.times...)
	// The runtime itself allocates now and then, which few runs would be blamed for.
	counted := len(times)
	for ; counted < minRuns; counted++ {
		if err := clients[0](); err != nil {
			return Timing{}, err
		}
	}
	runtime.ReadMemStats(&after)
	sorted := slices.Sorted(slices.Values(times))
	return Timing{
		Runs:         len(times),
		Min:          sorted[0],
		Median:       quantile(sorted, 0.5),
		P90:          quantile(sorted, 0.9),
		P99:          quantile(sorted, 0.99),
		Max:          sorted[len(sorted)-1],
		Elapsed:      elapsed,
		Times:        times,
		AllocsPerRun: int((after.Mallocs - before.Mallocs) / uint64(counted)),
	}, nil
}

// warmUp runs until caches are full and the clock has risen, and returns what the last run took.
func (o TimeOptions) warmUp(run func() error) (last time.Duration, err error) {
	least := max(o.Warmup, 1)
	if o.Warmup == 0 {
		least = warmUpRuns
	}
	for i, begin := 0, time.Now(); i < least || o.Warmup == 0 && time.Since(begin) < warmUp; i++ {
		start := time.Now()
		if err := run(); err != nil {
			return 0, err
		}
		last = time.Since(start)
		if i+1 >= least && last > warmUp {
			break
		}
	}
	return last, nil
}

// measured are the runs that count.
type measured struct {
	count    int // of all clients; 0: until duration has passed since start
	duration time.Duration
	start    time.Time
	begun    atomic.Int64
	times    [][]time.Duration // of each client
}

// client runs until there are enough, at least once.
func (m *measured) client(i int, run func() error) error {
	for n := 0; m.count > 0 && m.begun.Add(1) <= int64(m.count) || m.count <= 0 && (n == 0 || time.Since(m.start) < m.duration); n++ {
		start := time.Now()
		if err := run(); err != nil {
			return err
		}
		m.times[i] = append(m.times[i], time.Since(start))
	}
	return nil
}

// together calls do for all clients at the same time and returns the first error. One client runs on the goroutine of the caller.
func together(clients []func() error, do func(i int, run func() error) error) error {
	if len(clients) == 1 {
		return do(0, clients[0])
	}
	var wait sync.WaitGroup
	errs := make([]error, len(clients))
	for i, run := range clients {
		wait.Go(func() { errs[i] = do(i, run) })
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// quantile interpolates between the two nearest of the sorted times.
func quantile(sorted []time.Duration, q float64) time.Duration {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + time.Duration((at-float64(i))*float64(sorted[i+1]-sorted[i]))
}
