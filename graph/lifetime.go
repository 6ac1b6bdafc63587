package graph

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed says that a session was closed before the run.
var ErrClosed = errors.New("the session is closed")

// lifetime counts the runs of a session, so that Close can wait for them, and
// bounds how many there are at a time.
type lifetime struct {
	slots   chan struct{} // one for each run at a time, nil without a bound
	closing chan struct{} // closed by Close

	mu     sync.Mutex
	idle   sync.Cond
	active int
	closed bool
}

func newLifetime(maxRuns int) *lifetime {
	l := &lifetime{closing: make(chan struct{})}
	l.idle.L = &l.mu
	if maxRuns > 0 {
		l.slots = make(chan struct{}, maxRuns)
	}
	return l
}

// enter begins a run. It waits for a place until the context ends.
func (l *lifetime) enter(ctx context.Context) error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return ErrClosed
	}
	l.active++
	l.mu.Unlock()
	if l.slots == nil {
		return nil
	}
	select {
	case l.slots <- struct{}{}:
		return nil
	default:
	}
	var err error
	select {
	case l.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-l.closing:
		err = ErrClosed
	}
	l.left()
	return err
}

// exit ends a run that has entered.
func (l *lifetime) exit() {
	if l.slots != nil {
		<-l.slots
	}
	l.left()
}

func (l *lifetime) left() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.active--; l.active == 0 {
		l.idle.Broadcast()
	}
}

// close lets no further run enter and waits for those that have. It reports whether it
// was the first to close.
func (l *lifetime) close() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := !l.closed
	if first {
		l.closed = true
		close(l.closing)
	}
	for l.active > 0 {
		l.idle.Wait()
	}
	return first
}
