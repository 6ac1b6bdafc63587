package graph

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// If computes one of two graphs. Its first input, one truth value, says which;
// the others are the inputs of both. Both give outputs of the same types, but for the extents that are Open.
type If struct {
	Then, Else *Graph
	Open       []Extent
}

func (If) Name() string { return "if" }

// Graphs returns the branches.
func (op If) Graphs() []*Graph { return []*Graph{op.Then, op.Else} }

func (op If) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) == 0 || !isOne(in[0], tensor.Bool) {
		return nil, ops.Errorf(op, in, "input 0 must be one truth value")
	}
	// A branch that does not accept the types fails where it is taken: it may stand there for other extents.
	out, err := op.Then.infer(in[1:])
	other, otherErr := op.Else.infer(in[1:])
	switch {
	case err != nil && otherErr != nil:
		return nil, err
	case err != nil:
		out = slices.Clone(other)
	case otherErr != nil:
		other = slices.Clone(out)
	}
	if len(out) != len(other) {
		return nil, ops.Errorf(op, in, "the branches give %d and %d outputs", len(out), len(other))
	}
	out, other = opened(out, op.Open), opened(other, op.Open)
	for i := range out {
		if !sameType(out[i], other[i]) {
			return nil, ops.Errorf(op, in, "output %d is %v in one branch and %v in the other", i, out[i], other[i])
		}
		out[i].Known = nil
	}
	return out, nil
}

func (op If) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	var parts [2]*part
	var errs [2]error
	k := &ops.Kernel{Choice: "if", Parallel: 1}
	for i, g := range op.Graphs() {
		var shape *ops.ShapeError
		if parts[i], errs[i] = newPart(g, p, p.In[1:]); errs[i] == nil {
			parts[i].needs(k, 0)
		} else if !errors.As(errs[i], &shape) {
			return nil, errs[i]
		}
	}
	k.Run = func(c *ops.Call) error {
		i := 1
		if c.In[0].Bytes()[0] != 0 {
			i = 0
		}
		if errs[i] != nil {
			return errs[i]
		}
		kept, _ := c.Kept.(*partStates)
		if kept == nil {
			kept = &partStates{}
			c.Kept = kept
		}
		return parts[i].run(c, &kept[i], c.Scratch, c.Out, c.In[1:])
	}
	return k, nil
}

// Loop computes a graph again and again.
//
// Inputs: the most iterations, int64; a truth value that is false when there is
// none at all; the values that the body changes, as many as Carried says; and what
// stays as it is. The body takes the number of the iteration, int64, the changing
// values and the others, and gives a truth value, whether to go on, and the changed
// values, of the same types but for the extents that are Open. Outputs: the values as the last iteration left them.
type Loop struct {
	Body    *Graph
	Carried int
	Open    []Extent
}

// maxIterations ends loops that would not end.
const maxIterations = 1 << 20

func (Loop) Name() string { return "loop" }

// Graphs returns the body.
func (op Loop) Graphs() []*Graph { return []*Graph{op.Body} }

func (op Loop) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) < 2+op.Carried || op.Carried < 0 || !isOne(in[0], tensor.Int64) || !isOne(in[1], tensor.Bool) {
		return nil, ops.Errorf(op, in, "it takes a number of iterations, a truth value and %d values that change", op.Carried)
	}
	out, err := op.Body.infer(op.bodyTypes(in))
	if err != nil {
		return nil, err
	}
	if len(out) != 1+op.Carried || !isOne(out[0], tensor.Bool) {
		return nil, ops.Errorf(op, in, "the body gives %d outputs where a truth value and %d values are needed", len(out), op.Carried)
	}
	opened(out[1:], op.Open)
	begin := opened(slices.Clone(in[2:]), op.Open)
	for i := range out[1:] {
		if !sameType(out[1+i], begin[i]) {
			return nil, ops.Errorf(op, in, "value %d begins as %v and is %v after an iteration", i, in[2+i], out[1+i])
		}
		out[1+i].Known = nil
	}
	return out[1:], nil
}

// bodyTypes returns the types of the body's inputs.
func (op Loop) bodyTypes(in []ops.Type) []ops.Type {
	types := append([]ops.Type{{DType: tensor.Int64, Shape: tensor.Shape{}}}, opened(slices.Clone(in[2:]), op.Open)...)
	for i := range op.Carried {
		types[1+i].Known = nil
	}
	return types
}

func (op Loop) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	types := op.bodyTypes(p.In)
	body, err := newPart(op.Body, p, types)
	if err != nil {
		return nil, err
	}
	// The number of the iteration and the condition, then the values twice.
	own := append(append([]ops.Type{types[0], p.In[1]}, p.Out...), p.Out...)
	size := 0
	for _, t := range own {
		size += align(t.Bytes())
	}
	k := &ops.Kernel{Choice: "loop", Parallel: 1}
	body.needs(k, size)
	k.Run = func(c *ops.Call) error {
		s, _ := c.Kept.(*loopState)
		if s == nil {
			var err error
			if s, err = op.newState(c, c.Scratch[:size], own); err != nil {
				return err
			}
			c.Kept = s
		}
		return s.run(c, body, c.Scratch[size:])
	}
	return k, nil
}

// loopState is what a loop in progress works on. An iteration reads one set of
// the values and writes the other.
type loopState struct {
	iteration, condition *tensor.Tensor
	values               [2][]*tensor.Tensor
	in, out              [2][]*tensor.Tensor // of an iteration that reads the one or the other
	body                 *state
}

func (op Loop) newState(c *ops.Call, memory []byte, types []ops.Type) (*loopState, error) {
	own, err := tensorsIn(memory, types)
	if err != nil {
		return nil, err
	}
	n := op.Carried
	s := &loopState{iteration: own[0], condition: own[1], values: [2][]*tensor.Tensor{own[2 : 2+n], own[2+n:]}}
	for i := range 2 {
		s.in[i] = slices.Concat(own[:1], s.values[i], c.In[2+n:])
		s.out[i] = slices.Concat(own[1:2], s.values[1-i])
	}
	return s, nil
}

func (s *loopState) run(c *ops.Call, body *part, scratch []byte) error {
	for i, t := range s.values[0] {
		if err := t.CopyFrom(c.In[2+i]); err != nil {
			return err
		}
	}
	if err := s.condition.CopyFrom(c.In[1]); err != nil {
		return err
	}
	n, count := int64(0), c.In[0].Int64s()[0]
	for ; n < count && s.condition.Bytes()[0] != 0; n++ {
		if n == maxIterations {
			return &ops.ValueError{Op: "loop", Reason: fmt.Sprintf("it does not end after %d iterations", n)}
		}
		s.iteration.Int64s()[0] = n
		if err := body.run(c, &s.body, scratch, s.out[n%2], s.in[n%2]); err != nil {
			return err
		}
	}
	for i, t := range s.values[n%2] {
		if err := c.Out[i].CopyFrom(t); err != nil {
			return err
		}
	}
	return nil
}

func isOne(t ops.Type, d tensor.DType) bool { return t.DType == d && len(t.Shape) == 0 && t.Q == nil }

func sameType(a, b ops.Type) bool {
	return a.DType == b.DType && a.Shape.Equal(b.Shape) && a.Q.Equal(b.Q)
}

// infer returns the types of the outputs for inputs of the given types.
func (g *Graph) infer(inputs []ops.Type) ([]ops.Type, error) {
	return g.inferWith(inputs, func(op ops.Op) ops.Op { return op })
}

// inferWith is infer with other operators.
func (g *Graph) inferWith(inputs []ops.Type, as func(ops.Op) ops.Op) ([]ops.Type, error) {
	if len(inputs) != len(g.Inputs) {
		return nil, fmt.Errorf("a graph of %d inputs gets %d", len(g.Inputs), len(inputs))
	}
	types := make(map[*Value]ops.Type)
	for i, v := range g.Inputs {
		types[v] = inputs[i]
	}
	of := func(v *Value) ops.Type {
		if t, ok := types[v]; ok {
			return t
		}
		return v.Type
	}
	for _, n := range g.Nodes {
		in := make([]ops.Type, len(n.Inputs))
		for i, v := range n.Inputs {
			in[i] = of(v)
		}
		out, err := infer(as(n.Op), in)
		if err != nil {
			return nil, &NodeError{Node: n, Err: err}
		}
		for i, v := range n.Outputs {
			types[v] = out[i]
		}
	}
	out := make([]ops.Type, len(g.Outputs))
	for i, v := range g.Outputs {
		out[i] = of(v)
	}
	return out, nil
}

// part is a graph inside an operator, prepared for inputs of given types. It
// computes in the scratch memory of the operator's kernel.
type part struct {
	session *Session
	plan    *plan
}

// partStates are what the branches of an If work on in one call.
type partStates [2]*state

// partKey names the optimized form of a graph among the packed constants of a session.
type partKey struct{ g *Graph }

type optimizedPart struct {
	g   *Graph
	err error
}

func newPart(g *Graph, p *ops.Prepare, inputs []ops.Type) (*part, error) {
	o := ops.Packed(p, partKey{g}, func() optimizedPart {
		c := g.Clone()
		return optimizedPart{c, c.Rewrite(Optimizations, 0)}
	})
	if o.err != nil {
		return nil, o.err
	}
	limit := p.MaxMemory
	if limit <= 0 {
		limit = defaultMaxMemory
	}
	s := &Session{graph: o.g, tier: p.Tier, threads: p.Threads, opts: Options{MaxMemory: limit, MaxPacked: p.MaxPacked}, pack: p.Pack}
	pl, err := s.makePlan(context.Background(), "", inputs)
	return &part{session: s, plan: pl}, err
}

// needs adds what the part takes to a kernel's memory, behind bytes of its own.
func (t *part) needs(k *ops.Kernel, own int) {
	k.Scratch = max(k.Scratch, own+t.plan.arena)
	k.WorkerScratch = max(k.WorkerScratch, t.plan.workerScratch)
	k.WorkerPointers = max(k.WorkerPointers, t.plan.workerPointers)
}

// run computes the part in scratch memory of a call, whose state it keeps in kept.
func (t *part) run(c *ops.Call, kept **state, scratch []byte, outputs, inputs []*tensor.Tensor) error {
	if *kept == nil {
		st, err := t.plan.newState(t.session, scratch[:t.plan.arena], c.Workers)
		if err != nil {
			return err
		}
		*kept = st
	}
	st := *kept
	for i := range st.calls {
		st.calls[i].Pool, st.calls[i].Workers = c.Pool, c.Workers
	}
	return t.session.steps(c.Context, st, outputs, inputs)
}

// tensorsIn returns tensors of the given types one after the other in memory.
func tensorsIn(memory []byte, types []ops.Type) ([]*tensor.Tensor, error) {
	out := make([]*tensor.Tensor, len(types))
	for i, t := range types {
		x, err := tensor.FromBytes(t.DType, memory[:t.Bytes():t.Bytes()], t.Shape...)
		if err != nil {
			return nil, err
		}
		out[i] = x.WithQParams(t.Q)
		memory = memory[align(t.Bytes()):]
	}
	return out, nil
}
