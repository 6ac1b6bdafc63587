package serve

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/serve/oip"
)

// The parameters of a request that belongs to a sequence, as Triton names them.
const (
	sequenceID    = "sequence_id"    // a number other than 0, or a text
	sequenceStart = "sequence_start" // whether it begins
	sequenceEnd   = "sequence_end"   // whether it ends
)

// sequences are the clients of a model that keeps something between runs, each with a state of its own.
type sequences struct {
	mu   sync.Mutex
	byID map[string]*sequence
}

// sequence is a client. It keeps the instance of the model with which it began.
type sequence struct {
	id       string
	owner    *sequences
	instance *instance
	state    *graph.SessionState
	turn     chan struct{} // holds an element while a request of the sequence is in progress
	users    int           // requests that have it or wait for it, under sequences.mu
	ended    bool          // under sequences.mu
	idle     *time.Timer
}

// sequenceOf returns the parameters of a sequence.
func sequenceOf(p oip.Parameters) (id string, start, end bool, err error) {
	switch value := p[sequenceID].(type) {
	case nil:
		return "", false, false, nil
	case int64:
		if value != 0 {
			id = fmt.Sprint(value)
		}
	case string:
		id = value
	default:
		return "", false, false, invalid("parameter %s: it is %v where a number or a text is needed", sequenceID, value)
	}
	for name, flag := range map[string]*bool{sequenceStart: &start, sequenceEnd: &end} {
		if err := isFlag(p, name); err != nil {
			return "", false, false, err
		}
		*flag, _ = p[name].(bool)
	}
	return id, start, end, nil
}

// join waits for the turn of a request in its sequence. Its caller must call leave.
func (s *sequences) join(ctx context.Context, i *instance, id string, start bool, opts *Options) (*sequence, error) {
	for {
		q, err := s.find(i, id, start, opts)
		if err != nil {
			return nil, err
		}
		select {
		case q.turn <- struct{}{}:
		case <-ctx.Done():
			s.left(q, opts)
			return nil, ctx.Err()
		}
		if !s.hasEnded(q) {
			if start {
				q.state.Reset()
			}
			return q, nil
		}
		s.leave(q, false, opts) // by the request before
	}
}

func (s *sequences) hasEnded(q *sequence) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return q.ended
}

func unknownSequence(id string) error {
	return invalid("sequence %s is not known, or was idle for too long: its first request has the parameter %s", quote(id), sequenceStart)
}

func (s *sequences) find(i *instance, id string, start bool, opts *Options) (*sequence, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.byID[id]
	if q != nil && start && q.users == 0 && q.instance != i { // the model was loaded anew since
		q.idle.Stop()
		s.drop(q)
		q.instance.release()
		q = nil
	}
	if q != nil {
		q.idle.Stop()
		q.users++
		return q, nil
	}
	if !start {
		return nil, unknownSequence(id)
	}
	if len(s.byID) >= opts.MaxSequences {
		return nil, reject("queue", &Error{Code: Exhausted, Reason: fmt.Sprintf("there are %d sequences, at most %d are possible", len(s.byID), opts.MaxSequences), RetryAfter: time.Second})
	}
	q = &sequence{id: id, owner: s, instance: i, state: i.session.NewState(), turn: make(chan struct{}, 1), users: 1}
	i.users.Add(1)
	q.idle = time.AfterFunc(opts.SequenceIdle, q.expire)
	q.idle.Stop()
	if s.byID == nil {
		s.byID = make(map[string]*sequence)
	}
	s.byID[id] = q
	return q, nil
}

// leave ends a request's turn, and with end the sequence.
func (s *sequences) leave(q *sequence, end bool, opts *Options) {
	if end {
		s.mu.Lock()
		s.drop(q)
		s.mu.Unlock()
	}
	<-q.turn
	s.left(q, opts)
}

// left counts a request out.
func (s *sequences) left(q *sequence, opts *Options) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q.users--
	switch {
	case q.users > 0:
	case q.ended:
		q.instance.release()
	default:
		q.idle.Reset(opts.SequenceIdle)
	}
}

// drop makes the sequence unknown; s.mu is held.
func (s *sequences) drop(q *sequence) {
	q.ended = true
	if s.byID[q.id] == q {
		delete(s.byID, q.id)
	}
}

// expire ends a sequence that nobody used for a while.
func (q *sequence) expire() {
	q.owner.mu.Lock()
	defer q.owner.mu.Unlock()
	if q.users > 0 || q.ended {
		return
	}
	q.owner.drop(q)
	q.instance.release()
}

// closeAll ends all sequences that no request is in.
func (s *sequences) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.byID {
		q.idle.Stop()
		s.drop(q)
		if q.users == 0 {
			q.instance.release()
		}
	}
}

func (s *sequences) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byID)
}
