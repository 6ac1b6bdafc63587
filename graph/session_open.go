package graph

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// specializations are what a session of an open graph compiled, and what its
// model keeps between runs.
type specializations struct {
	list []specialization // most recently used first, under Session.mu

	stateful atomic.Bool // a model that keeps something was met: its runs go one after the other
	running  sync.Mutex  // held by a run of such a model
	form     string      // of what is kept; under Session.mu, and changed by the run that holds running
	kept     []*tensor.Tensor
	spare    []*tensor.Tensor // memory that kept values had before
}

type specialization struct {
	graph   *Graph // before it was optimized
	session *Session
}

// sessionRun is a run of a session: the session of the graph that runs, its inputs,
// and how many outputs are the caller's.
type sessionRun struct {
	*Session
	root   *Session // that was asked to run
	inputs []*tensor.Tensor
	keeper *Session         // which keeps the other outputs; nil without
	st     *state           // memory of the run; nil before it has any
	broken bool             // the memory may be in any state
	after  []*tensor.Tensor // all outputs of a run that succeeded
}

// begin finds the graph for inputs and, of a model that keeps something between
// runs, waits for the run before.
func (s *Session) begin(inputs []*tensor.Tensor) (t sessionRun, err error) {
	if err := s.enter(); err != nil {
		return t, err
	}
	defer func() {
		if err != nil {
			s.runs.Done()
		}
	}()
	if s.graph.open == nil {
		return sessionRun{Session: s, root: s, inputs: inputs}, nil
	}
	locked := s.open.stateful.Load()
	if locked {
		s.open.running.Lock()
	}
	for {
		c, all, err := s.specialized(inputs)
		switch {
		case err == nil && c.graph.State != nil && locked:
			return sessionRun{Session: c, root: s, inputs: all, keeper: s}, nil
		case err == nil && c.graph.State != nil:
			// The first run of such a model: others may have begun as well.
			s.open.stateful.Store(true)
			s.open.running.Lock()
			locked = true
			continue
		}
		if locked {
			s.open.running.Unlock()
		}
		return sessionRun{Session: c, root: s, inputs: inputs}, err
	}
}

// outputs returns how many outputs are the caller's.
func (t *sessionRun) outputs() int {
	n := len(t.graph.Outputs)
	if t.keeper != nil {
		n -= t.graph.State.Outputs
	}
	return n
}

// extend returns the outputs with memory for what is kept behind them. All of it
// is other memory than what the run reads.
func (t *sessionRun) extend(outputs []*tensor.Tensor, types func(i int) ops.Type) ([]*tensor.Tensor, error) {
	if t.keeper == nil {
		return outputs, nil
	}
	o := t.keeper.open
	all := append(make([]*tensor.Tensor, 0, len(t.graph.Outputs)), outputs...)
	for i := len(outputs); i < len(t.graph.Outputs); i++ {
		typ := types(i)
		var memory *tensor.Tensor
		if k := i - len(outputs); k < len(o.spare) && o.spare[k].DType() == typ.DType && o.spare[k].Shape().Equal(typ.Shape) {
			memory = o.spare[k]
		} else {
			var err error
			if memory, err = tensor.New(typ.DType, typ.Shape...); err != nil {
				return nil, err
			}
		}
		all = append(all, memory.WithQParams(typ.Q))
	}
	return all, nil
}

// end gives the memory of a run back, keeps the last outputs of one that succeeded, and lets the next one begin.
func (t *sessionRun) end() {
	if t.st != nil && !t.broken {
		t.release(t.st)
	}
	if s := t.keeper; s != nil {
		if t.after != nil {
			s.mu.Lock()
			s.open.spare = s.open.kept
			s.open.kept = t.after[t.outputs():]
			s.open.form = t.graph.State.After
			s.mu.Unlock()
		}
		s.open.running.Unlock()
	}
	t.root.runs.Done()
}

// Reset makes a model forget what it kept between runs, such as the state of a
// recurrent network. It waits for a run in progress.
func (s *Session) Reset() {
	if s.graph.open == nil {
		return
	}
	s.open.running.Lock()
	defer s.open.running.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open.form, s.open.kept, s.open.spare = "", nil, nil
}

// specialized returns the session of the graph for inputs like these and what is
// kept, made when there is none, and all inputs of that graph.
func (s *Session) specialized(inputs []*tensor.Tensor) (*Session, []*tensor.Tensor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := inputs
	if len(s.open.kept) > 0 {
		all = slices.Concat(inputs, s.open.kept)
	}
	for i, c := range s.open.list {
		if c.graph.form() == s.open.form && c.session.graph.accepts(all) && c.session.hasPlan(all) {
			s.toFront(i)
			return c.session, all, nil
		}
	}
	types := make([]ops.Type, len(all))
	for i, t := range all {
		if t == nil {
			return nil, nil, &InputError{Index: i, Name: s.inputName(i), Reason: "it is missing"}
		}
		types[i] = ops.Type{DType: t.DType(), Shape: t.Shape().Clone(), Q: t.QParams()}
		if t.Rank() == 0 {
			types[i].Known = t.Clone()
		}
	}
	o := s.graph.open
	g, known, err := o.specialize(types, s.open.form)
	if err != nil {
		return nil, nil, s.inputError(inputs, err)
	}
	c, err := s.compiled(g, all)
	if err != nil && known {
		// Optimizing for the shapes it was made for may have made it unfit for others.
		o.mu.Lock()
		g, err = o.specializeAnew(types, s.open.form)
		o.mu.Unlock()
		if err != nil {
			return nil, nil, s.inputError(inputs, err)
		}
		c, err = s.compiled(g, all)
	}
	if err != nil {
		err = s.inputError(inputs, err)
	}
	return c, all, err
}

// compiled returns the session of a specialized graph, with a plan for the inputs.
func (s *Session) compiled(g *Graph, inputs []*tensor.Tensor) (*Session, error) {
	i := slices.IndexFunc(s.open.list, func(c specialization) bool { return c.graph == g })
	if i < 0 {
		c, err := g.compile(s.opts, s.tier, s.pool)
		if err != nil {
			return nil, err
		}
		i = 0
		s.open.list = slices.Insert(s.open.list, 0, specialization{g, c})
		s.open.list = s.open.list[:min(len(s.open.list), s.opts.MaxPlans)]
	}
	s.toFront(i)
	c := s.open.list[0].session
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.planFor(planKey(nil, inputs), inputs)
	return c, err
}

func (s *Session) toFront(i int) {
	c := s.open.list[i]
	copy(s.open.list[1:i+1], s.open.list[:i])
	s.open.list[0] = c
}

// hasPlan reports whether there is a plan for inputs of these shapes.
func (s *Session) hasPlan(inputs []*tensor.Tensor) bool {
	var buf [128]byte
	key := planKey(buf[:0], inputs)
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.plans, func(e *planEntry) bool { return e.plan.key == string(key) })
}

func (s *Session) inputName(i int) string {
	if i < len(s.graph.Inputs) {
		return s.graph.Inputs[i].Name
	}
	return ""
}

// recent returns the session of the graph that ran last: s itself unless its
// graph is open, nil when nothing ran yet.
func (s *Session) recent() *Session {
	if s.graph.open == nil {
		return s
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open.list) == 0 {
		return nil
	}
	return s.open.list[0].session
}
