package graph

import (
	"context"
	"errors"
	"sync"
)

// flights lets one of those who want the same thing make it while the others wait.
type flights struct {
	mu    sync.Mutex
	inAir map[string]*flight
}

type flight struct {
	done chan struct{}
	err  error // set before done is closed
}

// errNotMade is the error of a flight whose work panicked.
var errNotMade = errors.New("it was not made")

// do calls work, unless a call with the same key is in progress: then it waits for the end of
// that one, or of the context. It reports whether work was called. What ends the context of
// the one who works is no error of those who wait: they have to try again.
func (f *flights) do(ctx context.Context, key string, work func() error) (called bool, err error) {
	f.mu.Lock()
	if w := f.inAir[key]; w != nil {
		f.mu.Unlock()
		select {
		case <-w.done:
		case <-ctx.Done():
			return false, ctx.Err()
		}
		if errors.Is(w.err, errNotMade) || errors.Is(w.err, context.Canceled) || errors.Is(w.err, context.DeadlineExceeded) {
			return false, nil
		}
		return false, w.err
	}
	w := &flight{done: make(chan struct{}), err: errNotMade}
	if f.inAir == nil {
		f.inAir = make(map[string]*flight)
	}
	f.inAir[key] = w
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.inAir, key)
		f.mu.Unlock()
		close(w.done)
	}()
	w.err = work()
	return true, w.err
}

// packs keeps what is made once for a key, such as packed weights. Any number may ask at
// the same time.
type packs struct {
	mu   sync.Mutex
	made map[any]func() any
}

func (p *packs) get(key any, build func() any) any {
	p.mu.Lock()
	made, ok := p.made[key]
	if !ok {
		if p.made == nil {
			p.made = make(map[any]func() any)
		}
		made = sync.OnceValue(build)
		p.made[key] = made
	}
	p.mu.Unlock()
	return made()
}
