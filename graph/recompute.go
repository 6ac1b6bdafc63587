package graph

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
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
	nodes    []planned
	bytes    []int  // of roots; 0 of what does not lie in the arena
	defined  []int  // node that computes a root, -1 of inputs, constants and variables
	lastUse  []int  // by a node of the forward pass; -1 without one
	stored   []bool // roots of the forward pass that later nodes use
	pinned   []bool // roots that are kept in any case
	crossing []int  // bytes of the roots that forward nodes on both sides of the border behind node i use
	small    int    // size up to which pieces are not placed one by one
	effort   int    // nodes that ways may still be measured with
}

// planned is what measuring needs to know of a node.
type planned struct {
	in, out       []int // roots
	from          []int // node of the forward pass that computes an input, -1 of others
	inPlace       []int // inputs whose memory the first output may lie in
	scratch, work int
}

// newRecomputation returns nil where there are no gradients.
func newRecomputation(g *Graph, p *plan) *recomputation {
	n := len(p.slots)
	r := &recomputation{
		g: g, plan: p, nodes: make([]planned, len(g.Nodes)), bytes: make([]int, n), defined: make([]int, n),
		lastUse: make([]int, n), stored: make([]bool, n), pinned: make([]bool, n), effort: maxEffort,
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
	for i, n := range g.Nodes {
		n.index = i
		r.nodes[i].work = work(n)
	}
	for _, st := range p.steps {
		u := &r.nodes[st.node.index]
		u.scratch, u.inPlace = st.kernel.Scratch, p.inPlace(st)
	}
	for i, n := range g.Nodes {
		u := &r.nodes[i]
		for _, v := range n.Outputs {
			k := r.root(v)
			u.out = append(u.out, k)
			if k == p.slot(v) {
				r.defined[k] = i
			}
		}
		for _, v := range n.Inputs {
			k, from := r.root(v), -1
			if v.Node != nil && v.Node.index < r.forward {
				from = v.Node.index
			}
			u.in, u.from = append(u.in, k), append(u.from, from)
			switch {
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

func (r *recomputation) root(v *Value) int { return r.plan.slots[r.plan.slot(v)].root }

// pin finds the roots that have to be kept: those of nodes with an effect, those computed from variables that are
// written before the backward pass, and those used behind the first node that writes, where the variables
// are no longer what they were. Small values are kept as well: they are not worth it.
func (r *recomputation) pin() {
	written := make(map[*tensor.Tensor]bool)
	writing := false
	for i, n := range r.g.Nodes {
		if w, ok := n.Op.(Writer); ok {
			if writing = writing || i >= r.forward; i < r.forward {
				for _, k := range w.Writes() {
					written[n.Inputs[k].Variable] = true
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
	r.small = total / negligible / 10
	for k, b := range r.bytes {
		r.pinned[k] = r.pinned[k] || b <= total/negligible || r.defined[k] < 0
	}
	for _, n := range r.g.Nodes[:r.forward] {
		once := hasEffect(n) || slices.ContainsFunc(n.Inputs, func(v *Value) bool { return v.Variable != nil && written[v.Variable] })
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
	node  int
	again bool
}

// choose returns the way with the least work whose arena is within target, otherwise that with the smallest
// arena; nil where nothing is to be done or to be gained. It tries divisions of the forward pass into segments of many sizes, as the
// paper's algorithm does for given budgets, and improves the best of them value by value.
func (r *recomputation) choose(target int) *way {
	all := make([]bool, len(r.bytes))
	for k := range all {
		all[k] = true
	}
	none := r.measure(all, maxArena)
	if none.arena <= target {
		return nil
	}
	total, largest := 0, 0
	for k, b := range r.bytes {
		if r.stored[k] && !r.pinned[k] {
			total += b
			largest = max(largest, b)
		}
	}
	type start struct {
		*way
		cuts []int
	}
	var starts [2][]start // that keep what is costly to compute, and others
	for budget := float64(total); budget > float64(largest)/2; budget *= 0.9 {
		cuts := r.cuts(int(budget))
		for i, heavy := range []bool{true, false} {
			w := r.measure(r.keeping(cuts, heavy), maxArena)
			if !slices.ContainsFunc(starts[i], func(s start) bool { return s.arena == w.arena && s.work == w.work }) {
				starts[i] = append(starts[i], start{w, cuts})
			}
		}
	}
	best := none
	for _, goal := range []int{target, int(SmallestArena)} {
		for i := range starts {
			sorting.Func(starts[i], func(a, b start) int {
				return cmp.Or(max(a.arena, goal)-max(b.arena, goal), a.work-b.work)
			})
			for _, s := range starts[i][:min(len(starts[i]), tried)] {
				w := r.improve(r.spare(s.way, s.cuts, goal), goal)
				if goal < target {
					w = r.improve(w, target)
				}
				if w.better(best, target) {
					best = w
				}
			}
		}
		if target == int(SmallestArena) {
			break
		}
	}
	if best == none {
		return nil
	}
	return best
}

// tried is how many of the best divisions are improved.
const tried = 3

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
		if w := r.measure(keep, max(best.arena, target)); w != nil && w.better(best, target) {
			best = w
		}
	}
	return best
}

// rounds bounds how often improve goes through all values, and maxEffort what all measuring takes, to seconds.
const (
	rounds    = 3
	maxEffort = 4 << 20
)

// improve keeps single values or computes them again, as long as that makes the way better.
func (r *recomputation) improve(best *way, target int) *way {
	var order []int // what costs most for its size first
	for k, first := range r.defined {
		if first >= 0 && first < r.forward && !r.pinned[k] {
			order = append(order, k)
		}
	}
	cost := func(k int) float64 { return float64(r.nodes[r.defined[k]].work) / float64(r.bytes[k]) }
	sorting.Func(order, func(a, b int) int { return cmp.Compare(cost(b), cost(a)) })
	for range rounds {
		before := best
		for _, k := range order {
			if r.effort < 0 {
				return best
			}
			keep := slices.Clone(best.keep)
			keep[k] = !keep[k]
			if w := r.measure(keep, max(best.arena, target)); w != nil && w.better(best, target) {
				best = w
			}
		}
		if best == before {
			break
		}
	}
	return best
}

// again reports whether the backward pass uses the second version of a value with root k, which node from of the forward
// pass computes. What the backward pass computes itself has one version, though that may be a view of a second one.
func again(keep []bool, k, from int) bool { return from >= 0 && !keep[k] }

// sequence returns what runs, in order: each node of the forward pass runs again at most once, in front of the
// first node that needs it.
func (r *recomputation) sequence(keep []bool) []repetition {
	seq := make([]repetition, 0, 2*len(r.nodes))
	for i := range r.forward {
		seq = append(seq, repetition{i, false})
	}
	done := make([]bool, r.forward)
	var need func(i int)
	need = func(i int) {
		for j, from := range r.nodes[i].from {
			if again(keep, r.nodes[i].in[j], from) && !done[from] {
				done[from] = true
				need(from)
				seq = append(seq, repetition{from, true})
			}
		}
	}
	for i := r.forward; i < len(r.nodes); i++ {
		need(i)
		seq = append(seq, repetition{i, false})
	}
	return seq
}

// measure lays out the memory of a way; nil where it takes more than limit bytes.
func (r *recomputation) measure(keep []bool, limit int) *way {
	w := &way{keep: keep}
	seq := r.sequence(keep)
	r.effort -= len(seq)
	at := make([]int, 2*len(r.bytes)) // of both versions of each root: its place in lives, counted from 1
	lives := make([]life, 0, len(at)+len(seq))
	version := func(k int, again bool) *int {
		if again {
			return &at[2*k+1]
		}
		return &at[2*k]
	}
	touch := func(k int, again bool, step int) {
		if r.bytes[k] == 0 {
			return
		}
		i := version(k, again)
		if *i == 0 {
			lives = append(lives, life{size: r.bytes[k], first: step})
			*i = len(lives)
		}
		lives[*i-1].last = step
	}
	for step, s := range seq {
		u := &r.nodes[s.node]
		late := s.again || s.node >= r.forward
		for _, k := range u.in {
			touch(k, late && !keep[k], step)
		}
		for _, k := range u.out {
			touch(k, s.again || late && !keep[k], step)
		}
		if s.again {
			w.work += u.work
		}
	}
	// What plan.shareInPlace does.
	for step, s := range seq {
		u := &r.nodes[s.node]
		late := s.again || s.node >= r.forward
		for _, i := range u.inPlace {
			in, out := version(u.in[i], late && !keep[u.in[i]]), version(u.out[0], s.again || late && !keep[u.out[0]])
			if *in == 0 || lives[*in-1].last != step {
				continue
			}
			lives[*in-1].last = lives[*out-1].last
			lives[*out-1].size = 0
			*out = *in
			break
		}
	}
	lives = slices.DeleteFunc(lives, func(l life) bool { return l.size == 0 })
	for step, s := range seq {
		if n := r.nodes[s.node].scratch; n > 0 {
			lives = append(lives, life{size: n, first: step, last: step})
		}
	}
	// The many small pieces count as if none shared memory: placing them takes longer than that is worth.
	small := 0
	lives = slices.DeleteFunc(lives, func(l life) bool {
		if l.size > r.small {
			return false
		}
		small += align(l.size)
		return true
	})
	if limit -= small; inUse(lives, len(seq)) > limit {
		return nil
	}
	spans := make([]span, len(lives))
	for i := range lives {
		lives[i].span = &spans[i]
	}
	var ok bool
	if w.arena, ok = layOut(lives, limit); !ok {
		return nil
	}
	w.arena += small
	return w
}

// inUse returns the most bytes in use at one time, below which no arena can be.
func inUse(lives []life, steps int) int {
	change := make([]int, steps+1)
	for _, l := range lives {
		change[l.first] += l.size
		change[l.last+1] -= l.size
	}
	most, now := 0, 0
	for _, c := range change {
		now += c
		most = max(most, now)
	}
	return most
}

// maxArena is no limit.
const maxArena = int(^uint(0) >> 2)

// apply rewrites the graph.
func (r *recomputation) apply(w *way) {
	second := make(map[*Value]*Value)
	resolve := func(n *Node) []*Value {
		u, out := &r.nodes[n.index], slices.Clone(n.Inputs)
		for j, v := range out {
			if again(w.keep, u.in[j], u.from[j]) {
				out[j] = second[v]
			}
		}
		return out
	}
	var nodes []*Node
	for _, s := range r.sequence(w.keep) {
		n := r.g.Nodes[s.node]
		switch {
		case s.again:
			repeated := &Node{Op: n.Op, Scope: n.Scope, Inputs: resolve(n), backward: true}
			for _, v := range n.Outputs {
				second[v] = r.g.value(&Value{Type: v.Type, Node: repeated})
				repeated.Outputs = append(repeated.Outputs, second[v])
			}
			n = repeated
		case s.node >= r.forward:
			n.Inputs = resolve(n)
		}
		nodes = append(nodes, n)
	}
	r.g.Nodes = nodes
}

// isHeavy reports whether a node computes more than it moves.
func isHeavy(n *Node) bool {
	w := n.work()
	return w.MACs+w.Int8MACs > w.Bytes
}

// work estimates the time of a node, in bytes that memory could move meanwhile.
func work(n *Node) int {
	w := n.work()
	return int(w.Bytes + (w.MACs+w.Int8MACs)/3)
}

func (n *Node) work() ops.Work { return ops.WorkOf(n.Op, typesOf(n.Inputs), typesOf(n.Outputs)) }
