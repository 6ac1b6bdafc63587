package serve

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/octet-ml/octet/tensor"
)

// recorder keeps what it is told.
type recorder struct {
	mu       sync.Mutex
	requests []RequestEvent
	runs     []RunEvent
	loads    []LoadEvent
}

func (r *recorder) Request(e RequestEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, e)
}
func (r *recorder) Run(e RunEvent)   { r.mu.Lock(); defer r.mu.Unlock(); r.runs = append(r.runs, e) }
func (r *recorder) Load(e LoadEvent) { r.mu.Lock(); defer r.mu.Unlock(); r.loads = append(r.loads, e) }

// count returns the requests for which a condition holds.
func (r *recorder) count(is func(RequestEvent) bool) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, e := range r.requests {
		if is(e) {
			n++
		}
	}
	return n
}

// until waits for a condition that other goroutines bring about; the tests as a whole are given up when they do not.
func until(t testing.TB, condition func() bool) {
	t.Helper()
	for !condition() {
		time.Sleep(time.Millisecond)
	}
}

// admitted returns the requests of a model that are admitted and that wait.
func admitted(s *Server) (all, queued int) {
	for _, m := range s.Gauges().Models {
		all, queued = all+m.Admitted, queued+m.Queued
	}
	return all, queued
}

// TestOverload sends more than a server may hold: what is held stays within the bounds, the rest is refused before its body is read.
func TestOverload(t *testing.T) {
	g := newGate()
	events := &recorder{}
	s := newServer(t, Options{Threads: 2, MaxQueue: 3, Observer: events, Batch: BatchOff})
	load(t, s, "m", g.model(t, 2))
	g.close()
	const held = 2 + 3
	var wg sync.WaitGroup
	var ok atomic.Int64
	x := fromSlice(t, make([]float32, 2), 1, 2)
	for range held {
		wg.Go(func() {
			if _, err := s.Infer(t.Context(), "m", x); err == nil {
				ok.Add(1)
			}
		})
	}
	until(t, func() bool { _, queued := admitted(s); return queued == 3 })
	h := s.Handler()
	for range 50 {
		body := &countingReader{r: strings.NewReader(`{"inputs":[` + xOf2 + `]}`)}
		status, text, header := ask(t, h, "POST", "/v2/models/m/infer", body, "Content-Length", "80")
		if status != 429 || header.Get("Retry-After") == "" || body.n != 0 {
			t.Errorf("got %d %s, Retry-After %q, after %d bytes of the body", status, text, header.Get("Retry-After"), body.n)
		}
	}
	if all, _ := admitted(s); all != held {
		t.Errorf("%d requests admitted, want %d", all, held)
	}
	g.open()
	wg.Wait()
	if ok.Load() != held {
		t.Errorf("%d of %d admitted requests succeeded", ok.Load(), held)
	}
	if n := events.count(func(e RequestEvent) bool { return e.Rejected == "queue" && e.Code == Exhausted }); n != 50 {
		t.Errorf("%d rejections observed", n)
	}
	if gauges := s.Gauges(); gauges.InflightBytes != 0 || gauges.Running != 0 || gauges.Models[0].Admitted != 0 {
		t.Errorf("after all: %+v", gauges)
	}
}

type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// TestBytes bounds the bytes of all requests.
func TestBytes(t *testing.T) {
	g := newGate()
	s := newServer(t, Options{Threads: 1, MaxInflightBytes: 1000, Batch: BatchOff})
	load(t, s, "m", g.model(t, 100))
	g.close()
	x := fromSlice(t, make([]float32, 100), 1, 100)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if _, err := s.Infer(t.Context(), "m", x); err != nil {
				t.Error(err)
			}
		})
	}
	until(t, func() bool { all, _ := admitted(s); return all == 2 })
	if _, err := s.Infer(t.Context(), "m", x); CodeOf(err) != Exhausted {
		t.Errorf("a third request of 400 bytes: error %v", err)
	}
	// Of a body whose size is not known the bytes are counted as they come.
	status, text, _ := ask(t, s.Handler(), "POST", "/v2/models/m/infer", io.MultiReader(strings.NewReader(`{"inputs":[`), strings.NewReader(strings.Repeat(" ", 500))))
	if status != 429 {
		t.Errorf("chunks: got %d %s", status, text)
	}
	if n := s.Gauges().InflightBytes; n != 800 {
		t.Errorf("%d bytes admitted, want 800", n)
	}
	g.open()
	wg.Wait()
	// Alone, a request that takes more than the bound is admitted.
	if _, err := s.Infer(t.Context(), "m", fromSlice(t, make([]float32, 300), 3, 100)); err != nil {
		t.Error(err)
	}
}

// TestCancel ends requests in the queue and within a run.
func TestCancel(t *testing.T) {
	g := newGate()
	events := &recorder{}
	s := newServer(t, Options{Threads: 1, Observer: events, Batch: BatchOff})
	load(t, s, "m", g.model(t, 2))
	g.close()
	runs := g.runs.Load()
	x := fromSlice(t, make([]float32, 2), 1, 2)
	infer := func() (cancel func(), done <-chan error) {
		ctx, cancel := context.WithCancel(t.Context())
		c := make(chan error, 1)
		go func() {
			_, err := s.Infer(ctx, "m", x)
			c <- err
		}()
		return cancel, c
	}
	stopFirst, first := infer()
	<-g.entered
	stopSecond, second := infer()
	until(t, func() bool { _, queued := admitted(s); return queued == 1 })
	stopSecond()
	if err := <-second; CodeOf(err) != Canceled {
		t.Errorf("in the queue: error %v", err)
	}
	stopFirst()
	if err := <-first; CodeOf(err) != Canceled {
		t.Errorf("in the run: error %v", err)
	}
	g.open()
	if _, err := s.Infer(t.Context(), "m", x); err != nil {
		t.Error(err)
	}
	if n := g.runs.Load() - runs; n != 2 {
		t.Errorf("%d runs, want 2: that of the request in the queue was none", n)
	}
	for _, where := range []string{"queue", "run"} {
		if n := events.count(func(e RequestEvent) bool { return e.Cancelled == where }); n != 1 {
			t.Errorf("%d requests cancelled in %s", n, where)
		}
	}
}

// TestDisconnect lets a client over a connection go while its request runs.
func TestDisconnect(t *testing.T) {
	g := newGate()
	events := &recorder{}
	s := newServer(t, Options{Threads: 1, Observer: events, Batch: BatchOff})
	load(t, s, "m", g.model(t, 2))
	g.close()
	web := httptest.NewServer(s.Handler())
	defer web.Close()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "POST", web.URL+"/v2/models/m/infer", strings.NewReader(`{"inputs":[`+xOf2+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-g.entered
		cancel()
	}()
	if answer, err := web.Client().Do(r); err == nil {
		answer.Body.Close()
		t.Error("an answer to a request that was given up")
	}
	until(t, func() bool {
		return events.count(func(e RequestEvent) bool { return e.Cancelled == "run" && e.Code == Canceled }) == 1
	})
	g.open()
}

// TestTimeout gives requests less time than they wait.
func TestTimeout(t *testing.T) {
	g := newGate()
	s := newServer(t, Options{Threads: 1, Batch: BatchOff})
	load(t, s, "m", g.model(t, 2))
	g.close()
	done := make(chan error)
	go func() {
		_, err := s.Infer(t.Context(), "m", fromSlice(t, make([]float32, 2), 1, 2))
		done <- err
	}()
	<-g.entered
	status, text, _ := ask(t, s.Handler(), "POST", "/v2/models/m/infer", strings.NewReader(`{"parameters":{"timeout":1000},"inputs":[`+xOf2+`]}`))
	if status != 504 || text != errorBody("the time for the request is over: that of the server, or its own") {
		t.Errorf("got %d %s", status, text)
	}
	g.open()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestJoin lets requests wait behind a run: they are joined, and each gets its own samples with the bits of a run alone.
func TestJoin(t *testing.T) {
	g := newGate()
	events := &recorder{}
	s := newServer(t, Options{Threads: 1, MaxQueue: 100, Batch: 8, Observer: events})
	load(t, s, "m", g.model(t, 2))
	g.close()
	ask := func(k int, samples int) (*tensor.Tensor, error) {
		x := fromSlice(t, make([]float32, 2*samples), samples, 2)
		for i := range x.Float32s() {
			x.Float32s()[i] = float32(100*k + i)
		}
		y, err := s.Infer(t.Context(), "m", x)
		if err == nil && !bytes.Equal(y[0].Contiguous().Bytes(), x.Bytes()) {
			err = fmt.Errorf("request %d got %v", k, y[0].Contiguous().Float32s())
		}
		return x, err
	}
	var wg sync.WaitGroup
	send := func(samples ...int) {
		all, before := admitted(s)
		idle := all == 0
		for k, n := range samples {
			wg.Go(func() {
				if _, err := ask(before+k, n); err != nil {
					t.Error(err)
				}
			})
			if before+k == 0 && idle {
				continue
			}
			until(t, func() bool { _, queued := admitted(s); return queued == before+k+1 })
		}
	}
	send(1)
	<-g.entered
	send(1, 2, 1, 3, 1, 9, 1, 1) // 1+2+1+3+1 = 8; 9 alone, which the others pass where they fit: 1+1
	g.goOn <- nil
	var sizes []int
	for range 3 {
		sizes = append(sizes, <-g.entered)
		g.goOn <- nil
	}
	g.open()
	wg.Wait()
	if fmt.Sprint(sizes) != "[8 9 2]" {
		t.Errorf("runs of %v samples, want [8 9 2]", sizes)
	}
	events.mu.Lock()
	defer events.mu.Unlock()
	if e := events.runs[1]; e.Requests != 5 || e.Samples != 8 {
		t.Errorf("the joined run is observed as %+v", e)
	}
}

// TestJoinedCancel ends one request of a joined run, then all of another.
func TestJoinedCancel(t *testing.T) {
	g := newGate()
	s := newServer(t, Options{Threads: 1, Batch: 4})
	load(t, s, "m", g.model(t, 2))
	g.close()
	x := fromSlice(t, make([]float32, 2), 1, 2)
	type request struct {
		cancel func()
		done   chan error
	}
	start := func(n int) []request {
		var list []request
		for range n {
			all, before := admitted(s)
			ctx, cancel := context.WithCancel(t.Context())
			r := request{cancel, make(chan error, 1)}
			go func() {
				_, err := s.Infer(ctx, "m", x)
				r.done <- err
			}()
			until(t, func() bool { now, queued := admitted(s); return queued == before+1 || all == 0 && now == 1 })
			list = append(list, r)
		}
		return list
	}
	first := start(1)
	<-g.entered
	four := start(4)
	g.goOn <- nil
	if n := <-g.entered; n != 4 {
		t.Fatalf("a run of %d samples", n)
	}
	four[2].cancel()
	if err := <-four[2].done; CodeOf(err) != Canceled {
		t.Errorf("error %v", err)
	}
	last := start(2)
	g.goOn <- nil
	for i, r := range append(first, four...) {
		if i != 3 {
			if err := <-r.done; err != nil {
				t.Errorf("request %d: %v", i, err)
			}
		}
	}
	if n := <-g.entered; n != 2 {
		t.Fatalf("a run of %d samples", n)
	}
	for _, r := range last { // the run ends with the second: nothing else lets it go on
		r.cancel()
	}
	for i, r := range last {
		if err := <-r.done; CodeOf(err) != Canceled {
			t.Errorf("request %d of the last run: error %v", i, err)
		}
	}
	g.open()
}

// TestJoinedFailure joins a request whose values the model refuses with others: it fails alone.
func TestJoinedFailure(t *testing.T) {
	g := newGate()
	s := newServer(t, Options{Threads: 1, Batch: 4})
	load(t, s, "m", g.model(t, 2))
	g.close()
	x := fromSlice(t, make([]float32, 2), 1, 2)
	done := make(chan error)
	for i := range 3 {
		_, before := admitted(s)
		go func() {
			_, err := s.Infer(t.Context(), "m", x)
			done <- err
		}()
		if i == 0 {
			<-g.entered
		} else {
			until(t, func() bool { _, queued := admitted(s); return queued == before+1 })
		}
	}
	wrong := invalid("a value")
	g.goOn <- nil   // the first
	<-g.entered     // the two others, joined
	g.goOn <- wrong // then each alone
	<-g.entered
	g.goOn <- wrong
	<-g.entered
	g.goOn <- nil
	failed := 0
	for range 3 {
		if err := <-done; err != nil {
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("%d requests failed, want 1", failed)
	}
	g.open()
}

// TestFairness lets a model with long runs and many requests stand beside one with short runs.
func TestFairness(t *testing.T) {
	sched := newScheduler(1)
	heavy, light := &queue{weight: 1}, &queue{weight: 1}
	i := &instance{deployment: &deployment{}}
	order := make(chan string, 100)
	hold := &job{queue: &queue{weight: 1}, instance: i, ctx: t.Context(), wake: make(chan struct{}, 1)}
	if err := sched.enter(hold); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	waiting := 0
	push := func(q *queue, name string, took time.Duration) {
		waiting++
		want := waiting
		wg.Go(func() {
			j := &job{queue: q, instance: &instance{}, ctx: t.Context(), wake: make(chan struct{}, 1)}
			if err := sched.enter(j); err != nil {
				t.Error(err)
			}
			order <- name
			sched.leave(j, took)
		})
		until(t, func() bool { _, n := sched.load(); return n == want })
	}
	for range 4 {
		push(heavy, "heavy", time.Second)
	}
	for range 8 {
		push(light, "light", 100*time.Millisecond)
	}
	sched.leave(hold, 0)
	wg.Wait()
	close(order)
	var names []string
	for name := range order {
		names = append(names, name)
	}
	lightBeforeSecondHeavy := 0
	for seen := 0; len(names) > 0 && seen < 2; names = names[1:] {
		if names[0] == "heavy" {
			seen++
		} else {
			lightBeforeSecondHeavy++
		}
	}
	if lightBeforeSecondHeavy != 8 {
		t.Errorf("%d of 8 light runs before the second heavy one, which takes longer than they all", lightBeforeSecondHeavy)
	}
}

// TestThreads gives long runs the threads that are idle, and short ones and those with others behind them one.
func TestThreads(t *testing.T) {
	g := newGate()
	events := &recorder{}
	s := newServer(t, Options{Threads: 4, Observer: events, Batch: BatchOff})
	load(t, s, "m", g.model(t, 2))
	d, err := s.find("m", "")
	if err != nil {
		t.Fatal(err)
	}
	x := fromSlice(t, make([]float32, 2), 1, 2)
	infer := func() {
		if _, err := s.Infer(t.Context(), "m", x); err != nil {
			t.Error(err)
		}
	}
	infer() // short
	d.current.Load().warm = 3 * time.Millisecond
	infer() // alone
	g.close()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(infer)
		<-g.entered
	}
	wg.Go(infer) // has to wait
	until(t, func() bool { _, queued := admitted(s); return queued == 1 })
	g.goOn <- nil
	<-g.entered
	g.open()
	wg.Wait()
	counts := map[int]int{}
	events.mu.Lock()
	defer events.mu.Unlock()
	for _, e := range events.runs {
		counts[e.Threads]++
	}
	// Short: 1. Alone: 4. Then with 3, 2, 1 and 0 idle others, and the one that waited with none.
	if fmt.Sprint(counts) != "map[1:3 2:1 3:1 4:2]" {
		t.Errorf("runs by threads: %v", counts)
	}
}

// TestBatchDelay lets requests wait for others though nothing runs.
func TestBatchDelay(t *testing.T) {
	g := newGate()
	events := &recorder{}
	s := newServer(t, Options{Threads: 2, Batch: 2, BatchDelay: time.Hour, Observer: events})
	load(t, s, "m", g.model(t, 2))
	x := fromSlice(t, make([]float32, 2), 1, 2)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if _, err := s.Infer(t.Context(), "m", x); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait() // the second makes the run full
	if len(events.runs) != 1 || events.runs[0].Requests != 2 {
		t.Errorf("runs %+v", events.runs)
	}
	s.opts.BatchDelay = time.Millisecond
	if _, err := s.Infer(t.Context(), "m", x); err != nil { // alone, after the delay
		t.Error(err)
	}
}
