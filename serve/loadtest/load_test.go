package loadtest

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestHistogram compares quantiles with those of sorted values.
func TestHistogram(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var all, a, b histogram
	var values []time.Duration
	for i := range 20000 {
		d := time.Duration(math.Exp(r.Float64() * 40)) // 1 ns to some 7 years
		values = append(values, d)
		all.add(d)
		[]*histogram{&a, &b}[i%2].add(d)
	}
	slices.Sort(values)
	a.merge(&b)
	for _, h := range []*histogram{&all, &a} {
		for _, q := range []float64{0, 0.001, 0.5, 0.9, 0.999, 1} {
			want := values[max(int(math.Ceil(q*float64(len(values)))), 1)-1]
			if have := h.quantile(q); have < want || float64(have) > float64(want)*(1+1./1024) {
				t.Errorf("quantile %v is %v, not %v", q, have, want)
			}
		}
		if h.min != values[0] || h.max != values[len(values)-1] || h.n != int64(len(values)) {
			t.Errorf("min %v, max %v of %d", h.min, h.max, h.n)
		}
	}
	for _, d := range []time.Duration{0, 1, 2047, 2048, 2049, math.MaxInt64} {
		if i := bin(d); upper(i) < d || i > 0 && upper(i-1) >= d {
			t.Errorf("%d is in bin %d, which ends at %d", d, i, upper(i))
		}
	}
	if (&histogram{}).latency() != (Latency{}) {
		t.Error("a histogram of nothing has a latency")
	}
}

// server answers so many requests at a time, each after some time.
type server struct {
	slots chan struct{}
	work  time.Duration
	most  atomic.Int64 // at the same time
	now   atomic.Int64
}

func (s *server) send(ctx context.Context, _ int) (string, error) {
	if n := s.now.Add(1); n > s.most.Load() {
		s.most.Store(n)
	}
	defer s.now.Add(-1)
	s.slots <- struct{}{}
	defer func() { <-s.slots }()
	time.Sleep(s.work)
	return "200", ctx.Err()
}

// TestClosedLoop has time that only passes where all wait: 2 at a time, 10 ms each.
func TestClosedLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{slots: make(chan struct{}, 2), work: 10 * time.Millisecond}
		r, err := Run(t.Context(), Load{Clients: 4, Duration: time.Second, Warmup: 3}, s.send)
		if err != nil {
			t.Fatal(err)
		}
		// Each of four clients waits for two others.
		if r.Loop != "closed" || r.Latency.P50 != 20*time.Millisecond || r.Latency.Max != 20*time.Millisecond || s.most.Load() != 4 {
			t.Errorf("%+v, %d at a time", r, s.most.Load())
		}
		if r.Throughput < 198 || r.Throughput > 202 || r.OK != r.Sent || r.Statuses["200"] != r.OK || r.Lag != nil {
			t.Errorf("%+v", r)
		}
		r, err = Run(t.Context(), Load{Clients: 3, Requests: 10}, s.send)
		if err != nil || r.Sent != 10 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// TestOpenLoop lets a server stall for a second. A closed loop would not see it; latency counts from when requests were due.
func TestOpenLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		stall := func(ctx context.Context, _ int) (string, error) {
			if at := time.Since(start); at > time.Second && at < 2*time.Second {
				time.Sleep(2*time.Second - at)
			}
			return "200", ctx.Err()
		}
		r, err := Run(t.Context(), Load{Rate: 1000, Duration: 4 * time.Second, MaxInFlight: 10, Seed: 1}, stall)
		if err != nil {
			t.Fatal(err)
		}
		if r.Loop != "open" || math.Abs(float64(r.Sent)-4000) > 200 {
			t.Errorf("%d sent of about 4000", r.Sent)
		}
		// A quarter of all were due while it stalled, though only ten could be sent: half of those waited half a second.
		if l := r.Latency; l.P50 != 0 || l.P90 < 500*time.Millisecond || l.P90 > 700*time.Millisecond || l.Max < 990*time.Millisecond {
			t.Errorf("latency %+v", l)
		}
		if r.Lag.Max < 980*time.Millisecond {
			t.Errorf("lag %+v", r.Lag)
		}
	})
}

// TestOpenLoopSeed compares the moments at which requests are due.
func TestOpenLoopSeed(t *testing.T) {
	moments := func(seed uint64) (all []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			var mu sync.Mutex
			_, err := Run(t.Context(), Load{Rate: 50, Requests: 200, Seed: seed}, func(context.Context, int) (string, error) {
				mu.Lock()
				defer mu.Unlock()
				all = append(all, time.Since(start))
				return "200", nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		return all
	}
	a := moments(1)
	if !slices.Equal(a, moments(1)) || slices.Equal(a, moments(2)) {
		t.Error("the moments do not depend on the seed alone")
	}
	var gaps, squares float64
	for i := range a[1:] {
		g := (a[i+1] - a[i]).Seconds()
		gaps, squares = gaps+g, squares+g*g
	}
	n := float64(len(a) - 1)
	mean := gaps / n
	// Of gaps between moments of a Poisson process, deviation and mean are the same.
	if deviation := math.Sqrt(squares/n - mean*mean); math.Abs(mean*50-1) > 0.2 || math.Abs(deviation/mean-1) > 0.2 {
		t.Errorf("gaps have mean %v and deviation %v", mean, deviation)
	}
}

func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("the queue is full")
		r, err := Run(t.Context(), Load{Clients: 2, Requests: 10}, func(_ context.Context, i int) (string, error) {
			time.Sleep(time.Millisecond)
			if i%2 == 1 {
				return "429", full
			}
			return "200", nil
		})
		if err != nil || r.OK != 5 || r.Statuses["429"] != 5 || r.Errors["429"] != full.Error() || r.Failed == nil || r.Failed.Max != time.Millisecond {
			t.Errorf("%+v, %v", r, err)
		}
		var table strings.Builder
		if err := r.WriteTable(&table); err != nil || !strings.Contains(table.String(), "200: 5, 429: 5") || !strings.Contains(table.String(), "failed") {
			t.Errorf("%s, %v", table.String(), err)
		}
		_, err = Run(t.Context(), Load{Clients: 1, Requests: 1, Warmup: 2}, func(context.Context, int) (string, error) { return "429", full })
		if !errors.Is(err, full) {
			t.Errorf("a warm-up that fails: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for _, l := range []Load{{Clients: 3, Duration: time.Hour}, {Rate: 5, Duration: time.Hour}, {Rate: 5, Duration: time.Hour, MaxInFlight: 1}} {
			_, err := Run(ctx, l, func(ctx context.Context, _ int) (string, error) { <-ctx.Done(); return "timeout", ctx.Err() })
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%+v: %v", l, err)
			}
		}
	})
	for _, l := range []Load{{}, {Clients: 1}, {Clients: 1, Rate: 1, Requests: 1}, {Rate: -1, Requests: 1}, {Rate: math.NaN(), Requests: 1}, {Rate: math.Inf(1), Requests: 1}, {Clients: 1, Requests: -1}} {
		var option *OptionError
		if err := l.Validate(); !errors.As(err, &option) {
			t.Errorf("%+v: %v", l, err)
		}
	}
}
