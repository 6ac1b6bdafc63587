package graph

import (
	"fmt"
	"slices"

	"github.com/octet-ml/octet/ops"
)

// Recompute is the size in bytes that the arena of a graph with gradients should not exceed. To get there,
// values of the forward pass are not kept until the backward pass needs them but computed a second time, from those that are
// kept, right before it does (Chen et al., 2016, arXiv 1604.06174; torch.utils.checkpoint). Every result has
// the same bits: a node and its repetition are one operator on the same inputs, and what has an effect is never repeated.
// It costs at most one forward pass more for each step; of the ways to get below the size the one that takes the
// least work is chosen, and where none does, the one with the smallest arena.
type Recompute int64

const (
	// KeepAll computes nothing twice.
	KeepAll Recompute = 0
	// SmallestArena is a size that is never reached: the smallest arena that was found is taken.
	SmallestArena Recompute = 1
)

// Validate returns an error for a size that is negative.
func (r Recompute) Validate() error {
	if r < 0 {
		return fmt.Errorf("a recompute target of %d bytes: give the size the arena may have, 1 for the smallest possible, or 0 to keep all values", int64(r))
	}
	return nil
}

// recompute makes nodes of the forward pass run again in the backward pass, until the arena of g, which has the
// plan p, is no larger than target. It comes behind all other passes, which could undo it or fuse a node and
// its repetition in different ways.
func (g *Graph) recompute(target int, p *plan) {
	r := newRecomputation(g, p)
	if r == nil {
		return
	}
	if best := r.choose(target); best != nil {
		r.apply(best)
	}
}

// recomputation is a graph about to be rewritten. A value that is not kept has two versions: the forward
// pass computes and uses the first, the backward pass the second. A root is the slot of a plan whose memory values have.
type recomputation struct {
	g        *Graph
	plan     *plan
	forward  int // nodes in front of the first that belongs to a gradient
	index    map[*Node]int
	scratch  map[*Node]int
	bytes    []int  // of roots; 0 of what does not lie in the arena
	defined  []int  // node that computes a root, -1 of inputs, constants and variables
	lastUse  []int  // by a node of the forward pass; -1 without one
	stored   []bool // roots of the forward pass that later nodes use
	pinned   []bool // roots that are kept in any case
	crossing []int  // bytes of the roots that forward nodes on both sides of the border behind node i use
}

// newRecomputation returns nil where there are no gradients.
func newRecomputation(g *Graph, p *plan) *recomputation {
	n := len(p.slots)
	r := &recomputation{
		g: g, plan: p, index: make(map[*Node]int), scratch: make(map[*Node]int), bytes: make([]int, n),
		defined: make([]int, n), lastUse: make([]int, n), stored: make([]bool, n), pinned: make([]bool, n),
	}
	if r.forward = slices.IndexFunc(g.Nodes, func(n *Node) bool { return n.backward }); r.forward <= 0 {
		return nil
	}
	for k := range p.slots {
		r.defined[k], r.lastUse[k] = -1, -1
		if sl := &p.slots[k]; sl.inArena(k) {
			r.bytes[k] = sl.typ.Bytes()
		}
	}
	for _, st := range p.steps {
		r.scratch[st.node] = st.kernel.Scratch
	}
	for i, n := range g.Nodes {
		r.index[n] = i
		for _, v := range n.Outputs {
			if k := r.root(v); k == p.slotOf[v] {
				r.defined[k] = i
			}
		}
		for _, v := range n.Inputs {
			switch k := r.root(v); {
			case i < r.forward:
				r.lastUse[k] = i
			case r.defined[k] < r.forward:
				r.stored[k] = true
			}
		}
	}
	r.pin()
	r.cross()
	return r
}

func (r *recomputation) root(v *Value) int { return r.plan.slots[r.plan.slotOf[v]].root }

// pin finds the roots that have to be kept: those of nodes with an effect, those computed from variables that are
// written before the backward pass, and those used behind the first node that writes, where the variables
// are no longer what they were. Small values are kept as well: they are not worth it.
func (r *recomputation) pin() {
	written := make(map[*Value]bool)
	writing := false
	for i, n := range r.g.Nodes {
		if w, ok := n.Op.(Writer); ok {
			if writing = writing || i >= r.forward; i < r.forward {
				for _, k := range w.Writes() {
					written[n.Inputs[k]] = true
				}
			}
		}
		if !writing {
			continue
		}
		for _, v := range n.Inputs {
			r.pinned[r.root(v)] = true
		}
	}
	total := 0
	for k, b := range r.bytes {
		if r.stored[k] {
			total += b
		}
	}
	for k, b := range r.bytes {
		r.pinned[k] = r.pinned[k] || b <= total/negligible || r.defined[k] < 0
	}
	for _, n := range r.g.Nodes[:r.forward] {
		once := hasEffect(n) || slices.ContainsFunc(n.Inputs, func(v *Value) bool { return written[v] })
		for _, v := range n.Outputs {
			k := r.root(v)
			r.pinned[k] = r.pinned[k] || once
		}
	}
}

// negligible is the part of all stored bytes up to which a value is not worth computing again.
const negligible = 2000

// cross measures every border between two nodes of the forward pass.
func (r *recomputation) cross() {
	r.crossing = make([]int, r.forward)
	for k, last := range r.lastUse {
		for i := max(r.defined[k], 0); i < last; i++ {
			r.crossing[i] += r.bytes[k]
		}
	}
}

// way is one way to compute values again: which roots are kept, and what follows from that.
type way struct {
	keep  []bool
	arena int // bytes
	work  int // of the repetitions
}

// repetition is a node that runs, for the first time or again.
type repetition struct {
	node  *Node
	again bool
}

// choose returns the way with the least work whose arena is within target, otherwise that with the smallest
// arena; nil where nothing is to be done or to be gained.
func (r *recomputation) choose(target int) *way {
	all := make([]bool, len(r.bytes))
	for k := range all {
		all[k] = true
	}
	best := r.measure(all)
	if best.arena <= target {
		return nil
	}
	total, largest := 0, 0
	for k, b := range r.bytes {
		if r.stored[k] && !r.pinned[k] {
			total += b
			largest = max(largest, b)
		}
	}
	var borders []int
	for budget := float64(total); budget > float64(largest)/2; budget *= 0.9 {
		cuts := r.cuts(int(budget))
		for _, keepHeavy := range []bool{true, false} {
			if w := r.measure(r.keeping(cuts, keepHeavy)); w.better(best, target) {
				best, borders = w, cuts
			}
		}
	}
	if borders == nil {
		return nil
	}
	return r.spare(best, borders, target)
}

// better reports whether w is to be preferred.
func (w *way) better(v *way, target int) bool {
	a, b := max(w.arena, target), max(v.arena, target)
	return a < b || a == b && w.work < v.work
}

// cuts divides the forward pass into segments in which no more than budget bytes are stored, or one value,
// and which end where the least memory crosses. It returns the last node of each segment but the last.
func (r *recomputation) cuts(budget int) []int {
	var cuts []int
	made := make([]int, r.forward) // bytes stored, by node
	for k, b := range r.bytes {
		if r.stored[k] && !r.pinned[k] {
			made[r.defined[k]] += b
		}
	}
	stored, at := 0, -1
	for i := 0; i < r.forward; i++ {
		stored += made[i]
		if stored > budget && at >= 0 {
			cuts = append(cuts, at)
			i, stored, at = at, 0, -1
			continue
		}
		if 2*stored >= budget && (at < 0 || r.crossing[i] <= r.crossing[at]) {
			at = i
		}
	}
	return cuts
}

// keeping returns the roots to keep when what crosses the borders is, and with heavy the
// results of convolutions and products of matrices too.
func (r *recomputation) keeping(cuts []int, heavy bool) []bool {
	keep := slices.Clone(r.pinned)
	for k := range keep {
		first, last := r.defined[k], r.lastUse[k]
		i, _ := slices.BinarySearch(cuts, first)
		crosses := i < len(cuts) && cuts[i] < last
		keep[k] = keep[k] || first >= r.forward || crosses || heavy && isHeavy(r.g.Nodes[first])
	}
	return keep
}

// spare takes back what does not help: the repetition of a segment whose values may as well be kept.
func (r *recomputation) spare(best *way, cuts []int, target int) *way {
	ends := append(slices.Clone(cuts), r.forward-1)
	for s := len(ends) - 1; s >= 0; s-- {
		from := 0
		if s > 0 {
			from = ends[s-1] + 1
		}
		keep := slices.Clone(best.keep)
		for k, first := range r.defined {
			keep[k] = keep[k] || from <= first && first <= ends[s]
		}
		if w := r.measure(keep); w.arena <= max(best.arena, target) && w.work < best.work {
			best = w
		}
	}
	return best
}

// again reports whether the backward pass uses the second version of v, which a repeated node computes. What it
// computes itself has one version, though that may be a view of a second one.
func (r *recomputation) again(keep []bool, v *Value) bool {
	return !keep[r.root(v)] && r.index[v.Node] < r.forward
}

// sequence returns what runs, in order: each node of the forward pass runs again at most once, in front of the
// first node that needs it.
func (r *recomputation) sequence(keep []bool) []repetition {
	seq := make([]repetition, 0, 2*len(r.g.Nodes))
	for _, n := range r.g.Nodes[:r.forward] {
		seq = append(seq, repetition{n, false})
	}
	done := make([]bool, r.forward)
	var repeat func(n *Node)
	need := func(inputs []*Value) {
		for _, v := range inputs {
			if r.again(keep, v) {
				repeat(v.Node)
			}
		}
	}
	repeat = func(n *Node) {
		if i := r.index[n]; !done[i] {
			done[i] = true
			need(n.Inputs)
			seq = append(seq, repetition{n, true})
		}
	}
	for _, n := range r.g.Nodes[r.forward:] {
		need(n.Inputs)
		seq = append(seq, repetition{n, false})
	}
	return seq
}

// measure lays out the memory of a way.
func (r *recomputation) measure(keep []bool) *way {
	w := &way{keep: keep}
	type version struct {
		root  int
		again bool
	}
	at := make(map[version]int)
	var lives, temporary []life
	touch := func(v *Value, again bool, step int) {
		k := r.root(v)
		if r.bytes[k] == 0 {
			return
		}
		i, ok := at[version{k, again}]
		if !ok {
			i = len(lives)
			at[version{k, again}] = i
			lives = append(lives, life{span: new(span), size: r.bytes[k], first: step})
		}
		lives[i].last = step
	}
	for step, s := range r.sequence(keep) {
		late := s.again || r.index[s.node] >= r.forward
		for _, v := range s.node.Inputs {
			touch(v, late && !keep[r.root(v)], step)
		}
		for _, v := range s.node.Outputs {
			touch(v, s.again || late && !keep[r.root(v)], step)
		}
		if n := r.scratch[s.node]; n > 0 {
			temporary = append(temporary, life{span: new(span), size: n, first: step, last: step})
		}
		if s.again {
			w.work += work(s.node)
		}
	}
	w.arena, _ = layOut(append(lives, temporary...), maxArena)
	return w
}

// maxArena is no limit.
const maxArena = int(^uint(0) >> 2)

// apply rewrites the graph.
func (r *recomputation) apply(w *way) {
	second := make(map[*Value]*Value)
	resolve := func(inputs []*Value) []*Value {
		out := slices.Clone(inputs)
		for i, v := range out {
			if r.again(w.keep, v) {
				out[i] = second[v]
			}
		}
		return out
	}
	var nodes []*Node
	for _, s := range r.sequence(w.keep) {
		n := s.node
		switch {
		case s.again:
			n = &Node{Op: n.Op, Scope: n.Scope, Inputs: resolve(n.Inputs), backward: true}
			for _, v := range s.node.Outputs {
				second[v] = r.g.value(&Value{Type: v.Type, Node: n})
				n.Outputs = append(n.Outputs, second[v])
			}
		case r.index[n] >= r.forward:
			n.Inputs = resolve(n.Inputs)
		}
		nodes = append(nodes, n)
	}
	r.g.Nodes = nodes
}

// isHeavy reports whether a node computes more than it moves.
func isHeavy(n *Node) bool { return products(n) > moved(n) }

// work estimates the time of a node, in bytes that memory could move meanwhile.
func work(n *Node) int { return moved(n) + products(n)/3 }

// moved returns the bytes that a node reads and writes.
func moved(n *Node) int {
	total := 0
	for _, values := range [][]*Value{n.Inputs, n.Outputs} {
		for _, v := range values {
			total += v.Type.Bytes()
		}
	}
	return total
}

// products estimates the multiplications of a node: each element of a layer's output takes those of a row of the
// weight, which is the input, other than the first, that has two dimensions or more and another shape than the output.
func products(n *Node) int {
	if len(n.Outputs) == 0 || len(n.Inputs) < 2 {
		return 0
	}
	out := n.Outputs[0].Type
	row := func(v *Value) int { return v.Type.Numel() / max(v.Type.Shape[0], 1) }
	switch n.Op.(type) {
	case ops.MatMul:
		shape := n.Inputs[0].Type.Shape
		return out.Numel() * shape[len(shape)-1]
	case ops.Attention:
		q, k := n.Inputs[0].Type, n.Inputs[1].Type
		return 2 * q.Numel() * k.Numel() / max(k.Shape[0]*k.Shape[len(k.Shape)-1], 1)
	}
	most := 0
	for _, v := range n.Inputs[1:] {
		if len(v.Type.Shape) >= 2 && !v.Type.Shape.Equal(out.Shape) {
			most = max(most, out.Numel()*row(v))
		}
	}
	return most
}
