package bench

import (
	"context"
	"runtime"
	"slices"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// Timing is what a number of runs took.
type Timing struct {
	Runs             int
	Min, Median, P90 time.Duration
	AllocsPerRun     int             // heap allocations, rounded down
	Times            []time.Duration // of each run, in order
}

// The number of runs where none is asked for: as many as fit in autoTime, within bounds.
const (
	autoTime = 2 * time.Second
	minRuns  = 10
	maxRuns  = 1000
	// warmUp bounds the runs that are not counted: caches fill and the clock rises.
	warmUp     = 300 * time.Millisecond
	warmUpRuns = 3
)

// Time runs the session on the inputs: first until it is warm, then runs times,
// or about two seconds long when runs is 0.
func Time(ctx context.Context, s *graph.Session, inputs []*tensor.Tensor, runs int) (Timing, error) {
	outputs, err := s.Run(ctx, inputs...)
	if err != nil {
		return Timing{}, err
	}
	return timeRuns(runs, func() error { return s.RunInto(ctx, outputs, inputs) })
}

func timeRuns(runs int, run func() error) (Timing, error) {
	var last time.Duration
	for i, begin := 0, time.Now(); i < warmUpRuns || time.Since(begin) < warmUp; i++ {
		start := time.Now()
		if err := run(); err != nil {
			return Timing{}, err
		}
		last = time.Since(start)
		if i+1 >= warmUpRuns && last > warmUp {
			break
		}
	}
	if runs <= 0 {
		runs = min(max(int(autoTime/max(last, 1)), minRuns), maxRuns)
	}
	times := make([]time.Duration, runs)
	runtime.GC()
	if err := run(); err != nil { // the collection has emptied the runtime's own caches
		return Timing{}, err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range times {
		start := time.Now()
		if err := run(); err != nil {
			return Timing{}, err
		}
		times[i] = time.Since(start)
	}
	// The runtime itself allocates now and then, which few runs would be blamed for.
	counted := runs
	for ; counted < minRuns; counted++ {
		if err := run(); err != nil {
			return Timing{}, err
		}
	}
	runtime.ReadMemStats(&after)
	sorted := slices.Sorted(slices.Values(times))
	return Timing{
		Runs:         runs,
		Min:          sorted[0],
		Median:       quantile(sorted, 0.5),
		P90:          quantile(sorted, 0.9),
		Times:        times,
		AllocsPerRun: int((after.Mallocs - before.Mallocs) / uint64(counted)),
	}, nil
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
