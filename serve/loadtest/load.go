package loadtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Target sends request number i, counted from 0, and returns the status of its answer, and an error unless that is a
// success. It may be called from any number of goroutines.
type Target func(ctx context.Context, i int) (status string, err error)

// Load says what to send. Exactly one of Clients and Rate is set, and Duration, Requests or both.
type Load struct {
	// Clients of a closed loop each send their next request when the one before is answered.
	Clients int
	// Rate of an open loop is the mean number of requests per second. They are due at moments of a Poisson process, which are
	// the same for the same Seed.
	Rate float64
	Seed uint64
	// MaxInFlight bounds the requests of an open loop that wait for an answer at the same time, 0 stands for 4096: one
	// that is due meanwhile is sent later, and its latency counts from when it was due.
	MaxInFlight int
	// Duration is how long requests are sent, Requests how many; 0 is no bound.
	Duration time.Duration
	Requests int
	// Warmup requests are sent first, one after another, and not counted.
	Warmup int
}

const defaultInFlight = 4096

// OptionError says which field of a Load cannot be.
type OptionError struct{ Reason string }

func (e *OptionError) Error() string { return "load: " + e.Reason }

// Validate returns an *OptionError unless the load can be run.
func (l Load) Validate() error {
	switch {
	case l.Clients < 0 || l.Rate < 0 || l.Duration < 0 || l.Requests < 0 || l.Warmup < 0 || l.MaxInFlight < 0 || l.Rate != l.Rate:
		return &OptionError{"no number and no time of it may be below 0"}
	case (l.Clients > 0) == (l.Rate > 0):
		return &OptionError{"either clients of a closed loop or the rate of an open one must be above 0"}
	case l.Duration == 0 && l.Requests == 0:
		return &OptionError{"a duration or a number of requests must be above 0"}
	case l.Rate > 1e6 || l.Clients > 1e6:
		return &OptionError{"more than a million"}
	}
	return nil
}

// Run sends the load to a target. It fails where the load cannot be run, where no warm-up request is answered with
// success, and at the end of ctx; failures of other requests are part of the result.
func Run(ctx context.Context, l Load, send Target) (*Result, error) {
	if err := l.Validate(); err != nil {
		return nil, err
	}
	if err := warmUp(ctx, l.Warmup, send); err != nil {
		return nil, err
	}
	r := &run{load: l, send: send, start: time.Now()}
	if l.Rate > 0 {
		r.open(ctx)
	} else {
		r.closed(ctx)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return r.result(), nil
}

// warmUp sends requests that do not count.
func warmUp(ctx context.Context, n int, send Target) error {
	var last error
	for i := range n {
		_, err := send(ctx, i)
		if err == nil {
			last = nil
		} else if i == 0 || last != nil {
			last = err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if last != nil {
		return fmt.Errorf("no request was answered with success: %w", last)
	}
	return nil
}

// run is a load in progress.
type run struct {
	load  Load
	send  Target
	start time.Time
	next  atomic.Int64 // number of the next request

	mu  sync.Mutex
	all tally
}

// tally is what some requests came to.
type tally struct {
	ok, failed, lag histogram
	statuses        map[string]int64
	errors          map[string]string
	last            time.Time // of the last answer
}

func (t *tally) count(status string, err error, latency time.Duration) {
	if t.statuses == nil {
		t.statuses, t.errors = make(map[string]int64), make(map[string]string)
	}
	t.statuses[status]++
	if err == nil {
		t.ok.add(latency)
		return
	}
	t.failed.add(latency)
	if _, known := t.errors[status]; !known {
		t.errors[status] = err.Error()
	}
}

func (t *tally) merge(o *tally) {
	t.ok.merge(&o.ok)
	t.failed.merge(&o.failed)
	if t.statuses == nil {
		t.statuses, t.errors = make(map[string]int64), make(map[string]string)
	}
	for status, n := range o.statuses {
		t.statuses[status] += n
	}
	for status, message := range o.errors {
		if _, known := t.errors[status]; !known {
			t.errors[status] = message
		}
	}
	if o.last.After(t.last) {
		t.last = o.last
	}
}

// closed runs the clients of a closed loop.
func (r *run) closed(ctx context.Context) {
	var clients sync.WaitGroup
	for range r.load.Clients {
		clients.Go(func() {
			var own tally
			for ctx.Err() == nil {
				began := time.Now()
				if r.load.Duration > 0 && began.Sub(r.start) >= r.load.Duration {
					break
				}
				i := r.next.Add(1) - 1
				if r.load.Requests > 0 && i >= int64(r.load.Requests) {
					break
				}
				status, err := r.send(ctx, int(i))
				own.last = time.Now()
				own.count(status, err, own.last.Sub(began))
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.all.merge(&own)
		})
	}
	clients.Wait()
}

// open sends the requests of an open loop when they are due.
func (r *run) open(ctx context.Context) {
	inFlight := r.load.MaxInFlight
	if inFlight == 0 {
		inFlight = defaultInFlight
	}
	slots := make(chan struct{}, inFlight)
	rng := rand.New(rand.NewPCG(r.load.Seed, 0))
	var requests sync.WaitGroup
	due := 0.0 // seconds since the start
	for i := 0; r.load.Requests == 0 || i < r.load.Requests; i++ {
		due += rng.ExpFloat64() / r.load.Rate
		at := time.Duration(due * float64(time.Second))
		if r.load.Duration > 0 && at >= r.load.Duration || !sleepUntil(ctx, r.start.Add(at)) {
			break
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		requests.Go(func() {
			defer func() { <-slots }()
			r.request(ctx, i, r.start.Add(at))
		})
	}
	requests.Wait()
}

// request sends a request that was due at a moment.
func (r *run) request(ctx context.Context, i int, due time.Time) {
	lag := time.Since(due)
	status, err := r.send(ctx, i)
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all.lag.add(lag)
	r.all.count(status, err, now.Sub(due))
	r.all.last = now
}

// sleepUntil waits for a moment, and reports whether it came before the end of ctx.
func sleepUntil(ctx context.Context, moment time.Time) bool {
	wait := time.Until(moment)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (r *run) result() *Result {
	all := &r.all
	out := &Result{
		Loop: "closed", Clients: r.load.Clients, Rate: r.load.Rate, Sent: all.ok.n + all.failed.n, OK: all.ok.n,
		Statuses: all.statuses, Errors: all.errors, Latency: all.ok.latency(),
	}
	if !all.last.IsZero() {
		out.Elapsed = all.last.Sub(r.start)
	}
	if r.load.Rate > 0 {
		out.Loop = "open"
		lag := all.lag.latency()
		out.Lag = &lag
		out.Elapsed = max(out.Elapsed, r.load.Duration)
	}
	if all.failed.n > 0 {
		failed := all.failed.latency()
		out.Failed = &failed
	}
	if out.Elapsed > 0 {
		out.Throughput = float64(out.OK) / out.Elapsed.Seconds()
	}
	return out
}
