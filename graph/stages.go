package graph

import (
	"context"
	"fmt"
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// stages are the parts of a graph whose extents follow from values: Items divide it, and each If or Loop with extents that only the run
// knows is a part. Each part is a session of its own, which plans for the numbers that the parts in front of it gave. Values go from part to part by places, of which the first are the
// graph's inputs.
type stages struct {
	list    []*stage
	places  int
	given   map[int]*tensor.Tensor // by place, of constants and variables
	outputs []int                  // places
}

// stage is one part.
type stage struct {
	session *Session        // nil of a control
	control *control        // nil of a session
	trace   func(StepTrace) // of a control
	in, out []int           // places of its inputs and outputs
	items   []stageItem
	done    []int // places that nothing reads after it
}

// sessions returns what the stage runs.
func (t *stage) sessions() []*Session {
	if t.control != nil {
		return t.control.graphs
	}
	return []*Session{t.session}
}

// stageItem is an Item whose number is known once the stage has run.
type stageItem struct {
	place int
	node  *Node
}

// cut divides the optimized graph of a session into stages.
func (s *Session) cut(ctx context.Context) (*stages, error) {
	at, last, err := s.graph.ranks()
	if err != nil {
		return nil, err
	}
	c := &cutter{graph: s.graph, at: at, all: &stages{given: make(map[int]*tensor.Tensor)}, place: make(map[*Value]int)}
	for _, v := range s.graph.Inputs {
		c.placeOf(v)
	}
	c.needs()
	first := 0
	for rank := range last + 1 {
		opts := s.opts
		opts.MaxPlanMemory = max(opts.MaxPlanMemory/int64(last+1), 1)
		if trace := opts.Trace; trace != nil {
			before := first
			opts.Trace = func(t StepTrace) { t.Index += before; trace(t) }
		}
		t := c.stage(rank)
		first += len(t.session.graph.Nodes)
		t.session.tier, t.session.pool, t.session.threads, t.session.opts = s.tier, s.pool, s.threads, opts
		t.session.life, t.session.memory, t.session.pack = s.life, s.memory, s.pack
		c.all.list = append(c.all.list, t)
		for _, n := range s.graph.Nodes {
			if c.at[n] != rank || !staged(n.Op) {
				continue
			}
			t, err := c.controlStage(ctx, s, n)
			if err != nil {
				return nil, err
			}
			if trace, index := s.opts.Trace, first; trace != nil {
				t.trace = func(t StepTrace) { t.Index = index; trace(t) }
			}
			first++
			c.all.list = append(c.all.list, t)
		}
	}
	for _, v := range s.graph.Outputs {
		c.all.outputs = append(c.all.outputs, c.placeOf(v))
	}
	c.all.places = len(c.place)
	c.finish()
	return c.all, nil
}

// ranks returns the stage of each node: the first in which its inputs are there. Nodes with an effect are in the last one, so
// that a run that finds the graph unfit for a number has not done anything yet.
func (g *Graph) ranks() (at map[*Node]int, last int, err error) {
	place := func(pin int) (last int) {
		at = make(map[*Node]int, len(g.Nodes))
		written := false
		checked := 0 // where the numbers in front of a node are known to be those that the graph holds for
		for _, n := range g.Nodes {
			rank := 0
			for _, v := range n.Inputs {
				if v.Node != nil {
					r := at[v.Node]
					if endsStage(v.Node.Op) {
						r++
					}
					rank = max(rank, r)
				}
				if v.Variable != nil && written {
					rank = max(rank, pin)
				}
			}
			switch op := n.Op.(type) {
			case ops.Item:
				if op.Exact {
					checked = max(checked, rank+1)
				}
			case ops.Assert:
				rank = max(rank, checked) // of numbers that the graph does not hold for it says nothing
			}
			if delays(n) {
				rank = max(rank, pin)
				_, writes := n.Op.(Writer)
				written = written || writes
			}
			at[n] = rank
			last = max(last, rank)
		}
		return last
	}
	pin := place(0)
	if last = place(pin); last > pin {
		for _, n := range g.Nodes {
			if _, ok := n.Op.(Writer); ok && at[n] < last {
				return nil, 0, &NodeError{Node: n, Err: fmt.Errorf("it writes a variable in front of what its extents follow from")}
			}
		}
	}
	return at, last, nil
}

// endsStage reports whether what an operator gives is there in the next stage only.
func endsStage(op ops.Op) bool {
	_, item := op.(ops.Item)
	return item || staged(op)
}

// delays reports whether a node waits for the last stage.
func delays(n *Node) bool {
	switch n.Op.(type) {
	case ops.Item, ops.Assert:
		return false
	}
	return hasEffect(n)
}

// cutter makes stages.
type cutter struct {
	graph  *Graph
	at     map[*Node]int
	all    *stages
	place  map[*Value]int
	needed map[*Value]bool // by another stage, the caller or an Item
}

// source returns the value that Items pass on as v.
func source(v *Value) *Value {
	for v.Node != nil {
		if _, ok := v.Node.Op.(ops.Item); !ok {
			break
		}
		v = v.Node.Inputs[0]
	}
	return v
}

// placeOf returns the place of a value that goes from stage to stage.
func (c *cutter) placeOf(v *Value) int {
	v = source(v)
	i, ok := c.place[v]
	if !ok {
		i = len(c.place)
		c.place[v] = i
		if v.Const != nil {
			c.all.given[i] = v.Const
		} else if v.Variable != nil {
			c.all.given[i] = v.Variable
		}
	}
	return i
}

// needs finds the values that leave their stage.
func (c *cutter) needs() {
	c.needed = make(map[*Value]bool)
	for _, n := range c.graph.Nodes {
		ends := endsStage(n.Op)
		for _, v := range n.Inputs {
			if s := source(v); s.Node != nil && (ends || c.at[s.Node] < c.at[n]) {
				c.needed[s] = true
			}
		}
	}
	for _, v := range c.graph.Outputs {
		if s := source(v); s.Node != nil {
			c.needed[s] = true
		}
	}
}

// stage makes one stage.
func (c *cutter) stage(rank int) *stage {
	g := &Graph{}
	t := &stage{session: &Session{graph: g}}
	copies := make(map[*Value]*Value)
	get := func(v *Value) *Value {
		w := copies[v]
		if w != nil {
			return w
		}
		w = g.value(&Value{Name: v.Name, Type: v.Type, Const: v.Const, Variable: v.Variable})
		copies[v] = w
		if v.isGiven() {
			return w
		}
		g.Inputs, t.in = append(g.Inputs, w), append(t.in, c.placeOf(v))
		t.session.settled = append(t.session.settled, v.Type.Known != nil)
		return w
	}
	if rank == 0 { // so that its plans have the same keys as those of a graph without Items
		for _, v := range c.graph.Inputs {
			get(v)
		}
	}
	for _, n := range c.graph.Nodes {
		if c.at[n] != rank || staged(n.Op) {
			continue
		}
		if _, ok := n.Op.(ops.Item); ok {
			t.items = append(t.items, stageItem{c.placeOf(n.Inputs[0]), n})
			continue
		}
		d := &Node{Op: n.Op, Scope: n.Scope, backward: n.backward}
		for _, v := range n.Inputs {
			d.Inputs = append(d.Inputs, get(v))
		}
		for _, v := range n.Outputs {
			w := g.value(&Value{Name: v.Name, Type: v.Type, Node: d})
			copies[v] = w
			d.Outputs = append(d.Outputs, w)
			if c.needed[v] {
				g.Outputs, t.out = append(g.Outputs, w), append(t.out, c.placeOf(v))
			}
		}
		g.Nodes = append(g.Nodes, d)
	}
	return t
}

// controlStage makes the stage of an If or Loop.
func (c *cutter) controlStage(ctx context.Context, s *Session, n *Node) (*stage, error) {
	r, err := s.newControl(ctx, n)
	if err != nil {
		return nil, &NodeError{Node: n, Err: err}
	}
	t := &stage{control: r}
	for _, v := range n.Inputs {
		t.in = append(t.in, c.placeOf(v))
	}
	for _, v := range n.Outputs {
		t.out = append(t.out, c.placeOf(v))
	}
	return t, nil
}

// finish notes when each value is read for the last time.
func (c *cutter) finish() {
	seen := make(map[int]bool)
	for _, p := range c.all.outputs {
		seen[p] = true
	}
	for _, t := range slices.Backward(c.all.list) {
		for _, p := range slices.Concat(t.in, t.out) {
			if !seen[p] {
				seen[p] = true
				t.done = append(t.done, p)
			}
		}
	}
}

// run computes the outputs, which are the caller's, and notes the numbers of Items as they are known.
func (g *stages) run(ctx context.Context, home *Session, inputs []*tensor.Tensor, threads int, items *Items) ([]*tensor.Tensor, error) {
	r := &stagesRun{home: home, values: make([]*tensor.Tensor, g.places)}
	defer func() { home.memory.Add(-r.held) }()
	copy(r.values, inputs)
	for i, t := range g.given {
		r.values[i] = t
	}
	for _, t := range g.list {
		if err := r.stage(ctx, t, threads); err != nil {
			return nil, err
		}
		for _, it := range t.items {
			op, v := it.node.Op.(ops.Item), itemValue(r.values[it.place])
			items.add(op.Number, v)
			if op.Exact && v != op.Example {
				items.forgetBehind(op.Number)
				return nil, &NodeError{Node: it.node, Err: &ItemError{op.Example, v}}
			}
		}
		for _, p := range t.done {
			r.drop(p)
		}
	}
	out := make([]*tensor.Tensor, len(g.outputs))
	for i, p := range g.outputs {
		out[i] = r.values[p]
		if _, given := g.given[p]; given || p < len(inputs) || slices.Contains(g.outputs[:i], p) {
			out[i] = out[i].Clone()
		}
	}
	return out, nil
}

// stagesRun is a run in progress.
type stagesRun struct {
	home   *Session
	values []*tensor.Tensor // by place
	held   int64            // bytes of those that stages made
}

// stage runs one stage.
func (r *stagesRun) stage(ctx context.Context, t *stage, threads int) error {
	in := make([]*tensor.Tensor, len(t.in))
	for i, p := range t.in {
		in[i] = r.values[p]
	}
	if t.control != nil {
		return r.control(ctx, t, in, threads)
	}
	out, err := t.session.once(ctx, in, threads, r.hold)
	for i, p := range t.out {
		if err == nil {
			r.values[p] = out[i]
		}
	}
	return err
}

// hold counts what a stage makes, beside which its run takes memory of its own.
func (r *stagesRun) hold(bytes, run int64) error {
	if need := r.held + bytes + run; need > r.home.opts.MaxMemory {
		return &MemoryError{Need: need, Limit: r.home.opts.MaxMemory}
	}
	r.held += bytes
	r.home.memory.Add(bytes)
	return nil
}

// drop gives up a value.
func (r *stagesRun) drop(place int) {
	t := r.values[place]
	if place < len(r.home.graph.Inputs) || r.home.stages.given[place] != nil || t == nil {
		return
	}
	r.values[place] = nil
	bytes := int64(ops.Type{DType: t.DType(), Shape: t.Shape()}.Bytes())
	r.held -= bytes
	r.home.memory.Add(-bytes)
}
