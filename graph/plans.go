package graph

import (
	"context"
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// planEntry is a plan that a session keeps, with the memory of runs that ended.
type planEntry struct {
	plan *plan
	free []*state
	gone bool // no longer kept: what runs still have is not taken back
}

// acquire returns memory for a run with inputs of these types, which it plans when they are new.
// Only those who want the same new types wait for a plan.
func (s *Session) acquire(ctx context.Context, inputs []*tensor.Tensor) (*state, error) {
	var buf [128]byte
	key := s.settledKey(planKey(buf[:0], inputs), inputs)
	for {
		if e, st := s.take(key); st != nil {
			return st, nil
		} else if e != nil {
			return s.newRunState(e)
		}
		if err := s.planFor(ctx, string(key), inputs, nil); err != nil {
			return nil, err
		}
	}
}

// take returns the plan of the key, nil when there is none, and memory that a run left, if any did.
func (s *Session) take(key []byte) (*planEntry, *state) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.planned(key)
	if e == nil || len(e.free) == 0 {
		return e, nil
	}
	last := len(e.free) - 1
	st := e.free[last]
	e.free[last] = nil
	e.free = e.free[:last]
	s.kept -= e.plan.stateBytes(s.threads)
	return e, st
}

// planned returns the plan of the key and makes it the most recent; s.mu is held.
func (s *Session) planned(key []byte) *planEntry {
	e, _ := s.plans.Use(func(e *planEntry) bool { return e.plan.key == string(key) })
	return e
}

// settledKey appends what planning needs to know of the values of inputs to the key of a plan.
func (s *Session) settledKey(key []byte, inputs []*tensor.Tensor) []byte {
	for i, settled := range s.settled {
		if settled {
			key = append(key, inputs[i].Contiguous().Bytes()...)
		}
	}
	return key
}

// hasPlan reports whether there is a plan of the key, of a graph with Items for its first stage.
func (s *Session) hasPlan(key []byte) bool {
	if s.stages != nil {
		s = s.stages.list[0].session
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.plans.All(), func(e *planEntry) bool { return e.plan.key == string(key) })
}

// planFor makes the plan of the key, or waits until another has. The types are those of the inputs unless they are given.
func (s *Session) planFor(ctx context.Context, key string, inputs []*tensor.Tensor, types []ops.Type) error {
	if s.stages != nil {
		s = s.stages.list[0].session
	}
	_, err := s.planning.do(ctx, key, func() error {
		if s.hasPlan([]byte(key)) {
			return nil
		}
		for i, t := range inputs {
			types = append(types, ops.Type{DType: t.DType(), Shape: t.Shape().Clone(), Q: s.graph.Inputs[i].Type.Q})
			if i < len(s.settled) && s.settled[i] {
				types[i].Known = t.Clone()
			}
		}
		p, err := s.makePlan(ctx, key, types)
		if err != nil {
			return s.graph.unfit(types, err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.plans.Add(&planEntry{plan: p})
		s.kept += p.bytes()
		s.evict()
		return nil
	})
	return err
}

// newRunState makes memory for a run.
func (s *Session) newRunState(e *planEntry) (*state, error) {
	st, err := e.plan.newState(s, tensor.AlignedBytes(e.plan.arena), e.plan.newWorkers(s.threads))
	if err != nil {
		return nil, err
	}
	st.entry = e
	s.memory.Add(e.plan.stateBytes(s.threads))
	return st, nil
}

// release takes back the memory of a run that ended.
func (s *Session) release(st *state) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.entry.gone {
		s.discard(st)
		return
	}
	st.entry.free = append(st.entry.free, st)
	s.kept += st.plan.stateBytes(s.threads)
	s.evict()
}

// discard gives up the memory of a run.
func (s *Session) discard(st *state) { s.memory.Add(-st.plan.stateBytes(s.threads)) }

// evict gives up plans, the least recently used first, and what runs left, until the rest is within
// what the options allow. The most recent plan stays, with the memory of one run. s.mu is held.
func (s *Session) evict() {
	s.plans.Drop(func() bool { return s.plans.Len() > s.opts.MaxPlans || s.kept > s.opts.MaxPlanMemory }, func(e *planEntry) {
		e.gone = true
		e.trim(s, 0)
		s.kept -= e.plan.bytes()
	})
	if e, ok := s.plans.Latest(); ok && s.kept > s.opts.MaxPlanMemory {
		e.trim(s, 1)
	}
}

// trim gives up what runs left but for the memory of some; s.mu is held.
func (e *planEntry) trim(s *Session, keep int) {
	for len(e.free) > keep {
		last := len(e.free) - 1
		s.discard(e.free[last])
		s.kept -= e.plan.stateBytes(s.threads)
		e.free[last] = nil
		e.free = e.free[:last]
	}
}

// Trim gives up the memory that runs have left for those that follow. The next run takes it anew.
func (s *Session) Trim() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.plans.All() {
		e.trim(s, 0)
		e.free = nil
	}
	if s.stages != nil {
		for _, t := range s.stages.list {
			for _, inner := range t.sessions() {
				inner.Trim()
			}
		}
	}
	if s.open != nil {
		for _, c := range s.open.list.All() {
			c.session.Trim()
		}
	}
}

// abandon gives up all plans and what runs still have once they end.
func (s *Session) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.plans.All() {
		e.trim(s, 0)
		e.gone = true
	}
	if s.stages != nil {
		for _, t := range s.stages.list {
			for _, inner := range t.sessions() {
				inner.abandon()
			}
		}
	}
}

// Memory returns the bytes that runs in progress take and that those before have left for
// others, without inputs, outputs and constants.
func (s *Session) Memory() int64 { return s.memory.Load() }
