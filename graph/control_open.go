package graph

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Extent is an extent of an output of an If or Loop that only the run knows: the branches give different ones, or iterations change it.
type Extent struct {
	Output, Axis int
	// Example stands for it wherever types are inferred without a run.
	Example int
}

// opened returns types with the examples of extents, in place of those that one branch or iteration gives.
func opened(types []ops.Type, open []Extent) []ops.Type {
	for _, e := range open {
		if e.Output < len(types) && e.Axis < len(types[e.Output].Shape) {
			t := &types[e.Output]
			t.Shape = t.Shape.Clone()
			t.Shape[e.Axis], t.Known = e.Example, nil
		}
	}
	return types
}

// other returns extents with other examples.
func other(open []Extent) []Extent {
	out := append([]Extent(nil), open...)
	for i := range out {
		out[i].Example++
	}
	return out
}

// staged reports whether an If or Loop runs as a stage of its own: extents of what it gives, or inside its graphs, follow from values.
func staged(op ops.Op) bool {
	switch op := op.(type) {
	case If:
		return len(op.Open) > 0 || op.Then.HasItems() || op.Else.HasItems()
	case Loop:
		return len(op.Open) > 0 || op.Body.HasItems()
	}
	return false
}

// control is an If or Loop that runs as a stage, with a session for each of its graphs.
type control struct {
	node    *Node
	graphs  []*Session
	appends []bool // of the values that iterations change: those to which they append rows
}

// newControl prepares the graphs of a node.
func (s *Session) newControl(ctx context.Context, n *Node) (*control, error) {
	c := &control{node: n}
	for _, g := range n.Op.(interface{ Graphs() []*Graph }).Graphs() {
		opts := s.opts
		opts.Trace = nil
		g = g.Clone()
		if op, loop := n.Op.(Loop); loop {
			c.appends = op.takeAppends(g)
		}
		t, err := s.part(ctx, g, opts)
		if err != nil {
			return nil, err
		}
		c.graphs = append(c.graphs, t)
	}
	return c, nil
}

// part makes the session of a graph that runs within another, whose packed constants it shares.
func (s *Session) part(ctx context.Context, g *Graph, opts Options) (t *Session, err error) {
	if err := g.rewrite(ctx, Optimizations, 0); err != nil {
		return nil, err
	}
	t = &Session{graph: g, tier: s.tier, pool: s.pool, threads: s.threads, opts: opts, life: s.life, memory: s.memory, pack: s.pack}
	for _, v := range g.Inputs {
		t.settled = append(t.settled, v.Type.Known != nil)
	}
	if g.HasItems() {
		t.stages, err = t.cut(ctx)
	}
	return t, err
}

// run computes the node's outputs.
func (c *control) run(ctx context.Context, in []*tensor.Tensor, threads int) (out []*tensor.Tensor, err error) {
	switch op := c.node.Op.(type) {
	case If:
		branch := c.graphs[1]
		if in[0].Contiguous().Bytes()[0] != 0 {
			branch = c.graphs[0]
		}
		out, err = branch.compute(ctx, in[1:], threads)
	case Loop:
		out, err = op.iterate(ctx, c.graphs[0], c.appends, in, threads)
	}
	if err != nil && ctx.Err() == nil {
		err = &NodeError{Node: c.node, Err: err}
	}
	return out, err
}

// takeAppends makes the body give the rows that an iteration appends to a value in place of all rows, where it does nothing else with
// that value, and says of which values. So an iteration takes as long however many rows there are, and has the same plan.
func (op Loop) takeAppends(body *Graph) []bool {
	uses := make(map[*Value]int)
	for _, n := range body.Nodes {
		for _, v := range n.Inputs {
			uses[v]++
		}
	}
	for _, v := range body.Outputs {
		uses[v]++
	}
	appends := make([]bool, op.Carried)
	for i := range appends {
		all, out := body.Inputs[1+i], body.Outputs[1+i]
		if out.Node == nil || uses[all] != 1 || uses[out] != 1 {
			continue
		}
		join, ok := out.Node.Op.(ops.Concat)
		if in := out.Node.Inputs; ok && join.Axis == 0 && len(in) == 2 && in[0] == all && in[1].Node != nil {
			appends[i], body.Outputs[1+i] = true, in[1]
		}
	}
	body.RemoveDead()
	return appends
}

// iterate runs the body of a loop whose values change their extents.
func (op Loop) iterate(ctx context.Context, body *Session, appends []bool, in []*tensor.Tensor, threads int) ([]*tensor.Tensor, error) {
	count, more := in[0].Contiguous().Int64s()[0], in[1].Contiguous().Bytes()[0] != 0
	values := append([]*tensor.Tensor(nil), in[2:]...)
	grown := make([]rows, op.Carried)
	for n := int64(0); n < count && more; n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if n == maxIterations {
			return nil, &ops.ValueError{Op: "loop", Reason: fmt.Sprintf("it does not end after %d iterations", n)}
		}
		out, err := body.compute(ctx, append([]*tensor.Tensor{tensor.Scalar(n)}, values...), threads)
		if err != nil {
			return nil, err
		}
		more = out[0].Bytes()[0] != 0
		for i, v := range out[1:] {
			if !appends[i] {
				values[i] = v
			} else if err := grown[i].add(values[i], v, body.opts.MaxMemory); err != nil {
				return nil, err
			}
		}
	}
	for i := range grown {
		if all, err := grown[i].tensor(); err != nil {
			return nil, err
		} else if all != nil {
			values[i] = all
		}
	}
	return values[:op.Carried], nil
}

// rows is a tensor to which rows are appended, in memory for up to twice as many.
type rows struct {
	memory []byte
	typ    ops.Type
}

// add appends rows; those of first are in front of all.
func (r *rows) add(first, more *tensor.Tensor, limit int64) error {
	if r.memory == nil {
		r.typ = ops.Type{DType: first.DType(), Shape: first.Shape().Clone(), Q: first.QParams()}
		r.memory = append(make([]byte, 0, 2*r.typ.Bytes()), first.Contiguous().Bytes()...)
	}
	joined, err := infer(ops.Concat{}, []ops.Type{r.typ, ops.TypeOf(more)})
	if err != nil {
		return err
	}
	if need := int64(joined[0].Bytes()); need > limit {
		return &MemoryError{Need: need, Limit: limit}
	}
	if n := joined[0].Bytes(); n > cap(r.memory) {
		r.memory = slices.Grow(r.memory, 2*n-len(r.memory))
	}
	r.typ, r.memory = joined[0], append(r.memory, more.Contiguous().Bytes()...)
	return nil
}

// tensor returns all rows, nil where none were appended.
func (r *rows) tensor() (*tensor.Tensor, error) {
	if r.memory == nil {
		return nil, nil
	}
	t, err := tensor.FromBytes(r.typ.DType, r.memory, r.typ.Shape...)
	if err != nil {
		return nil, err
	}
	return t.WithQParams(r.typ.Q), nil
}

// compute runs a session that is part of another.
func (s *Session) compute(ctx context.Context, in []*tensor.Tensor, threads int) (out []*tensor.Tensor, err error) {
	if s.stages != nil {
		return s.stages.run(ctx, s, in, threads, &Items{})
	}
	return s.once(ctx, in, threads, func(int64, int64) error { return nil })
}

// once runs a session without stages. hold is asked for the memory of each output, beside that of the run.
func (s *Session) once(ctx context.Context, in []*tensor.Tensor, threads int, hold func(bytes, run int64) error) ([]*tensor.Tensor, error) {
	st, err := s.acquire(ctx, in)
	if err != nil {
		return nil, err
	}
	whole := false
	defer func() {
		if whole {
			s.release(st)
		} else {
			s.discard(st.memory) // something panicked
		}
	}()
	st.limit(threads)
	out := make([]*tensor.Tensor, len(s.graph.Outputs))
	for i := range out {
		typ := s.outputType(st, i)
		if err = hold(int64(typ.Bytes()), st.plan.runBytes(s.threads)); err != nil {
			break
		}
		if out[i], err = tensor.New(typ.DType, typ.Shape...); err != nil {
			break
		}
		out[i] = out[i].WithQParams(typ.Q)
	}
	if err == nil {
		err = s.steps(ctx, st, out, in)
	}
	whole = true
	return out, err
}

// control runs an If or Loop.
func (r *stagesRun) control(ctx context.Context, t *stage, in []*tensor.Tensor, threads int) error {
	start := time.Now()
	out, err := t.control.run(ctx, in, threads)
	if err != nil {
		return err
	}
	tr := StepTrace{Node: t.control.node, Choice: t.control.node.Op.Name(), In: tensorTypes(in), Out: tensorTypes(out), Duration: time.Since(start)}
	for i, p := range t.out {
		if err := r.hold(int64(tr.Out[i].Bytes()), 0); err != nil {
			return err
		}
		r.values[p] = out[i]
		for k, x := range in { // a loop without an iteration passes its inputs on
			if x == out[i] {
				r.values[p] = in[k].Clone()
			}
		}
	}
	if t.trace != nil {
		t.trace(tr)
	}
	return nil
}

func tensorTypes(list []*tensor.Tensor) []ops.Type {
	types := make([]ops.Type, len(list))
	for i, t := range list {
		types[i] = ops.Type{DType: t.DType(), Shape: t.Shape(), Q: t.QParams()}
	}
	return types
}
