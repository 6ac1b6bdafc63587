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
	// Threads is the number of workers, at most ops.MaxThreads; 0 means GOMAXPROCS.
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
	closed bool
	runs   sync.WaitGroup // in progress; added to under mu
	plans  []*planEntry   // most recently used first
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
	opts.MaxMemory = min(opts.MaxMemory, math.MaxInt/2) // as the default
	if opts.Threads > ops.MaxThreads {
		return nil, fmt.Errorf("%d threads: at most %d are possible", opts.Threads, ops.MaxThreads)
	}
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

// ErrClosed is the error of a run of a session that was closed.
var ErrClosed = errors.New("the session is closed")

// Close waits for the runs in progress and ends the session's workers. Runs that begin later fail with ErrClosed. After it the
// memory that the model's constants lie in, such as that of a mapped file, may be given up. It must not be called from within a run.
func (s *Session) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.runs.Wait()
	s.pool.Close()
}

// enter begins a run, unless the session is closed.
func (s *Session) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.runs.Add(1)
	return nil
}

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
	Index  int    // of the input, -1 when it is their number or several of them together
	Name   string // of the input
	Reason string // what was given, and what the graph takes
	Err    error  // cause, such as the *NodeError of the operator that does not take their shapes; may be nil
}

// Error names the input.
func (e *InputError) Error() string {
	text := e.Reason
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if e.Index < 0 {
		return "inputs: " + text
	}
	return fmt.Sprintf("input %d (%s): %s", e.Index, e.Name, text)
}

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// Run computes the outputs for the given inputs, which may have other extents
// than the graph's example shapes. The outputs are the caller's. It stops when ctx is
// done, within a node that has many tasks or behind it.
//
// Errors are
//   - *InputError: the number, element types, shapes or quantization parameters of the inputs do not fit,
//   - *MemoryError: the shapes would take more than Options.MaxMemory,
//   - *NodeError with an *ops.ValueError: values do not fit, such as an index out of range,
//   - *NodeError with an *ops.UnsupportedError: an operator cannot compute these shapes,
//   - the context's error, and ErrClosed.
//
// The program of an open graph may give errors of its own.
func (s *Session) Run(ctx context.Context, inputs ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	t, err := s.begin(inputs)
	if err != nil {
		return nil, err
	}
	defer t.end()
	if t.st, err = t.acquire(t.inputs); err != nil {
		return nil, err
	}
	outputs := make([]*tensor.Tensor, t.outputs())
	for i := range outputs {
		typ := t.outputType(t.st, i)
		if outputs[i], err = tensor.New(typ.DType, typ.Shape...); err != nil {
			return nil, err
		}
		outputs[i] = outputs[i].WithQParams(typ.Q)
	}
	if err := t.finish(ctx, outputs); err != nil {
		return nil, err
	}
	return outputs, nil
}

// RunInto is Run with outputs that the caller provides, contiguous, of the right types
// and shapes, and in other memory than the inputs and each other. Once a shape has been run before, it allocates nothing.
func (s *Session) RunInto(ctx context.Context, outputs, inputs []*tensor.Tensor) error {
	t, err := s.begin(inputs)
	if err != nil {
		return err
	}
	defer t.end()
	if t.st, err = t.acquire(t.inputs); err != nil {
		return err
	}
	if err := t.checkOutputs(outputs, inputs); err != nil {
		return err
	}
	return t.finish(ctx, outputs)
}

// outputType returns the type of an output of a run.
func (s *Session) outputType(st *state, i int) ops.Type {
	return st.plan.slots[st.plan.slotOf[s.graph.Outputs[i]]].typ
}

// OutputError says that an output that the caller provides does not fit.
type OutputError struct {
	Index  int // of the output, -1 when their number is wrong
	Reason string
}

// Error names the output.
func (e *OutputError) Error() string {
	if e.Index < 0 {
		return "outputs: " + e.Reason
	}
	return fmt.Sprintf("output %d: %s", e.Index, e.Reason)
}

// checkOutputs checks outputs that the caller provides.
func (t *sessionRun) checkOutputs(outputs, inputs []*tensor.Tensor) error {
	if len(outputs) != t.outputs() {
		return &OutputError{-1, fmt.Sprintf("%d given where the graph has %d", len(outputs), t.outputs())}
	}
	for i, o := range outputs {
		want := t.outputType(t.st, i)
		if o == nil || o.DType() != want.DType || !o.Shape().Equal(want.Shape) || !o.IsContiguous() {
			return &OutputError{i, fmt.Sprintf("it is %v where a contiguous %v is computed", o, want)}
		}
	}
	return checkOverlap(outputs, inputs)
}

// finish runs, and keeps what the model keeps.
func (t *sessionRun) finish(ctx context.Context, outputs []*tensor.Tensor) error {
	all, err := t.extend(outputs, func(i int) ops.Type { return t.outputType(t.st, i) })
	if err != nil {
		return err
	}
	t.broken = true // unless the run comes back, as it does not where a callback panics
	err = t.run(ctx, t.st, all, t.inputs)
	t.broken = false
	if err == nil {
		t.after = all
	}
	return err
}

// checkInputs checks what does not depend on the operators.
func (s *Session) checkInputs(inputs []*tensor.Tensor) error {
	if len(inputs) != len(s.graph.Inputs) {
		return &InputError{Index: -1, Reason: fmt.Sprintf("%d given where the graph has %d", len(inputs), len(s.graph.Inputs))}
	}
	for i, v := range s.graph.Inputs {
		t := inputs[i]
		reason := ""
		switch {
		case t == nil:
			reason = "it is missing"
		case t.DType() != v.Type.DType:
			reason = fmt.Sprintf("it is %v where the graph takes %v", t.DType(), v.Type.DType)
		case t.Rank() != len(v.Type.Shape):
			reason = fmt.Sprintf("it has shape %v where the graph takes %d dimensions, such as %v", t.Shape(), len(v.Type.Shape), v.Type.Shape)
		case !v.Guard.admits(t):
			reason = fmt.Sprintf("its shape %v or value is not the one this graph was made for, %v", t.Shape(), v.Type.Shape)
		case t.QParams() != nil && !t.QParams().Equal(v.Type.Q):
			reason = fmt.Sprintf("it is quantized as %v where the graph takes %v", t.QParams(), v.Type)
		}
		if reason != "" {
			return &InputError{Index: i, Name: v.Name, Reason: reason}
		}
	}
	return nil
}

// acquire returns memory for a run with inputs of these shapes, planning it when they are new. Integers without quantization
// parameters are taken as those of the graph's.
func (s *Session) acquire(inputs []*tensor.Tensor) (*state, error) {
	if err := s.checkInputs(inputs); err != nil {
		return nil, err
	}
	var buf [128]byte
	key := planKey(buf[:0], inputs)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.planFor(key, inputs)
	if err != nil {
		return nil, s.inputError(inputs, err)
	}
	if n := len(e.free); n > 0 {
		st := e.free[n-1]
		e.free = e.free[:n-1]
		return st, nil
	}
	return e.plan.newState(s, tensor.AlignedBytes(e.plan.arena), e.plan.newWorkers(s.threads))
}

// inputError makes an *InputError of an operator's refusal of the inputs' shapes.
func (s *Session) inputError(inputs []*tensor.Tensor, err error) error {
	var shape *ops.ShapeError
	if !errors.As(err, &shape) {
		return err
	}
	if len(inputs) == 1 {
		return &InputError{Name: s.inputName(0), Reason: fmt.Sprintf("%v does not fit", inputs[0]), Err: err}
	}
	text := ""
	for i, t := range inputs {
		if i > 0 {
			text += ", "
		}
		if i == 8 {
			text += fmt.Sprintf("and %d more", len(inputs)-i)
			break
		}
		text += s.inputName(i) + " " + t.String()
	}
	return &InputError{Index: -1, Reason: text + " do not fit", Err: err}
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
		return err
	}
	for i := range st.calls {
		c := &st.calls[i]
		step := &st.plan.steps[i]
		c.Context, c.Done = ctx, nil
		if step.kernel.Interruptible {
			c.Done = ctx.Done()
		}
		var start time.Time
		if s.opts.Trace != nil {
			start = time.Now()
		}
		err := step.kernel.Run(c)
		if done := ctx.Err(); done != nil {
			return done // the outputs of the node may be incomplete
		}
		if err != nil {
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

// Trim gives up the memory that runs have left for those that follow, those of conditions and loops inside the model among
// it. The next run takes it anew.
func (s *Session) Trim() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.plans {
		e.free = nil
		e.plan.trim()
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
