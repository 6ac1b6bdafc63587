package graph

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// SessionState is what a model that keeps something between runs, such as the state of a
// recurrent network, keeps for one client: one stream of audio, one conversation. So it
// is with the generator of random numbers, of which each run draws where the one before
// ended. Runs with one state go one after the other; runs with different states do not know of each
// other. Of a model that keeps nothing and draws no random numbers, all runs are alike and may overlap.
type SessionState struct {
	session *Session
	running chan struct{} // holds one element while a run of a model that keeps something is in progress

	// What is kept, of the run that holds running.
	form  string
	kept  []*tensor.Tensor
	spare []*tensor.Tensor // memory that kept values had before

	seed      int64
	generator *ops.Generator // nil before a random number is drawn
}

// NewState returns a state of a model that has not run. Session.Run uses one that belongs to
// the session.
func (s *Session) NewState() *SessionState {
	return &SessionState{session: s, running: make(chan struct{}, 1), seed: ops.DefaultSeed}
}

// Seed makes the random numbers of the runs that follow begin as after torch.manual_seed. It waits for a run in progress.
func (k *SessionState) Seed(seed int64) {
	k.running <- struct{}{}
	k.seed, k.generator = seed, nil
	<-k.running
}

// isRandom reports whether runs draw random numbers, or leave a seed for the next.
func (g *Graph) isRandom() bool {
	return slices.ContainsFunc(g.Nodes, func(n *Node) bool {
		switch n.Op.(type) {
		case ops.ReadGenerator, ops.WriteGenerator:
			return true
		}
		return false
	})
}

// random returns a context with the state's generator of random numbers.
func (k *SessionState) random(ctx context.Context) context.Context {
	if k.generator == nil {
		k.generator = new(ops.Generator)
		k.generator.Seed(k.seed)
	}
	return ops.WithGenerator(ctx, k.generator)
}

// Reset makes the model forget what it kept in this state, and random numbers begin anew from the seed. It waits for a run in progress.
func (k *SessionState) Reset() {
	k.running <- struct{}{}
	k.form, k.kept, k.spare, k.generator = "", nil, nil, nil
	<-k.running
}

// Run is Session.Run with this state.
func (k *SessionState) Run(ctx context.Context, inputs ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	return k.runWith(ctx, 0, inputs)
}

func (k *SessionState) runWith(ctx context.Context, threads int, inputs []*tensor.Tensor) ([]*tensor.Tensor, error) {
	var items Items
	settled := false       // the numbers were found one by one
	misses := 0            // runs that found another number than the one of their graph
	var same map[int]int64 // the numbers that the last graph was made for
	for range maxProbes {
		var r sessionRun
		outputs, err := r.once(ctx, k, threads, inputs, &items)
		var item *ItemError
		var shape *ops.ShapeError
		var value *ops.ValueError
		switch {
		case err == nil || k.session.open == nil:
			return outputs, err
		case errors.As(err, &value) && r.guessed && !settled && ctx.Err() == nil: // perhaps on a way that these inputs do not take
			settled, items = true, Items{Same: true}
			if k.settleAll(ctx, r.inputs, r.form, &items) != nil {
				return nil, err
			}
		case len(items.Values) == 0:
			return outputs, err
		case errors.As(err, &item):
			// Of many numbers each might be another: they are found in one go.
			if misses++; misses == 2 && !settled {
				settled = true
				if err := k.settleAll(ctx, r.inputs, r.form, &items); err != nil {
					return nil, err
				}
			}
		case errors.As(err, &shape) && !maps.Equal(items.Values, same): // of operators that were chosen for examples
			items.Same, same = true, maps.Clone(items.Values)
		default:
			return outputs, err
		}
	}
	return nil, errors.New("no graph of the program holds for the numbers that it gives")
}

// settleAll finds all numbers of Items, with the random numbers that the next run draws.
func (k *SessionState) settleAll(ctx context.Context, inputs []*tensor.Tensor, form string, items *Items) error {
	if k.session.open.random.Load() {
		if err := k.lock(ctx); err != nil {
			return err
		}
		defer func() { <-k.running }()
		ctx = k.random(ctx)
	}
	return k.session.settleAll(ctx, inputs, form, items)
}

// once runs with the graph for the numbers of Items that are known. It fails with an *ItemError when another one is needed.
func (r *sessionRun) once(ctx context.Context, k *SessionState, threads int, inputs []*tensor.Tensor, items *Items) ([]*tensor.Tensor, error) {
	if err := r.begin(ctx, k, inputs, *items); err != nil {
		return nil, err
	}
	defer r.end()
	if r.session.random {
		ctx = k.random(ctx)
	}
	if s := r.session; s.stages != nil {
		all, err := s.stages.run(ctx, s, r.inputs, threads, items)
		if err != nil {
			r.guessed = s.graph.guesses(items)
			return nil, err
		}
		r.keep(all)
		return all[:r.outputs():r.outputs()], nil
	}
	r.st.limit(threads)
	outputs := make([]*tensor.Tensor, r.outputs())
	for i := range outputs {
		typ := r.session.outputType(r.st, i)
		var err error
		if outputs[i], err = tensor.New(typ.DType, typ.Shape...); err != nil {
			return nil, err
		}
		outputs[i] = outputs[i].WithQParams(typ.Q)
	}
	if err := r.run(ctx, outputs); err != nil {
		return nil, err
	}
	return outputs, nil
}

// RunInto is Session.RunInto with this state.
func (k *SessionState) RunInto(ctx context.Context, outputs, inputs []*tensor.Tensor) error {
	var r sessionRun
	if err := r.begin(ctx, k, inputs, Items{}); err != nil {
		return err
	}
	if r.session.stages != nil {
		r.end()
		return k.copyInto(ctx, outputs, inputs)
	}
	defer r.end()
	if r.session.random {
		ctx = k.random(ctx)
	}
	r.st.limit(0)
	if err := r.checkOutputs(outputs); err != nil {
		return err
	}
	return r.run(ctx, outputs)
}

// copyInto is RunInto of a graph with extents that only the run knows.
func (k *SessionState) copyInto(ctx context.Context, outputs, inputs []*tensor.Tensor) error {
	got, err := k.runWith(ctx, 0, inputs)
	if err != nil {
		return err
	}
	if len(outputs) != len(got) {
		return &OutputError{-1, fmt.Sprintf("%d given where the graph has %d", len(outputs), len(got))}
	}
	for i, o := range outputs {
		if want := got[i]; o == nil || o.DType() != want.DType() || !o.Shape().Equal(want.Shape()) || !o.IsContiguous() {
			return &OutputError{i, fmt.Sprintf("it is %v where this run computes %v: only a run knows the extents, which Run makes outputs for", o, want)}
		}
		if err := checkOutputParams(i, o, got[i].QParams()); err != nil {
			return err
		}
	}
	if err := checkOverlap(outputs, inputs); err != nil {
		return err
	}
	for i, o := range outputs {
		if err := o.CopyFrom(got[i]); err != nil {
			return err
		}
	}
	return nil
}

// lock waits for the run before, or until the context ends.
func (k *SessionState) lock(ctx context.Context) error {
	select {
	case k.running <- struct{}{}:
		return nil
	default:
	}
	select {
	case k.running <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-k.session.life.closing:
		return ErrClosed
	}
}

// sessionRun is a run of a session: the session of the graph that runs, its inputs and its
// memory, and the state that it holds.
type sessionRun struct {
	home    *Session // which was asked to run
	session *Session // home itself, or its session of a specialized graph
	inputs  []*tensor.Tensor
	state   *SessionState // locked; nil for a model that keeps nothing
	st      *state
	whole   bool   // nothing panicked
	form    string // of the state
	guessed bool   // a number that the graph holds for was not known when the run failed
}

// errStateful says that a run without a state met a model that keeps something.
var errStateful = errors.New("the model keeps something between runs")

// begin finds the graph and the memory for inputs. When it succeeds, end must follow.
func (r *sessionRun) begin(ctx context.Context, k *SessionState, inputs []*tensor.Tensor, items Items) error {
	if o := k.session.open; !k.session.random && (o == nil || !o.stateful.Load()) {
		err := r.beginWith(ctx, k.session, nil, inputs, items)
		if err != errStateful {
			return err
		}
		o.random.Store(o.random.Load() || r.session.random)
		o.stateful.Store(true)
	}
	// Who waits for the state has no place among the runs, for who has the state may wait for one.
	if err := k.lock(ctx); err != nil {
		return err
	}
	if o := k.session.open; o != nil && o.random.Load() {
		ctx = k.random(ctx) // for what finds the numbers of Items
	}
	err := r.beginWith(ctx, k.session, k, inputs, items)
	if err != nil {
		<-k.running
	}
	return err
}

// beginWith is begin with a state that is locked, nil for a model that keeps nothing.
func (r *sessionRun) beginWith(ctx context.Context, s *Session, k *SessionState, inputs []*tensor.Tensor, items Items) (err error) {
	if ctx == nil {
		return errors.New("the context is nil: context.Background() never ends")
	}
	if err := s.life.enter(ctx); err != nil {
		return err
	}
	begun := false
	defer func() {
		if !begun {
			s.life.exit()
		}
	}()
	if err := ctx.Err(); err != nil {
		return err
	}
	*r = sessionRun{home: s, session: s, inputs: inputs, state: k, whole: true}
	if s.open != nil {
		form := ""
		if k != nil {
			form = k.form
			if len(k.kept) > 0 {
				r.inputs = slices.Concat(inputs, k.kept)
			}
		}
		r.form = form
		if r.session, err = s.specialized(ctx, r.inputs, form, items); err != nil {
			return err
		}
		if k == nil && (r.session.graph.State != nil || r.session.random) {
			return errStateful
		}
	}
	if err := r.session.graph.checkInputs(r.inputs); err != nil {
		return err
	}
	if r.session.stages == nil {
		r.st, err = r.session.acquire(ctx, r.inputs)
	}
	begun = err == nil
	return err
}

// outputs returns how many outputs are the caller's.
func (r *sessionRun) outputs() int {
	n := len(r.session.graph.Outputs)
	if r.state != nil && r.session.graph.State != nil {
		n -= r.session.graph.State.Outputs
	}
	return n
}

// run runs, and keeps what the model keeps.
func (r *sessionRun) run(ctx context.Context, outputs []*tensor.Tensor) error {
	all, err := r.extend(outputs)
	if err != nil {
		return err
	}
	r.whole = false
	err = r.session.steps(ctx, r.st, all, r.inputs)
	r.whole = true
	if err == nil {
		r.keep(all)
	}
	return err
}

// keep notes what the model keeps, which stands behind the outputs.
func (r *sessionRun) keep(all []*tensor.Tensor) {
	if kept := r.session.graph.State; r.state != nil && kept != nil {
		k := r.state
		k.spare, k.kept, k.form = k.kept, all[r.outputs():], kept.After
	}
}

// extend returns the outputs with memory for what is kept behind them. All of it
// is other memory than what the run reads.
func (r *sessionRun) extend(outputs []*tensor.Tensor) ([]*tensor.Tensor, error) {
	if r.state == nil {
		return outputs, nil
	}
	g, k := r.session.graph, r.state
	all := append(make([]*tensor.Tensor, 0, len(g.Outputs)), outputs...)
	for i := len(outputs); i < len(g.Outputs); i++ {
		typ := r.session.outputType(r.st, i)
		memory, err := k.memory(i-len(outputs), typ)
		if err != nil {
			return nil, err
		}
		all = append(all, memory.WithQParams(typ.Q))
	}
	return all, nil
}

// memory returns memory for the kept value i.
func (k *SessionState) memory(i int, typ ops.Type) (*tensor.Tensor, error) {
	if i < len(k.spare) && k.spare[i].DType() == typ.DType && k.spare[i].Shape().Equal(typ.Shape) {
		return k.spare[i], nil
	}
	return tensor.New(typ.DType, typ.Shape...)
}

// end gives back the memory, and lets the next run begin. After a panic the memory is given up.
func (r *sessionRun) end() {
	switch {
	case r.st == nil: // stages give back their own
	case r.whole:
		r.session.release(r.st)
	default:
		r.session.discard(r.st.memory)
	}
	r.home.life.exit()
	if r.state != nil {
		<-r.state.running
	}
}
