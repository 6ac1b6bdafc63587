package serve

import (
	"context"
	"sync"
	"time"
)

// While requests come, a load works for a slice of time and then pauses for loadPause times as long, so that it takes an eighth of the time of one
// core from them. They come for as long as loadQuiet after the last.
const (
	loadSlice = 250 * time.Microsecond
	loadPause = 7
	loadQuiet = 10 * time.Millisecond
)

// gentle is the context of a load. Whoever loads, compiles or runs a model asks its context between two parts of the work, and there
// the load pauses. A run that warms a model up lets others have its place meanwhile.
type gentle struct {
	context.Context
	server *Server

	mu     sync.Mutex // asks may come from several goroutines: one at a time pauses
	slice  time.Duration
	since  time.Time     // of the last pause
	busy   time.Time     // until when the server counts as busy
	seen   uint64        // requests until since
	paused time.Duration // all pauses
	job    *job          // that has a place to run, or nil
	began  time.Time     // when it got the place
}

// gently returns a context for a load.
func (s *Server) gently(ctx context.Context) *gentle {
	_, seen := s.admission.count()
	return &gentle{Context: ctx, server: s, slice: loadSlice, since: time.Now(), seen: seen}
}

// Err is that of any context, after a pause where one is due.
func (g *gentle) Err() error {
	if g.mu.TryLock() {
		g.pause()
		g.mu.Unlock()
	}
	return g.Context.Err()
}

// pause pauses where one is due; g.mu is held.
func (g *gentle) pause() {
	start := time.Now()
	worked := start.Sub(g.since)
	if worked < g.slice {
		return
	}
	if now, all := g.server.admission.count(); now > 0 || all != g.seen {
		g.seen, g.busy = all, start.Add(loadQuiet)
	}
	if start.Before(g.busy) {
		j := g.job
		g.leave()
		timer := time.NewTimer(loadPause * worked)
		select {
		case <-timer.C:
		case <-g.Done():
			timer.Stop()
		}
		if j != nil {
			_ = g.enter(j) // where it fails the context has ended, as the run will see
		}
		g.paused += time.Since(start)
	}
	g.since = time.Now()
}

// enter waits for a place to run a job; g.mu is held.
func (g *gentle) enter(j *job) error {
	err := g.server.scheduler.enter(j)
	if err == nil {
		g.job, g.began = j, time.Now()
	}
	return err
}

// leave gives the place back, if there is one; g.mu is held.
func (g *gentle) leave() {
	if g.job != nil {
		g.server.scheduler.leave(g.job, time.Since(g.began))
		g.job = nil
	}
}

// run runs a job in a place of its own and says how long that took without pauses, of which there is none before it has run for so long.
func (g *gentle) run(j *job, slice time.Duration, run func() error) (took time.Duration, err error) {
	g.mu.Lock()
	g.pause()
	err = g.enter(j)
	g.slice = slice
	start, paused := time.Now(), g.paused
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		took = time.Since(start) - (g.paused - paused)
		g.slice = loadSlice
		g.leave()
	}()
	if err != nil {
		return 0, err
	}
	return 0, run()
}
