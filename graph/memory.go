package graph

import (
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// runMemory is memory for one run at a time, of any plan of a session: texts of all lengths take turns in one arena, which then stays
// in the caches, instead of having one each.
type runMemory struct {
	arena     []byte
	workers   []ops.Worker
	states    map[*plan]*state // of the plans that ran in this arena
	bytes     int64            // of all of that, about, which Session.memory counts
	forgotten int              // Session.forgotten when states of plans that are gone were dropped
}

// fit returns the state of a plan, for which it makes the memory larger where that is needed.
func (m *runMemory) fit(s *Session, p *plan) (*state, error) {
	if st := m.states[p]; st != nil {
		return st, nil
	}
	if m.states == nil || len(m.arena) < p.arena {
		// The arena of the first plan is as large as it has to be. Another size is likely to be followed by more.
		size := max(p.arena, min(len(m.arena)+len(m.arena)/2, int(s.opts.MaxMemory)))
		s.discard(m)
		*m = runMemory{workers: make([]ops.Worker, s.threads), states: make(map[*plan]*state), forgotten: m.forgotten} // nothing holds the old one while the new one is made
		m.arena = tensor.AlignedBytes(size)
		s.count(m, int64(size))
	}
	for i := range m.workers {
		w := &m.workers[i]
		if n := p.workerScratch; len(w.Scratch) < n {
			s.count(m, workerBytes(n-len(w.Scratch), 0))
			w.Scratch = tensor.AlignedBytes(n)
		}
		if n := p.workerPointers; len(w.Pointers) < n {
			s.count(m, workerBytes(0, n-len(w.Pointers)))
			w.Pointers = make([]unsafe.Pointer, n)
		}
	}
	st, err := p.newState(s, m.arena[:p.arena], m.workers)
	if err != nil {
		s.discard(m)
		return nil, err
	}
	s.count(m, p.stateBytes())
	st.memory, m.states[p] = m, st
	return st, nil
}

// count notes what was added to the memory of a run.
func (s *Session) count(m *runMemory, bytes int64) {
	m.bytes += bytes
	s.memory.Add(bytes)
}

func workerBytes(scratch, pointers int) int64 {
	return int64(scratch) + int64(pointers)*int64(unsafe.Sizeof(unsafe.Pointer(nil)))
}
