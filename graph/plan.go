package graph

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// bytes returns about what the plan itself takes.
func (p *plan) bytes() int64 {
	bytes := int64(len(p.steps))*1024 + int64(len(p.slots))*256
	for i := range p.slots {
		if sl := &p.slots[i]; sl.derived {
			bytes += int64(sl.typ.Bytes())
		}
	}
	return bytes
}

// stateBytes returns about what a state takes beside the memory that it lies in.
func (p *plan) stateBytes() int64 { return int64(len(p.steps))*512 + int64(len(p.slots))*192 }

// runBytes returns about what one run takes.
func (p *plan) runBytes(threads int) int64 {
	return int64(p.arena) + int64(threads)*workerBytes(p.workerScratch, p.workerPointers) + p.stateBytes()
}

// plan is a graph prepared for inputs of given shapes: the kernels in order and
// where in memory each value lies. A plan is not changed once made, but for gone.
type plan struct {
	key    string
	steps  []step
	slots  []slot // where each value's memory comes from
	slotOf *valueTable[int]
	arena  int         // bytes
	shared map[any]any // of kernels, see ops.Prepare.Share
	gone   bool        // no longer kept by the session, whose lock holds for this

	workerScratch, workerPointers int
	operands                      int // of all steps
}

// step is one kernel to run.
type step struct {
	node    *Node
	kernel  *ops.Kernel
	in, out []int // slots
	scratch span  // in the arena
	writes  bool  // variables
}

type span struct{ start, size int }

// slotUse says which steps use a root: the first and the last.
type slotUse struct {
	first, last int
	used        bool // by any
}

// slot is the memory of one value.
type slot struct {
	typ     ops.Type
	konst   *tensor.Tensor // a constant, known from the shapes, or a variable
	derived bool           // konst follows from the shapes
	read    bool           // konst is read by runs, not only while kernels are prepared
	root    int            // the slot whose bytes these are; itself when it is no view
	input   int            // index of the graph input, or -1; of roots
	output  int            // index of the graph output whose memory a root is, or -1
	arena   span
}

// makePlan infers all types for the given inputs, prepares the kernels and lays out the memory.
func (s *Session) makePlan(ctx context.Context, key string, inputs []ops.Type) (*plan, error) {
	p, use, err := s.planSteps(ctx, key, inputs)
	if err != nil {
		return nil, err
	}
	p.shareInPlace(use)
	lives := p.lives(use)
	need := int64(0)
	for _, values := range [][]*Value{s.graph.Inputs, s.graph.Outputs} {
		for _, v := range values {
			if need += int64(p.slots[p.slot(v)].typ.Bytes()); need > s.opts.MaxMemory {
				return nil, &MemoryError{Need: need, Limit: s.opts.MaxMemory}
			}
		}
	}
	var ok bool
	if p.arena, ok = layOut(lives, int(s.opts.MaxMemory)); !ok {
		return nil, &MemoryError{Need: s.opts.MaxMemory, Limit: s.opts.MaxMemory}
	}
	if need += p.runBytes(s.threads); need > s.opts.MaxMemory {
		return nil, &MemoryError{Need: need, Limit: s.opts.MaxMemory}
	}
	return p, nil
}

// planSteps makes a plan whose memory is not laid out yet, and returns how steps use each root.
func (s *Session) planSteps(ctx context.Context, key string, inputs []ops.Type) (*plan, []slotUse, error) {
	nodes := len(s.graph.Nodes)
	p := &plan{key: key, steps: make([]step, 0, nodes), slots: make([]slot, 0, len(inputs)+nodes), slotOf: newValueTable[int](s.graph), shared: make(map[any]any)}
	for i, v := range s.graph.Inputs {
		sl := slot{typ: inputs[i], input: i, output: -1}
		if known := inputs[i].Known; known != nil && i < len(s.settled) && s.settled[i] {
			sl.konst, sl.derived, sl.input = known, true, -1
		}
		p.addSlot(v, sl)
	}
	use := make([]slotUse, 0, cap(p.slots))
	touch := func(i int) {
		for len(use) < len(p.slots) {
			use = append(use, slotUse{})
		}
		l := &use[p.slots[i].root]
		if l.last = len(p.steps); !l.used {
			l.first, l.used = l.last, true
		}
	}
	for _, n := range s.graph.Nodes {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if err := s.planNode(p, n, touch); err != nil {
			return nil, nil, &NodeError{Node: n, Err: err}
		}
	}
	p.bindOutputs(s.graph, touch)
	if err := p.pinConstants(); err != nil {
		return nil, nil, err
	}
	return p, append(use, make([]slotUse, len(p.slots)-len(use))...), nil
}

// shareInPlace lets operators write their output over an input that nothing uses afterwards.
func (p *plan) shareInPlace(use []slotUse) {
	next := make([]int, len(p.slots)) // the slots of each root, itself among them, in a ring
	for i := range next {
		next[i] = i
	}
	for i := range p.slots {
		if root := p.slots[i].root; root != i {
			next[i], next[root] = next[root], i
		}
	}
	for t, st := range p.steps {
		for _, i := range p.inPlace(st) {
			out, root := st.out[0], p.slots[st.in[i]].root
			if !p.slots[root].inArena(root) || use[root].last != t {
				continue
			}
			p.slots[out].root = root
			for k := next[out]; k != out; k = next[k] {
				p.slots[k].root = root
			}
			next[out], next[root] = next[root], next[out] // one ring
			use[root].last = use[out].last
			break
		}
	}
}

// inPlace lists the inputs of a step whose memory its output could lie in.
func (p *plan) inPlace(st step) []int {
	op, ok := st.node.Op.(ops.InPlacer)
	if !ok || len(st.out) == 0 || !p.slots[st.out[0]].inArena(st.out[0]) {
		return nil
	}
	types := make([]ops.Type, len(st.in))
	for i, k := range st.in {
		types[i] = p.slots[k].typ
	}
	return slices.DeleteFunc(op.InPlace(types), func(i int) bool {
		same := 0
		for _, k := range st.in {
			if p.slots[k].root == p.slots[st.in[i]].root {
				same++
			}
		}
		return same > 1 || types[i].Bytes() != p.slots[st.out[0]].typ.Bytes() || types[i].Bytes() != p.slots[p.slots[st.in[i]].root].typ.Bytes()
	})
}

// lives returns what the arena has to hold: values and scratch memory.
func (p *plan) lives(use []slotUse) []life {
	var lives []life
	for i := range p.slots {
		sl := &p.slots[i]
		if sl.inArena(i) {
			l := use[i]
			lives = append(lives, life{span: &sl.arena, size: sl.typ.Bytes(), first: l.first, last: l.last})
		}
	}
	for i := range p.steps {
		if n := p.steps[i].kernel.Scratch; n > 0 {
			lives = append(lives, life{span: &p.steps[i].scratch, size: n, first: i, last: i})
		}
	}
	return lives
}

// inArena reports whether slot i has a place of its own in the arena.
func (sl *slot) inArena(i int) bool {
	return sl.konst == nil && sl.root == i && sl.input < 0 && sl.output < 0
}

// MemoryError says that a run with the shapes at hand would take more memory
// than Options.MaxMemory allows.
type MemoryError struct {
	Need, Limit int64 // bytes; Need may be only a part of what the run takes
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("a run takes %d bytes or more, and %d are allowed (Options.MaxMemory)", e.Need, e.Limit)
}

// within checks that no single piece of memory is above the limit, so that sums
// of pieces cannot overflow.
func (s *Session) within(sizes ...int) error {
	for _, n := range sizes {
		if n < 0 || int64(n) > s.opts.MaxMemory {
			return &MemoryError{Need: max(int64(n), s.opts.MaxMemory), Limit: s.opts.MaxMemory}
		}
	}
	return nil
}

//go:noinline
func (p *plan) addSlot(v *Value, s slot) int {
	i := len(p.slots)
	s.root = i
	p.slots = append(p.slots, s)
	p.slotOf.set(v, i)
	return i
}

// slot returns the slot of a value that has one.
func (p *plan) slot(v *Value) int {
	i, _ := p.slotOf.get(v)
	return i
}

// slotFor returns the slot of a value that is defined already.
func (p *plan) slotFor(v *Value) int {
	if i, ok := p.slotOf.get(v); ok {
		return i
	}
	t, memory := variableType, v.Variable
	if v.Const != nil {
		t, memory = ops.TypeOf, v.Const
	}
	return p.addSlot(v, slot{typ: t(memory), konst: memory, input: -1, output: -1})
}

func (s *Session) planNode(p *plan, n *Node, touch func(int)) error {
	in := make([]int, len(n.Inputs))
	types := make([]ops.Type, len(n.Inputs))
	for i, v := range n.Inputs {
		in[i] = p.slotFor(v)
		types[i] = p.slots[in[i]].typ
	}
	outTypes, err := infer(n.Op, types)
	if err != nil {
		return err
	}
	if _, ok := n.Op.(ops.Item); ok && types[0].Known == nil {
		return errors.New("extents inside of a branch or loop follow from its values, which is not supported")
	}
	known := !hasEffect(n)
	for _, t := range outTypes {
		if t.Known == nil {
			known = false
		}
	}
	if known {
		for i, t := range outTypes {
			p.addSlot(n.Outputs[i], slot{typ: t, konst: t.Known, derived: true, input: -1, output: -1})
		}
		return nil
	}
	if v, ok := n.Op.(ops.Viewer); ok && len(outTypes) == 1 && p.slots[in[0]].konst == nil && v.IsView(types, outTypes) {
		i := p.addSlot(n.Outputs[0], slot{typ: outTypes[0], input: -1, output: -1})
		p.slots[i].root = p.slots[in[0]].root
		return nil
	}
	if !hasEffect(n) && ops.AllEmpty(outTypes) {
		for i, t := range outTypes {
			p.addSlot(n.Outputs[i], slot{typ: t, input: -1, output: -1})
		}
		return nil
	}
	for _, list := range [][]ops.Type{types, outTypes} {
		for _, t := range list {
			if err := s.within(t.Bytes()); err != nil {
				return err
			}
		}
	}
	pack := s.pack
	if slices.ContainsFunc(in, func(i int) bool { return p.slots[i].derived }) {
		pack = once(p.shared) // other shapes have other values: they are packed for this plan alone
	}
	prepare := &ops.Prepare{
		In: types, Out: outTypes, Tier: s.tier, Threads: s.threads,
		Pack: pack, Share: once(p.shared), MaxMemory: s.opts.MaxMemory, MaxPacked: s.opts.MaxPacked,
	}
	kernel, err := n.Op.Prepare(prepare)
	if err == nil {
		err = p.giveUp(in, prepare.Repacked)
	}
	if err != nil {
		return err
	}
	if err := s.within(kernel.Scratch, kernel.WorkerScratch, kernel.WorkerPointers); err != nil {
		return err
	}
	for _, i := range in {
		touch(i)
	}
	st := step{node: n, kernel: kernel, in: in}
	_, st.writes = n.Op.(Writer)
	for i, t := range outTypes {
		j := p.addSlot(n.Outputs[i], slot{typ: t, input: -1, output: -1})
		touch(j)
		st.out = append(st.out, j)
	}
	p.steps = append(p.steps, st)
	p.operands += len(st.in) + len(st.out)
	p.workerScratch = max(p.workerScratch, kernel.WorkerScratch)
	p.workerPointers = max(p.workerPointers, kernel.WorkerPointers)
	return nil
}

// bindOutputs lets the steps write graph outputs directly into the caller's
// tensors where the bytes belong to no other output, input or constant; the
// others are copied at the end.
func (p *plan) bindOutputs(g *Graph, touch func(int)) {
	for i, v := range g.Outputs {
		root := &p.slots[p.slots[p.slotFor(v)].root]
		if root.konst == nil && root.input < 0 && root.output < 0 {
			root.output = i
		} else {
			root.read = true
			p.slots[p.slot(v)].read = true
			touch(p.slot(v))
		}
	}
}

func align(n int) int { return (n + tensor.Alignment - 1) / tensor.Alignment * tensor.Alignment }

// state is the memory of one run in progress.
type state struct {
	plan    *plan
	memory  *runMemory // that it lies in; nil of a part of an operator
	arena   []byte
	tensors []*tensor.Tensor // by slot
	calls   []ops.Call       // by step
	workers []ops.Worker     // of which a run may use fewer
	inputs  [][]*tensor.Tensor
	outputs [][]*tensor.Tensor // tensors that are views of each input's or output's memory
}

// newState returns a state whose values lie in the arena.
func (p *plan) newState(s *Session, arena []byte, workers []ops.Worker) (*state, error) {
	st := &state{
		plan:    p,
		arena:   arena,
		workers: workers,
		tensors: make([]*tensor.Tensor, len(p.slots)),
		calls:   make([]ops.Call, len(p.steps)),
		inputs:  make([][]*tensor.Tensor, len(s.graph.Inputs)),
		outputs: make([][]*tensor.Tensor, len(s.graph.Outputs)),
	}
	for i := range p.slots {
		sl, root := &p.slots[i], &p.slots[p.slots[i].root]
		if sl.konst != nil {
			st.tensors[i] = sl.konst
			if sl.read {
				st.tensors[i] = sl.konst.Contiguous()
			}
			continue
		}
		var data []byte
		size := sl.typ.Bytes()
		if root.input < 0 && root.output < 0 {
			data = st.arena[root.arena.start : root.arena.start+size]
		} else {
			data = tensor.AlignedBytes(0)
		}
		var t *tensor.Tensor
		var err error
		if len(data) == size {
			t, err = tensor.FromBytes(sl.typ.DType, data, sl.typ.Shape...)
		} else {
			t, err = tensor.Unbound(sl.typ.DType, sl.typ.Shape...)
		}
		if err != nil {
			return nil, err
		}
		t = t.WithQParams(sl.typ.Q)
		st.tensors[i] = t
		switch {
		case root.input >= 0:
			st.inputs[root.input] = append(st.inputs[root.input], t)
		case root.output >= 0:
			st.outputs[root.output] = append(st.outputs[root.output], t)
		}
	}
	var next []byte
	for i := len(p.steps) - 1; i >= 0; i-- {
		st.calls[i].Next = next
		if w := p.steps[i].kernel.Weights; len(w) > 0 {
			next = w
		}
	}
	operands := make([]*tensor.Tensor, 0, p.operands)
	list := func(slots []int) []*tensor.Tensor {
		from := len(operands)
		for _, j := range slots {
			operands = append(operands, st.tensors[j])
		}
		return operands[from:len(operands):len(operands)]
	}
	for i := range p.steps {
		c, step := &st.calls[i], &p.steps[i]
		c.Workers, c.Pool = workers, s.pool
		c.Scratch = st.arena[step.scratch.start : step.scratch.start+step.scratch.size]
		c.In, c.Out = list(step.in), list(step.out)
	}
	return st, nil
}

// describe lists steps with their kernels and memory, in columns.
func describe(steps []step) string {
	path, name := 40, 18
	for _, st := range steps {
		path, name = max(path, utf8.RuneCountInString(st.node.Scope.Path)), max(name, utf8.RuneCountInString(st.node.Op.Name()))
	}
	var b strings.Builder
	for _, st := range steps {
		fmt.Fprintf(&b, "%-*s %-*s %s", path, st.node.Scope.Path, name, st.node.Op.Name(), st.kernel.Choice)
		if n := len(st.kernel.Weights); n > 0 {
			fmt.Fprintf(&b, ", %d bytes of packed weights", n)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
