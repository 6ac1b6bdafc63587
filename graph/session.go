package graph

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Options say how to compile a graph. The zero value is a good choice.
type Options struct {
	// Threads is the number of workers; 0 means GOMAXPROCS.
	Threads int
	// CPU names the tier of kernels to use; "" means what OCTET_CPU names, else the best.
	CPU string
	// MaxPlans bounds the plans kept for different input shapes; 0 means 16.
	MaxPlans int
	// MaxMemory bounds the bytes that one run may take besides the constants:
	// inputs, outputs, activations, and the scratch of all workers. Shapes that
	// need more are refused with a *MemoryError before memory is taken, so that a
	// small file cannot ask for a large machine. 0 means 16 GiB.
	MaxMemory int64
	// Recompute, of a graph with gradients, bounds the arena by computing values again instead of keeping
	// them. It is chosen for the example shapes of the inputs. A target of its own, it is no limit: what MaxMemory is.
	Recompute Recompute
	// MaxPatches stops optimizing after so many changes, when positive: for
	// finding the one that changes a result.
	MaxPatches int
	// Trace, when set, is called after each step of each run.
	Trace func(StepTrace)
}

// StepTrace is the record of one step of a run.
type StepTrace struct {
	Index    int
	Node     *Node
	In, Out  []ops.Type
	Choice   string // kernel, tile and tier
	Duration time.Duration
}

// Session is a compiled graph. Run may be called from any number of goroutines.
type Session struct {
	graph   *Graph
	tier    asm.Tier
	pool    *ops.Pool
	threads int
	opts    Options
	pack    func(key any, build func() any) any // keeps packed constants

	mu     sync.Mutex
	plans  []*planEntry // most recently used first
	packed map[any]any

	open *specializations // of an open graph, else nil
}

const (
	defaultMaxPlans  = 16
	defaultMaxMemory = min(16<<30, math.MaxInt/2) // sums of two pieces fit an int
)

type planEntry struct {
	plan *plan
	free []*state
}

// Compile optimizes a copy of the graph and prepares it to run. It fails when a
// node cannot run on the chosen CPU tier. Of an open graph, that happens at the
// first run with inputs of new types, whose errors Run then returns.
func (g *Graph) Compile(opts Options) (*Session, error) {
	if err := opts.Recompute.Validate(); err != nil {
		return nil, err
	}
	tier, err := asm.Resolve(opts.CPU)
	if err != nil {
		return nil, err
	}
	if opts.MaxPlans <= 0 {
		opts.MaxPlans = defaultMaxPlans
	}
	if opts.MaxMemory <= 0 {
		opts.MaxMemory = defaultMaxMemory
	}
	opts.MaxMemory = min(opts.MaxMemory, math.MaxInt/2) // as there
	pool := ops.NewPool(opts.Threads)
	s, err := g.compile(opts, tier, pool)
	if err != nil {
		pool.Close()
	}
	return s, err
}

// compile is Compile with checked options, on the workers of pool.
func (g *Graph) compile(opts Options, tier asm.Tier, pool *ops.Pool) (*Session, error) {
	c := g.Clone()
	s := &Session{graph: c, tier: tier, pool: pool, threads: pool.Threads(), opts: opts, packed: make(map[any]any)}
	s.pack = once(s.packed)
	if g.IsOpen() {
		s.open = &specializations{}
		return s, nil
	}
	if err := c.Verify(); err != nil {
		return nil, err
	}
	if err := c.Rewrite(Optimizations, opts.MaxPatches); err != nil {
		return nil, err
	}
	if opts.MaxPatches > 0 {
		if err := c.Rewrite(Lowering, 0); err != nil {
			return nil, err
		}
	}
	types := make([]ops.Type, len(c.Inputs))
	example := make([]*tensor.Tensor, len(types))
	for i, v := range c.Inputs {
		types[i] = v.Type
		var err error
		if example[i], err = tensor.Unbound(v.Type.DType, v.Type.Shape...); err != nil {
			return nil, err
		}
	}
	key := string(planKey(nil, example))
	if opts.Recompute > KeepAll {
		p, _, err := s.planSteps(key, types)
		if err != nil {
			return nil, err
		}
		c.recompute(int(opts.Recompute), p)
		if err := c.Verify(); err != nil {
			return nil, fmt.Errorf("after recompute: %w", err)
		}
	}
	p, err := s.makePlan(key, types)
	if err != nil {
		return nil, err
	}
	s.plans = []*planEntry{{plan: p}}
	return s, nil
}

// Close ends the session's workers. Runs in progress finish.
func (s *Session) Close() { s.pool.Close() }

// Tier returns the CPU tier the session's kernels are of.
func (s *Session) Tier() asm.Tier { return s.tier }

// Threads returns the number of workers.
func (s *Session) Threads() int { return s.threads }

// Graph returns the optimized graph; it must not be changed. Of an open graph
// it is the one that ran last, and before the first run the open graph.
func (s *Session) Graph() *Graph {
	if c := s.recent(); c != nil {
		return c.graph
	}
	return s.graph
}

// once returns a function that keeps what build makes for a key. It runs under
// s.mu or before the session is shared.
func once(made map[any]any) func(key any, build func() any) any {
	return func(key any, build func() any) any {
		v, ok := made[key]
		if !ok {
			v = build()
			made[key] = v
		}
		return v
	}
}

// InputError says that the inputs of a run do not fit the graph.
type InputError struct {
	Index  int // of the input, -1 when their number is wrong
	Name   string
	Reason string
}

func (e *InputError) Error() string {
	if e.Index < 0 {
		return "inputs: " + e.Reason
	}
	return fmt.Sprintf("input %d (%s): %s", e.Index, e.Name, e.Reason)
}

// Run computes the outputs for the given inputs, which may have other extents
// than the graph's example shapes. It stops at the next node when ctx is cancelled.
// The outputs are the caller's.
func (s *Session) Run(ctx context.Context, inputs ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	t, err := s.begin(inputs)
	if err != nil {
		return nil, err
	}
	st, err := t.acquire(t.inputs)
	if err != nil {
		t.end(nil, err)
		return nil, err
	}
	outputs := make([]*tensor.Tensor, t.outputs())
	for i := range outputs {
		typ := t.outputType(st, i)
		if outputs[i], err = tensor.New(typ.DType, typ.Shape...); err != nil {
			t.release(st)
			t.end(nil, err)
			return nil, err
		}
		outputs[i] = outputs[i].WithQParams(typ.Q)
	}
	if err := t.finish(ctx, st, outputs); err != nil {
		return nil, err
	}
	return outputs, nil
}

// RunInto is Run with outputs that the caller provides, contiguous and of the right types
// and shapes. Once a shape has been run before, it allocates nothing.
func (s *Session) RunInto(ctx context.Context, outputs, inputs []*tensor.Tensor) error {
	t, err := s.begin(inputs)
	if err != nil {
		return err
	}
	st, err := t.acquire(t.inputs)
	if err != nil {
		t.end(nil, err)
		return err
	}
	if err := t.checkOutputs(st, outputs); err != nil {
		t.release(st)
		t.end(nil, err)
		return err
	}
	return t.finish(ctx, st, outputs)
}

// outputType returns the type of an output of a run.
func (s *Session) outputType(st *state, i int) ops.Type {
	return st.plan.slots[st.plan.slotOf[s.graph.Outputs[i]]].typ
}

// checkOutputs checks outputs that the caller provides.
func (t *sessionRun) checkOutputs(st *state, outputs []*tensor.Tensor) error {
	if len(outputs) != t.outputs() {
		return fmt.Errorf("%d outputs given where the graph has %d", len(outputs), t.outputs())
	}
	for i, o := range outputs {
		want := t.outputType(st, i)
		if o == nil || o.DType() != want.DType || !o.Shape().Equal(want.Shape) || !o.IsContiguous() {
			return fmt.Errorf("output %d is %v where a contiguous %v is computed", i, o, want)
		}
	}
	return nil
}

// finish runs, and keeps what the model keeps.
func (t *sessionRun) finish(ctx context.Context, st *state, outputs []*tensor.Tensor) error {
	all, err := t.extend(outputs, func(i int) ops.Type { return t.outputType(st, i) })
	if err != nil {
		t.release(st)
	} else {
		err = t.run(ctx, st, all, t.inputs)
	}
	t.end(all, err)
	return err
}

// acquire returns memory for a run with inputs of these shapes, planning it when they are new.
func (s *Session) acquire(inputs []*tensor.Tensor) (*state, error) {
	if len(inputs) != len(s.graph.Inputs) {
		return nil, &InputError{Index: -1, Reason: fmt.Sprintf("%d given where the graph has %d", len(inputs), len(s.graph.Inputs))}
	}
	for i, v := range s.graph.Inputs {
		t := inputs[i]
		switch {
		case t == nil:
			return nil, &InputError{i, v.Name, "it is missing"}
		case t.DType() != v.Type.DType:
			return nil, &InputError{i, v.Name, fmt.Sprintf("it is %v where the graph takes %v", t.DType(), v.Type.DType)}
		case t.Rank() != len(v.Type.Shape):
			return nil, &InputError{i, v.Name, fmt.Sprintf("it has shape %v where the graph takes %d dimensions, such as %v", t.Shape(), len(v.Type.Shape), v.Type.Shape)}
		case !v.Guard.admits(t):
			return nil, &InputError{i, v.Name, fmt.Sprintf("its shape %v or value is not the one this graph was made for, %v", t.Shape(), v.Type.Shape)}
		}
	}
	var buf [128]byte
	key := planKey(buf[:0], inputs)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.planFor(key, inputs)
	if err != nil {
		return nil, err
	}
	if n := len(e.free); n > 0 {
		st := e.free[n-1]
		e.free = e.free[:n-1]
		return st, nil
	}
	return e.plan.newState(s, tensor.AlignedBytes(e.plan.arena), e.plan.newWorkers(s.threads))
}

func (s *Session) planFor(key []byte, inputs []*tensor.Tensor) (*planEntry, error) {
	for i, e := range s.plans {
		if e.plan.key == string(key) {
			copy(s.plans[1:i+1], s.plans[:i])
			s.plans[0] = e
			return e, nil
		}
	}
	types := make([]ops.Type, len(inputs))
	for i, t := range inputs {
		types[i] = ops.Type{DType: t.DType(), Shape: t.Shape().Clone(), Q: s.graph.Inputs[i].Type.Q}
	}
	p, err := s.makePlan(string(key), types)
	if err != nil {
		return nil, err
	}
	e := &planEntry{plan: p}
	s.plans = append([]*planEntry{e}, s.plans...)
	if len(s.plans) > s.opts.MaxPlans {
		s.plans = s.plans[:s.opts.MaxPlans]
	}
	return e, nil
}

func (s *Session) release(st *state) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.plans {
		if e.plan == st.plan {
			e.free = append(e.free, st)
			return
		}
	}
}

func (s *Session) run(ctx context.Context, st *state, outputs, inputs []*tensor.Tensor) error {
	for i, t := range inputs {
		t = t.Contiguous()
		for _, v := range st.inputs[i] {
			v.Rebind(t)
		}
	}
	for i, t := range outputs {
		for _, v := range st.outputs[i] {
			v.Rebind(t)
		}
	}
	if err := ctx.Err(); err != nil {
		s.release(st)
		return err
	}
	for i := range st.calls {
		if err := ctx.Err(); err != nil {
			s.release(st)
			return err
		}
		c := &st.calls[i]
		c.Context = ctx
		step := &st.plan.steps[i]
		var start time.Time
		if s.opts.Trace != nil {
			start = time.Now()
		}
		if err := step.kernel.Run(c); err != nil {
			s.release(st)
			return &NodeError{Node: step.node, Err: err}
		}
		if s.opts.Trace != nil {
			s.opts.Trace(st.trace(i, time.Since(start)))
		}
	}
	var err error
	for i, v := range s.graph.Outputs {
		slot := st.plan.slotOf[v]
		if st.plan.slots[st.plan.slots[slot].root].output != i {
			err = errors.Join(err, outputs[i].CopyFrom(st.tensors[slot]))
		}
	}
	s.release(st)
	return err
}

func (st *state) trace(i int, d time.Duration) StepTrace {
	step := &st.plan.steps[i]
	tr := StepTrace{Index: i, Node: step.node, Choice: step.kernel.Choice, Duration: d}
	for _, j := range step.in {
		tr.In = append(tr.In, st.plan.slots[j].typ)
	}
	for _, j := range step.out {
		tr.Out = append(tr.Out, st.plan.slots[j].typ)
	}
	return tr
}

// Trim gives up the memory that runs have left for those that follow. The next run takes it anew.
func (s *Session) Trim() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.plans {
		e.free = nil
	}
	if s.open != nil {
		for _, c := range s.open.list {
			c.session.Trim()
		}
	}
}

// Plan describes, one line each, the kernels that run for the most recent shapes.
func (s *Session) Plan() string {
	if s = s.recent(); s == nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.plans[0].plan.describe()
}

// ArenaBytes returns the memory that activations and scratch take in one run
// with the most recent shapes.
func (s *Session) ArenaBytes() int {
	if s = s.recent(); s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.plans[0].plan.arena
}
