package graph

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/octet-ml/octet/internal/recent"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// specializations are what a session of an open graph compiled.
type specializations struct {
	list     recent.List[specialization] // under Session.mu
	making   flights
	stateful atomic.Bool // a model that keeps something was met: its runs take a state
	random   atomic.Bool // it draws random numbers
}

type specialization struct {
	graph   *Graph // before it was optimized
	session *Session
}

// specialized returns the session of the graph for inputs like these and the form of what is
// kept, made when there is none. It holds for the numbers of Items that are known.
func (s *Session) specialized(ctx context.Context, inputs []*tensor.Tensor, form string, items Items) (*Session, error) {
	var buf [128]byte
	key := planKey(buf[:0], inputs)
	for {
		if c := s.madeBefore(key, inputs, form, items); c != nil {
			return c, nil
		}
		var c *Session
		made, err := s.open.making.do(ctx, string(items.key(valuesKey(slices.Clip(key), inputs)))+form, func() (err error) {
			if c = s.madeBefore(key, inputs, form, items); c == nil {
				c, err = s.specialize(ctx, inputs, form, items)
			}
			return err
		})
		if made || err != nil {
			return c, err
		}
	}
}

// madeBefore returns the session of a graph that serves the inputs and has a plan for them, or nil.
func (s *Session) madeBefore(key []byte, inputs []*tensor.Tensor, form string, items Items) *Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, _ := s.open.list.Use(func(c specialization) bool {
		return c.graph.form() == form && c.session.graph.accepts(inputs) && c.session.graph.agrees(items) && c.session.hasPlan(key)
	})
	return c.session
}

// specialize makes the session of the graph for the inputs.
func (s *Session) specialize(ctx context.Context, inputs []*tensor.Tensor, form string, items Items) (*Session, error) {
	if i := slices.Index(inputs, nil); i >= 0 {
		return nil, &InputError{Index: i, Name: s.inputName(i), Reason: "it is missing"}
	}
	types := openTypes(inputs)
	for i, t := range types {
		if err := checkType(t); err != nil {
			return nil, &InputError{Index: i, Name: s.inputName(i), Reason: err.Error(), Got: t.String(), Err: err}
		}
	}
	o := s.graph.open
	items.Guessed = new(bool)
	g, known, err := o.specialize(ctx, types, form, items)
	if err != nil && *items.Guessed && ctx.Err() == nil {
		g, err = s.probe(ctx, inputs, types, form, items, err)
	}
	if ended := ctx.Err(); err != nil && ended != nil {
		return nil, ended
	}
	if err != nil {
		return nil, s.graph.unfit(types, err)
	}
	c, err := s.compiled(ctx, g, inputs)
	if err != nil && known && ctx.Err() == nil {
		// Optimizing for the shapes it was made for may have made it unfit for others.
		o.mu.Lock()
		g, err = o.specializeAnew(ctx, types, form, items)
		o.mu.Unlock()
		if err != nil {
			return nil, s.graph.unfit(types, err)
		}
		c, err = s.compiled(ctx, g, inputs)
	}
	return c, err
}

// openTypes returns what a program is told of inputs: their types, and the values of those without dimensions.
func openTypes(inputs []*tensor.Tensor) []ops.Type {
	types := make([]ops.Type, len(inputs))
	for i, t := range inputs {
		types[i] = ops.Type{DType: t.DType(), Shape: t.Shape().Clone(), Q: t.QParams().Clone()}
		if t.Rank() == 0 {
			types[i].Known = t.Clone()
		}
	}
	return types
}

// compiled returns the session of a specialized graph, with a plan for the inputs.
func (s *Session) compiled(ctx context.Context, g *Graph, inputs []*tensor.Tensor) (*Session, error) {
	c := s.compiledBefore(g)
	if c == nil {
		var err error
		if c, err = g.compile(ctx, s.opts, s); err != nil {
			return nil, err
		}
		s.mu.Lock()
		s.open.list.Add(specialization{g, c})
		s.open.list.Keep(min(s.opts.MaxPlans, maxSpecializations), func(c specialization) { c.session.abandon() })
		s.mu.Unlock()
	}
	return c, c.planFor(ctx, string(planKey(nil, inputs)), inputs, nil)
}

// compiledBefore returns the session of a specialized graph, or nil.
func (s *Session) compiledBefore(g *Graph) *Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, _ := s.open.list.Use(func(c specialization) bool { return c.graph == g })
	return c.session
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
	c, _ := s.open.list.Latest()
	return c.session
}
