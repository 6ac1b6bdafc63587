package graph

import (
	"context"
	"maps"
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// acquire returns memory for a run with inputs of these types, which it plans when they are new.
// Only those who want the same new types wait for a plan.
func (s *Session) acquire(ctx context.Context, inputs []*tensor.Tensor) (*state, error) {
	var buf [128]byte
	key := s.settledKey(planKey(buf[:0], inputs), inputs)
	for {
		if p, m := s.take(key); p != nil {
			return m.fit(s, p)
		}
		if err := s.planFor(ctx, string(key), inputs, nil); err != nil {
			return nil, err
		}
	}
}

// take returns the plan of the key, nil when there is none, and memory for a run: what a run left, if any did, the last one of that plan
// before others.
func (s *Session) take(key []byte) (*plan, *runMemory) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.plans.Use(func(p *plan) bool { return p.key == string(key) })
	if !ok {
		return nil, nil
	}
	if len(s.free) == 0 {
		return p, new(runMemory)
	}
	i := len(s.free) - 1
	for k := i; k >= 0; k-- {
		if s.free[k].states[p] != nil {
			i = k
			break
		}
	}
	m := s.free[i]
	s.free = slices.Delete(s.free, i, i+1)
	s.kept -= m.bytes
	s.forget(m)
	return p, m
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
	return slices.ContainsFunc(s.plans.All(), func(p *plan) bool { return p.key == string(key) })
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
		s.plans.Add(p)
		s.kept += p.bytes()
		s.evict()
		return nil
	})
	return err
}

// release takes back the memory of a run that ended.
func (s *Session) release(st *state) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := st.memory
	if s.abandoned {
		s.discard(m)
		return
	}
	s.forget(m)
	s.free = append(s.free, m)
	s.kept += m.bytes
	s.evict()
}

// discard gives up the memory of a run.
func (s *Session) discard(m *runMemory) { s.memory.Add(-m.bytes) }

// evict gives up what runs left, the least recently used first, and plans, until the rest is within
// what the options allow. The most recent plan stays, with memory for one run of it. s.mu is held.
func (s *Session) evict() {
	over := func() bool { return s.kept > s.opts.MaxPlanMemory }
	for len(s.free) > 1 && over() {
		s.drop(0)
	}
	if p, ok := s.plans.Latest(); ok && len(s.free) > 0 && over() && len(s.free[0].arena) > p.arena {
		s.drop(0)
	}
	s.plans.Drop(func() bool { return s.plans.Len() > s.opts.MaxPlans || over() }, func(p *plan) {
		p.gone = true
		s.forgotten++
		s.kept -= p.bytes()
		for _, m := range s.free {
			s.kept -= s.forget(m)
		}
	})
}

// forget drops the states of plans that are gone and returns their bytes; s.mu is held.
func (s *Session) forget(m *runMemory) int64 {
	if m.forgotten == s.forgotten {
		return 0
	}
	m.forgotten = s.forgotten
	before := m.bytes
	maps.DeleteFunc(m.states, func(p *plan, _ *state) bool {
		if p.gone {
			m.bytes -= p.stateBytes()
		}
		return p.gone
	})
	s.memory.Add(m.bytes - before)
	return before - m.bytes
}

// drop gives up what a run left; s.mu is held.
func (s *Session) drop(i int) {
	s.kept -= s.free[i].bytes
	s.discard(s.free[i])
	s.free = slices.Delete(s.free, i, i+1)
}

// Trim gives up the memory that runs have left for those that follow. The next run takes it anew.
func (s *Session) Trim() { s.eachSession((*Session).trim) }

func (s *Session) trim() {
	for len(s.free) > 0 {
		s.drop(0)
	}
	s.free = nil
}

// abandon gives up what runs left, and what they still have once they end.
func (s *Session) abandon() {
	s.eachSession(func(s *Session) {
		s.trim()
		s.abandoned = true
	})
}

// eachSession calls f for the session and those that are parts of it, with their locks held.
func (s *Session) eachSession(f func(*Session)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
	if s.stages != nil {
		for _, t := range s.stages.list {
			for _, inner := range t.sessions() {
				inner.eachSession(f)
			}
		}
	}
	if s.open != nil {
		for _, c := range s.open.list.All() {
			c.session.eachSession(f)
		}
	}
}

// Memory returns the bytes that runs in progress take and that those before have left for
// others, without inputs, outputs and constants.
func (s *Session) Memory() int64 { return s.memory.Load() }
