package graph

import (
	"errors"
	"fmt"
	"slices"
)

// Rule looks at one node and returns the change to make there, or nil for none.
type Rule func(g *Rewriter, n *Node) (*Patch, error)

// Patch replaces values: Nodes are inserted in front of the node that the rule
// looked at, and each value Old[i] is replaced by New[i] wherever it is used.
// Nodes whose outputs nobody uses afterwards are removed.
type Patch struct {
	Nodes    []*Node
	Old, New []*Value
}

// Pass is one named step of a pipeline: a rule applied until nothing changes,
// or a function over the whole graph.
type Pass struct {
	Name  string
	Rule  Rule
	Whole func(*Graph) error
}

// Rewriter is the graph a rule works on, with what it needs to know about uses. While
// a pass runs, the nodes are a list, so that a patch costs what it touches and not
// what the graph has; Graph.Nodes is brought up to date behind the pass.
type Rewriter struct {
	*Graph
	uses       []uses // by number of the value
	inputs     map[*Value]bool
	first      *Node
	foldBudget int // bytes that folded constants may still take, 0 before the first
	visits     int // nodes that were looked at or touched, for tests of the cost
}

// uses are what uses a value.
type uses struct {
	count int     // of inputs of nodes and outputs of the graph
	nodes []*Node // once for each input that has been the value: some may no longer be
}

// of returns the uses of a value.
//
//go:noinline
func (r *Rewriter) of(v *Value) *uses {
	if v.id >= len(r.uses) {
		r.uses = append(r.uses, make([]uses, v.id+1-len(r.uses))...)
	}
	return &r.uses[v.id]
}

// Uses returns how many node inputs and graph outputs use the value.
func (r *Rewriter) Uses(v *Value) int { return r.of(v).count }

// Producer returns the node that computes v when nothing else uses v, else nil.
func (r *Rewriter) Producer(v *Value) *Node {
	if v.Node == nil || r.Uses(v) != 1 {
		return nil
	}
	return v.Node
}

// later reports whether node n runs after m.
func later(n, m *Node) bool { return n.place.order > m.place.order }

// place is where a node stands in a Rewriter's list.
type place struct {
	prev, next *Node
	order      int64 // grows along the list
	removed    bool
}

// orderStep is the difference of order between neighbours, which leaves room for nodes between them.
const orderStep = 1 << 32

// maxPatches is how many patches a pass may make for each node it begins with:
// more means that it does not come to an end.
const maxPatches = 64

// Rewrite runs the passes in order. After limit patches, when limit is
// positive, it stops: for finding the patch that breaks a model. What a patch
// touches is checked after it, and the whole graph after the pass. Errors name pass and node.
func (g *Graph) Rewrite(passes []Pass, limit int) error {
	patches := 0
	var r *Rewriter // of the passes in a row that are rules
	for _, p := range passes {
		if p.Whole != nil {
			r = nil
			if err := p.Whole(g); err != nil {
				return fmt.Errorf("%s: %w", p.Name, err)
			}
			if err := g.Verify(); err != nil {
				return fmt.Errorf("after %s: %w", p.Name, err)
			}
			continue
		}
		if r == nil {
			r = newRewriter(g)
		}
		n, err := r.apply(p, limit-patches)
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		if err := g.Verify(); err != nil {
			return fmt.Errorf("after %s: %w", p.Name, err)
		}
		if patches += n; patches == limit {
			return nil
		}
	}
	return nil
}

// apply runs the rule of a pass until nothing changes, and returns the number
// of patches. It stops after limit of them when limit is positive.
func (r *Rewriter) apply(p Pass, limit int) (patches int, err error) {
	defer r.finish()
	r.foldBudget = 0
	most := maxPatches * (len(r.Nodes) + 1)
	for changed := true; changed; {
		changed = false
		for n := r.first; n != nil; {
			fail := func(err error) (int, error) { return patches, &NodeError{Pass: p.Name, Node: n, Err: err} }
			r.visits++
			patch, err := p.Rule(r, n)
			if err != nil {
				return fail(err)
			}
			if patch == nil {
				n = n.place.next
				continue
			}
			if len(patch.Old) != len(patch.New) {
				return fail(fmt.Errorf("the patch replaces %d values by %d", len(patch.Old), len(patch.New)))
			}
			if patches == most {
				return fail(errors.New("the pass does not come to an end"))
			}
			next, err := r.patch(n, patch)
			if err != nil {
				return fail(fmt.Errorf("after the patch: %w", err))
			}
			n, changed = next, true
			if patches++; patches == limit {
				return patches, nil
			}
		}
	}
	return patches, nil
}

// newRewriter lists the nodes of g and their uses, after removing what nothing depends on.
func newRewriter(g *Graph) *Rewriter {
	g.RemoveDead()
	r := &Rewriter{Graph: g, uses: make([]uses, g.next), inputs: make(map[*Value]bool)}
	for _, v := range g.Inputs {
		r.inputs[v] = true
	}
	var last *Node
	for _, n := range g.Nodes {
		r.insertAfter(last, n)
		last = n
	}
	for _, v := range g.Outputs {
		r.of(v).count++
	}
	return r
}

// finish brings Graph.Nodes up to date.
func (r *Rewriter) finish() {
	r.Nodes = r.Nodes[:0]
	for n := r.first; n != nil; n = n.place.next {
		r.Nodes = append(r.Nodes, n)
	}
}

// insertAfter puts a node into the list, behind prev or, where that is nil, in front of all.
func (r *Rewriter) insertAfter(prev, n *Node) {
	next, low := r.first, int64(0)
	if prev != nil {
		next, low = prev.place.next, prev.place.order
	}
	n.place = place{prev: prev, next: next, order: low + orderStep}
	if next != nil {
		next.place.prev = n
		n.place.order = low + (next.place.order-low)/2
	}
	if prev != nil {
		prev.place.next = n
	} else {
		r.first = n
	}
	if n.place.order == low {
		r.renumber()
	}
	for _, v := range n.Inputs {
		r.use(n, v)
	}
}

// renumber makes room between all neighbours.
func (r *Rewriter) renumber() {
	order := int64(0)
	for n := r.first; n != nil; n = n.place.next {
		order += orderStep
		n.place.order = order
		r.visits++
	}
}

func (r *Rewriter) use(n *Node, v *Value) {
	u := r.of(v)
	u.count++
	u.nodes = append(u.nodes, n)
}

// unlink takes a node out of the list. Its own links stay, so that a walk goes on from it.
func (r *Rewriter) unlink(n *Node) {
	n.place.removed = true
	prev, next := n.place.prev, n.place.next
	if prev != nil {
		prev.place.next = next
	} else {
		r.first = next
	}
	if next != nil {
		next.place.prev = prev
	}
}

// patch makes a patch at a node and checks what it touched. It returns the
// node that follows.
func (r *Rewriter) patch(at *Node, p *Patch) (next *Node, err error) {
	prev := at.place.prev
	for _, n := range p.Nodes {
		n.backward = at.backward
		r.insertAfter(prev, n)
		prev = n
	}
	touched := append(slices.Clone(p.Nodes), r.replaceUses(at, p)...)
	r.visits += len(touched)
	unused := append(slices.Clone(p.Nodes), at)
	for _, v := range p.Old {
		if v.Node != nil {
			unused = append(unused, v.Node)
		}
	}
	r.removeUnused(unused)
	for next = at.place.next; next != nil && next.place.removed; {
		next = next.place.next
	}
	for _, n := range touched {
		if n.place.removed {
			continue
		}
		if err := verifyNode(n, func(v *Value) bool { return r.definedBefore(v, n) }); err != nil {
			return next, &NodeError{Node: n, Err: err}
		}
	}
	return next, nil
}

// replaceUses puts the new values of a patch in the place of the old ones, in the node
// it is made at, those behind it and the graph's outputs. It returns the nodes it changed.
func (r *Rewriter) replaceUses(at *Node, p *Patch) []*Node {
	var touched []*Node
	outputs := false
	for _, old := range p.Old {
		users := r.of(old).nodes
		kept := users[:0:0]
		inNodes := 0
		for _, n := range users {
			switch {
			case n.place.removed || !slices.Contains(n.Inputs, old):
			case later(at, n):
				kept = append(kept, n)
				inNodes += count(n.Inputs, old)
			case r.replace(n, n.Inputs, p):
				touched = append(touched, n)
			}
		}
		r.of(old).nodes = kept
		outputs = outputs || r.Uses(old) > inNodes
	}
	if !outputs {
		return touched
	}
	for j, v := range r.Outputs {
		if !r.replace(nil, r.Outputs[j:j+1], p) {
			continue
		}
		if w := r.Outputs[j]; w.Name == "" && !r.inputs[w] {
			w.Name = v.Name
		}
	}
	return touched
}

func count(values []*Value, v *Value) int {
	n := 0
	for _, w := range values {
		if w == v {
			n++
		}
	}
	return n
}

// replace puts the new values of a patch in the place of the old ones, which node n or, where
// that is nil, the graph uses. It reports whether there were any.
func (r *Rewriter) replace(n *Node, values []*Value, p *Patch) bool {
	found := false
	for k, v := range values {
		j := slices.Index(p.Old, v)
		if j < 0 {
			continue
		}
		r.of(v).count--
		if n != nil {
			r.use(n, p.New[j])
		} else {
			r.of(p.New[j]).count++
		}
		values[k] = p.New[j]
		found = true
	}
	return found
}

// removeUnused removes those of the nodes that nothing uses, and then what only
// they used.
func (r *Rewriter) removeUnused(nodes []*Node) {
	for len(nodes) > 0 {
		n := nodes[len(nodes)-1]
		nodes = nodes[:len(nodes)-1]
		r.visits++
		if n.place.removed || hasEffect(n) || slices.ContainsFunc(n.Outputs, func(v *Value) bool { return r.Uses(v) > 0 }) {
			continue
		}
		r.unlink(n)
		for _, v := range n.Inputs {
			r.of(v).count--
			if v.Node != nil {
				nodes = append(nodes, v.Node)
			}
		}
	}
}

// definedBefore reports whether v is an input or the output of a node in front of n.
func (r *Rewriter) definedBefore(v *Value, n *Node) bool {
	if v.Node == nil {
		return r.inputs[v]
	}
	return r.listed(v.Node) && later(n, v.Node) && slices.Contains(v.Node.Outputs, v)
}

// listed reports whether a node is in the list.
func (r *Rewriter) listed(n *Node) bool {
	if n.place.removed {
		return false
	}
	if n.place.prev != nil {
		return n.place.prev.place.next == n
	}
	return r.first == n
}

// RemoveDead removes nodes that no output depends on.
func (g *Graph) RemoveDead() {
	live := newValueTable[bool](g)
	for _, v := range g.Outputs {
		live.set(v, true)
	}
	kept := make([]*Node, 0, len(g.Nodes))
	for _, n := range slices.Backward(g.Nodes) {
		if !slices.ContainsFunc(n.Outputs, live.has) && !hasEffect(n) {
			continue
		}
		for _, v := range n.Inputs {
			live.set(v, true)
		}
		kept = append(kept, n)
	}
	slices.Reverse(kept)
	g.Nodes = kept
}

// Effect is implemented by operators that do something besides computing their
// outputs, such as observing; they stay though nobody uses the outputs.
type Effect interface{ HasEffect() bool }

// Writer is implemented by operators whose effect is to write some of their inputs, which must be
// variables. Nodes run in the order of the graph: those in front of it read what was there before.
type Writer interface {
	Effect
	// Writes lists the inputs that are written.
	Writes() []int
}

func hasEffect(n *Node) bool {
	e, ok := n.Op.(Effect)
	return ok && e.HasEffect()
}
