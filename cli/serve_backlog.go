//go:build !noserve

package cli

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// backlogTime is how long a listener that closes takes connections that wait. Those are there: it only has to be longer than taking them.
const backlogTime = 20 * time.Millisecond

// backlogListener is a listener that takes the connections that wait when it is closed, which the system would reset though their
// clients may have sent requests. After that they are refused.
type backlogListener struct {
	net.Listener
	under     net.Listener  // of the system
	wait      time.Duration // backlogTime, but in tests
	accepting atomic.Int32
	closing   atomic.Bool
}

// Accept returns the next connection, and net.ErrClosed when none is left after Close.
func (l *backlogListener) Accept() (net.Conn, error) {
	l.accepting.Add(1)
	defer l.accepting.Add(-1)
	c, err := l.Listener.Accept()
	if err != nil && l.closing.Load() {
		l.Listener.Close()
		return nil, net.ErrClosed
	}
	return c, err
}

// Close lets Accept take what waits, and then ends it.
func (l *backlogListener) Close() error {
	last, ok := l.under.(interface{ SetDeadline(time.Time) error })
	if l.closing.Swap(true) || !ok || l.accepting.Load() == 0 || last.SetDeadline(time.Now().Add(l.wait)) != nil {
		return l.Listener.Close()
	}
	// Accept may be waiting for one of so many connections to end.
	time.AfterFunc(2*l.wait, func() { l.Listener.Close() })
	return nil
}

// freshTime is how long a server that shuts down waits for the first requests of its connections. http.Server waits no longer for those that send none.
const freshTime = 5 * time.Second

// freshConns are connections of which no request has been read.
type freshConns struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
	none  chan struct{} // closed when there are none; nil until somebody waits
}

// set is a hook for http.Server.ConnState.
func (f *freshConns) set(c net.Conn, state http.ConnState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if state == http.StateNew {
		if f.conns == nil {
			f.conns = make(map[net.Conn]bool)
		}
		f.conns[c] = true
		return
	}
	if delete(f.conns, c); len(f.conns) == 0 && f.none != nil {
		close(f.none)
		f.none = nil
	}
}

// wait returns when there are none, the context ends or freshTime has passed.
func (f *freshConns) wait(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, freshTime)
	defer cancel()
	f.mu.Lock()
	if len(f.conns) == 0 {
		f.mu.Unlock()
		return
	}
	f.none = make(chan struct{})
	none := f.none
	f.mu.Unlock()
	select {
	case <-none:
	case <-ctx.Done():
	}
}
