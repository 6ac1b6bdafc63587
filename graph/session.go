package graph

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/octet-ml/octet/internal/recent"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Options say how to compile a graph. The zero value is a good choice.
type Options struct {
	// Threads is the number of workers; 0 means GOMAXPROCS, or where the CPU has fast and slow cores at most as many as there are
	// fast ones, and where a control group bounds CPU time at most as many as that is the time of, rounded up. A GOMAXPROCS in the
	// environment is taken as it is. Which cores they run on is left to the system.
	Threads int
	// CPU names the tier of kernels to use; "" means what OCTET_CPU names, else the best.
	CPU string
	// Pool has the workers of the session when it shares them with others: Threads is then the
	// most that one run uses, and whoever made the pool closes it. nil: the session has its own.
	Pool *ops.Pool
	// MaxRuns bounds the runs at a time, each of which takes memory of its own; others wait for
	// their turn or the end of their context. 0 means no bound.
	MaxRuns int
	// MaxPlans bounds the plans kept for different input shapes; 0 means 256.
	MaxPlans int
	// MaxPlanMemory bounds the bytes of the plans that are kept and of the memory that runs leave
	// for those that follow, of an open graph for each graph that its program made. The least
	// recently used go first; the most recent stays, with the memory of one run. 0 means 1 GiB.
	MaxPlanMemory int64
	// MaxMemory bounds the bytes that one run may take besides the constants:
	// inputs, outputs, activations, and the scratch of all workers. Shapes that
	// need more are refused with a *MemoryError before memory is taken, so that a
	// small file cannot ask for a large machine. 0 means 16 GiB.
	MaxMemory int64
	// MaxPacked bounds, for each layer, the bytes of its packed weights over those of its weights, at least 1: 1 keeps
	// weights from being transformed for Winograd's algorithm, which takes 1.8 or 4 times as many bytes in float32.
	// The layer is then slower, and its results differ in their last bits. 0 means no bound.
	MaxPacked float64
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
	Packed   int    // bytes of packed weights
	Duration time.Duration
}

// Session is a compiled graph. Run may be called from any number of goroutines.
type Session struct {
	graph    *Graph
	tier     asm.Tier
	pool     *ops.Pool
	threads  int
	opts     Options
	packed   packs                               // packed constants
	pack     func(key any, build func() any) any // packed.get
	life     *lifetime                           // of all runs, those of specialized graphs too
	memory   *atomic.Int64                       // bytes that all runs have
	planning flights

	mu        sync.Mutex
	plans     recent.List[*plan]
	free      []*runMemory // what runs left for others, the last one to be used last
	kept      int64        // bytes of plans and of what runs left
	forgotten int          // plans that are gone
	abandoned bool         // runs leave nothing

	open    *specializations // of an open graph, else nil
	stages  *stages          // of a graph with Items, else nil
	settled []bool           // of a stage: the inputs whose values planning needs
	state   *SessionState    // of runs without one
	random  bool             // the graph draws random numbers
}

const (
	defaultMaxPlans      = 256
	defaultMaxPlanMemory = 1 << 30
	defaultMaxMemory     = min(16<<30, math.MaxInt/2) // sums of two pieces fit an int
)

// Compile optimizes a copy of the graph and prepares it to run. It fails when a
// node cannot run on the chosen CPU tier. Of an open graph, that happens at the
// first run with inputs of new types, whose errors Run then returns.
func (g *Graph) Compile(opts Options) (*Session, error) {
	return g.CompileContext(context.Background(), opts)
}

// CompileContext is Compile that fails with the error of ctx when it ends before the plan is made.
func (g *Graph) CompileContext(ctx context.Context, opts Options) (*Session, error) {
	if g == nil {
		return nil, errNoGraph
	}
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
	if opts.MaxPlanMemory <= 0 {
		opts.MaxPlanMemory = defaultMaxPlanMemory
	}
	if opts.MaxPacked != 0 && !(opts.MaxPacked >= 1) {
		return nil, &OptionError{"MaxPacked", fmt.Sprintf("%v: it must be at least 1, or 0 for no bound", opts.MaxPacked)}
	}
	if opts.Threads > ops.MaxThreads {
		return nil, &OptionError{"Threads", fmt.Sprintf("%d, and at most %d are possible", opts.Threads, ops.MaxThreads)}
	}
	pool := opts.Pool
	if pool == nil {
		pool = ops.NewPool(opts.Threads)
	}
	threads := pool.Threads()
	if opts.Threads > 0 {
		threads = min(threads, opts.Threads)
	}
	home := &Session{tier: tier, pool: pool, threads: threads, life: newLifetime(opts.MaxRuns), memory: new(atomic.Int64)}
	s, err := g.compile(ctx, opts, home)
	if err != nil && opts.Pool == nil {
		pool.Close()
	}
	return s, err
}

// OptionError says that there is no session or run with such an option.
type OptionError struct{ Option, Reason string }

func (e *OptionError) Error() string { return fmt.Sprintf("option %s: %s", e.Option, e.Reason) }

// compile is Compile with checked options; what sessions of specialized graphs have in common
// is that of home.
func (g *Graph) compile(ctx context.Context, opts Options, home *Session) (*Session, error) {
	c := g.Clone()
	s := &Session{graph: c, tier: home.tier, pool: home.pool, threads: home.threads, opts: opts, life: home.life, memory: home.memory}
	s.pack = s.packed.get
	s.state = s.NewState()
	if g.IsOpen() {
		s.open = &specializations{}
		return s, nil
	}
	if err := c.Verify(); err != nil {
		return nil, err
	}
	s.random = c.isRandom()
	if err := c.rewrite(ctx, Optimizations, opts.MaxPatches); err != nil {
		return nil, err
	}
	if opts.MaxPatches > 0 {
		if err := c.rewrite(ctx, lowering, 0); err != nil {
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
		example[i] = example[i].WithQParams(v.Type.Q)
	}
	key := string(planKey(nil, example))
	if c.HasItems() {
		return s, s.compileStages(ctx, key, types)
	}
	if opts.Recompute > KeepAll {
		p, _, err := s.planSteps(ctx, key, types)
		if err != nil {
			return nil, err
		}
		c.recompute(int(opts.Recompute), p)
		if err := c.Verify(); err != nil {
			return nil, fmt.Errorf("after recompute: %w", err)
		}
	}
	p, err := s.makePlan(ctx, key, types)
	if err != nil {
		return nil, err
	}
	s.plans.Add(p)
	s.kept = p.bytes()
	return s, nil
}

// compileStages is the end of compile for a graph with Items. What follows from their numbers is planned when a run knows them.
func (s *Session) compileStages(ctx context.Context, key string, inputs []ops.Type) (err error) {
	if s.opts.Recompute > KeepAll {
		return &OptionError{"Recompute", "what to compute again cannot be chosen for a graph with extents that only the run knows"}
	}
	if s.stages, err = s.cut(ctx); err != nil {
		return err
	}
	return s.stages.list[0].session.planFor(ctx, key, nil, inputs)
}

// Close waits for the runs in progress, of which none may be the caller's own, and ends the
// session's workers, unless they are those of Options.Pool. Later runs fail with ErrClosed.
func (s *Session) Close() {
	if s.life.close() && s.opts.Pool == nil {
		s.pool.Close()
	}
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

// once returns a function that keeps what build makes for a key, for one goroutine.
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

// Run computes the outputs for the given inputs, which may have other extents
// than the graph's example shapes. The outputs are the caller's.
//
// It fails with
//   - an *InputError when the inputs do not fit the model: their number, an element type,
//     number of dimensions, extent, or quantization parameters (a tensor without any is taken to
//     have those of the input);
//   - a *MemoryError when a run with such inputs takes more than Options.MaxMemory;
//   - the error of ctx when it ends before the outputs are there: a run stops within the
//     node that computes, when that works in tasks, else behind it. A run that has begun to write variables
//     goes on to its end, so that all of them are written, or none;
//   - a *NodeError around an *ops.ValueError when an operator does not accept a value, such as
//     an index out of range, and around an *ops.UnsupportedError when it has no kernel for the
//     types that follow from the inputs;
//   - ErrClosed after Close;
//   - of an open graph, in addition, what comes of its program while a graph for such inputs is made: the loader's
//     *ScriptError and *ExportedError, which say where, around a *RaisedError (an exception of the program), a
//     *LimitError, or what else an operator refuses; an *UnsupportedError that lists operators; a *FileError for what the file
//     holds.
//
// When one of these comes, the memory of the run is used again and the session stays as it was.
func (s *Session) Run(ctx context.Context, inputs ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	return s.state.Run(ctx, inputs...)
}

// RunInto is Run with outputs that the caller provides: contiguous, of the right types
// and shapes, and of memory that no input and no other output has; it fails with an
// *OutputError where they are not. Once a shape has been run before, it allocates nothing, but for a graph with
// extents that only the run knows: the outputs are then copied, or refused once the extents are known.
func (s *Session) RunInto(ctx context.Context, outputs, inputs []*tensor.Tensor) error {
	return s.state.RunInto(ctx, outputs, inputs)
}

// Reset makes a model forget what it kept between runs without a state of their own.
// It waits for a run in progress.
func (s *Session) Reset() { s.state.Reset() }

// Seed makes the random numbers of the runs without a state that follow begin as after torch.manual_seed. Before the first call the
// seed is ops.DefaultSeed, as in PyTorch. Each run draws where the one before ended: runs of a model that draws any go one after the
// other, or each has a SessionState. The numbers are the same for any number of threads.
func (s *Session) Seed(seed int64) { s.state.Seed(seed) }

// latest returns the plans for the most recent shapes: one, or of a graph with Items that of each stage that ran.
func (s *Session) latest() []*plan {
	s = s.recent()
	if s == nil {
		return nil
	}
	sessions := []*Session{s}
	if s.stages != nil {
		sessions = nil
		for _, t := range s.stages.list {
			sessions = append(sessions, t.sessions()...)
		}
	}
	var plans []*plan
	for _, s := range sessions {
		s.mu.Lock()
		if p, ok := s.plans.Latest(); ok {
			plans = append(plans, p)
		}
		s.mu.Unlock()
	}
	return plans
}

// Plan describes, one line each, the kernels that run for the most recent shapes.
func (s *Session) Plan() string {
	var steps []step
	for _, p := range s.latest() {
		steps = append(steps, p.steps...)
	}
	return describe(steps)
}

// Warnings returns what a user should know of the kernels that run for the most recent shapes, each with
// the path of its module: layers that are probably slower in int8 than in float32.
func (s *Session) Warnings() []string {
	var list []string
	for _, p := range s.latest() {
		for _, st := range p.steps {
			if w := st.kernel.Warning; w != "" {
				list = append(list, fmt.Sprintf("%s (%s): %s", st.node.Scope.Path, st.node.Op.Name(), w))
			}
		}
	}
	return list
}

// PackedBytes returns the memory of the packed weights that kernels read with the most recent shapes.
func (s *Session) PackedBytes() int {
	total := 0
	seen := make(map[*byte]bool) // layers may share their weights
	for _, p := range s.latest() {
		for _, st := range p.steps {
			if w := st.kernel.Weights; len(w) > 0 && !seen[&w[0]] {
				seen[&w[0]] = true
				total += len(w)
			}
		}
	}
	return total
}

// ArenaBytes returns the memory that activations and scratch take in one run
// with the most recent shapes.
func (s *Session) ArenaBytes() int {
	most := 0
	for _, p := range s.latest() {
		most = max(most, p.arena)
	}
	return most
}
