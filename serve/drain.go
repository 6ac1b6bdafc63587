package serve

import (
	"context"
)

// Drain makes the server not ready, while requests are still served, with a wish to clients over HTTP to use another connection.
// Load balancers then send new requests elsewhere. Stop or Close follows some seconds later.
func (s *Server) Drain() { s.http.draining.Store(true) }

func (s *Server) draining() bool { return s.http.draining.Load() }

// Stop refuses new requests and waits for those in progress, or until ctx ends.
func (s *Server) Stop(ctx context.Context) error {
	if ctx == nil {
		return errNoContext
	}
	s.Drain()
	select {
	case <-s.admission.stop():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close refuses new requests, waits for those in progress and closes all models.
func (s *Server) Close() {
	<-s.admission.stop()
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	s.loading <- struct{}{} // a load in progress ends before
	defer func() { <-s.loading }()
	var ended []*instance
	for _, d := range s.deployments() {
		if i := d.current.Load(); i != nil {
			ended = append(ended, i)
		}
		d.set(stateUnavailable, "the server is closed")
		d.swap(nil)
		d.sequences.closeAll()
	}
	for _, i := range ended {
		<-i.gone
	}
	if first {
		s.pool.Close()
	}
}
