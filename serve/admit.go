package serve

import (
	"fmt"
	"sync"
	"time"
)

// admission bounds the requests and bytes that are admitted at a time. Who is refused costs no more than his headers.
type admission struct {
	maxBytes int64

	mu    sync.Mutex
	bytes int64
	// draining and the requests between admission and answer, of all models.
	draining bool
	admitted int
	total    uint64        // requests that were admitted so far
	idle     chan struct{} // closed when draining and nothing is admitted
}

// enter admits a request of so many bytes for a deployment.
func (a *admission) enter(d *deployment, bytes int64, places int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.draining:
		return reject("draining", &Error{Code: Unavailable, Reason: "the server is shutting down", RetryAfter: time.Second})
	case d.admitted >= places:
		return reject("queue", &Error{Code: Exhausted, Reason: fmt.Sprintf("model %s: its queue of %d requests is full", d.name, places)})
	case a.bytes > 0 && a.bytes+bytes > a.maxBytes:
		return reject("bytes", a.full())
	}
	a.bytes += bytes
	a.admitted++
	a.total++
	d.admitted++
	return nil
}

func (a *admission) full() error {
	return &Error{Code: Exhausted, Reason: fmt.Sprintf("the requests that are admitted have %d bytes, at most %d are possible", a.bytes, a.maxBytes), RetryAfter: time.Second}
}

// grow counts further bytes of a request that is admitted, unless they are too many.
func (a *admission) grow(bytes int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bytes+bytes > a.maxBytes && a.admitted > 1 {
		return reject("bytes", a.full())
	}
	a.bytes += bytes
	return nil
}

// roomBeside refuses to compute the answer of a request of so many bytes while others have all that is possible: answers whose clients are
// slow to read them, which are as large as the model makes them.
func (a *admission) roomBeside(bytes int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bytes-bytes > a.maxBytes {
		return reject("bytes", a.full())
	}
	return nil
}

// leave ends a request.
func (a *admission) leave(d *deployment, bytes int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bytes -= bytes
	a.admitted--
	d.admitted--
	if a.draining && a.admitted == 0 {
		a.signal()
	}
}

// reserve admits bytes that are read before the model is known which they are for, until release is called.
func (a *admission) reserve(bytes int64) (release func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bytes > 0 && a.bytes+bytes > a.maxBytes {
		return nil, reject("bytes", a.full())
	}
	a.bytes += bytes
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.bytes -= bytes
	}, nil
}

// count returns the requests that are admitted, and those that were so far.
func (a *admission) count() (now int, all uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.admitted, a.total
}

// stop admits nothing from now on and returns a channel that is closed once all that is admitted has ended.
func (a *admission) stop() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.idle == nil {
		a.idle = make(chan struct{})
	}
	if !a.draining {
		a.draining = true
		if a.admitted == 0 {
			a.signal()
		}
	}
	return a.idle
}

func (a *admission) signal() {
	select {
	case <-a.idle:
	default:
		close(a.idle)
	}
}

// rejection is why a request was not admitted, for observers.
type rejection struct {
	why string
	err error
}

func reject(why string, err error) error { return &rejection{why, err} }

func (r *rejection) Error() string { return r.err.Error() }
func (r *rejection) Unwrap() error { return r.err }
