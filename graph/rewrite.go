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

// Rewriter is the graph a rule works on, with what it needs to know about uses.
type Rewriter struct {
	*Graph
	uses       map[*Value]int
	foldBudget int // bytes that folded constants may still take, 0 before the first
}

// Uses returns how many node inputs and graph outputs use the value.
func (r *Rewriter) Uses(v *Value) int { return r.uses[v] }

// Producer returns the node that computes v when nothing else uses v, else nil.
func (r *Rewriter) Producer(v *Value) *Node {
	if v.Node == nil || r.uses[v] != 1 {
		return nil
	}
	return v.Node
}

// maxPatches is how many patches a pass may make for each node it begins with:
// more means that it does not come to an end.
const maxPatches = 64

// Rewrite runs the passes in order. After limit patches, when limit is
// positive, it stops: for finding the patch that breaks a model. What a patch
// touches is checked after it, and the whole graph after the pass. Errors name pass and node.
func (g *Graph) Rewrite(passes []Pass, limit int) error {
	patches := 0
	for _, p := range passes {
		if p.Whole != nil {
			if err := p.Whole(g); err != nil {
				return fmt.Errorf("%s: %w", p.Name, err)
			}
			if err := g.Verify(); err != nil {
				return fmt.Errorf("after %s: %w", p.Name, err)
			}
			continue
		}
		n, err := g.apply(p, limit-patches)
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
func (g *Graph) apply(p Pass, limit int) (patches int, err error) {
	r := newRewriter(g)
	most := maxPatches * (len(g.Nodes) + 1)
	for changed := true; changed; {
		changed = false
		for i := 0; i < len(g.Nodes); {
			n := g.Nodes[i]
			fail := func(err error) (int, error) { return patches, &NodeError{Pass: p.Name, Node: n, Err: err} }
			patch, err := p.Rule(r, n)
			if err != nil {
				return fail(err)
			}
			if patch == nil {
				i++
				continue
			}
			if len(patch.Old) != len(patch.New) {
				return fail(fmt.Errorf("the patch replaces %d values by %d", len(patch.Old), len(patch.New)))
			}
			if patches == most {
				return fail(errors.New("the pass does not come to an end"))
			}
			if i, err = r.patch(i, patch); err != nil {
				return fail(fmt.Errorf("after the patch: %w", err))
			}
			changed = true
			if patches++; patches == limit {
				return patches, nil
			}
		}
	}
	return patches, nil
}

// newRewriter counts the uses in g, after removing what nothing depends on.
func newRewriter(g *Graph) *Rewriter {
	g.RemoveDead()
	r := &Rewriter{Graph: g, uses: make(map[*Value]int)}
	for i, n := range g.Nodes {
		n.index = i
		for _, v := range n.Inputs {
			r.uses[v]++
		}
	}
	for _, v := range g.Outputs {
		r.uses[v]++
	}
	return r
}

// patch makes a patch at node i and checks what it touched. It returns the
// index of the node that followed node i.
func (r *Rewriter) patch(i int, p *Patch) (next int, err error) {
	at := r.Nodes[i]
	r.Nodes = slices.Insert(r.Nodes, i, p.Nodes...)
	touched := slices.Clone(p.Nodes)
	for _, n := range p.Nodes {
		n.backward = at.backward
		for _, v := range n.Inputs {
			r.uses[v]++
		}
	}
	for _, n := range r.Nodes[i+len(p.Nodes):] {
		if r.replace(n.Inputs, p) {
			touched = append(touched, n)
		}
	}
	for j, v := range slices.Clone(r.Outputs) {
		if !r.replace(r.Outputs[j:j+1], p) {
			continue
		}
		if w := r.Outputs[j]; w.Name == "" && !slices.Contains(r.Inputs, w) {
			w.Name = v.Name
		}
	}
	for k, n := range r.Nodes {
		n.index = k
	}
	next = at.index + 1
	unused := append(slices.Clone(p.Nodes), at)
	for _, v := range p.Old {
		if v.Node != nil {
			unused = append(unused, v.Node)
		}
	}
	next -= r.removeUnused(unused, next)
	for _, n := range touched {
		if n.index == removed {
			continue
		}
		if err := verifyNode(n, func(v *Value) bool { return r.definedBefore(v, n.index) }); err != nil {
			return next, &NodeError{Node: n, Err: err}
		}
	}
	return next, nil
}

// replace puts the new values of a patch in the place of the old ones and
// reports whether there were any.
func (r *Rewriter) replace(values []*Value, p *Patch) bool {
	found := false
	for k, v := range values {
		if j := slices.Index(p.Old, v); j >= 0 {
			r.uses[v]--
			r.uses[p.New[j]]++
			values[k] = p.New[j]
			found = true
		}
	}
	return found
}

// removed is the index of a node that is no longer in the graph.
const removed = -1

// removeUnused removes those of the nodes that nothing uses, and then what only
// they used. It returns how many removed nodes were in front of the given index.
func (r *Rewriter) removeUnused(nodes []*Node, before int) int {
	gone, inFront := 0, 0
	for len(nodes) > 0 {
		n := nodes[len(nodes)-1]
		nodes = nodes[:len(nodes)-1]
		if n.index == removed || hasEffect(n) || slices.ContainsFunc(n.Outputs, func(v *Value) bool { return r.uses[v] > 0 }) {
			continue
		}
		gone++
		if n.index < before {
			inFront++
		}
		n.index = removed
		for _, v := range n.Inputs {
			r.uses[v]--
			if v.Node != nil {
				nodes = append(nodes, v.Node)
			}
		}
	}
	if gone > 0 {
		r.Nodes = slices.DeleteFunc(r.Nodes, func(n *Node) bool { return n.index == removed })
		for k, n := range r.Nodes {
			n.index = k
		}
	}
	return inFront
}

// definedBefore reports whether v is an input or the output of a node in front of index i.
func (r *Rewriter) definedBefore(v *Value, i int) bool {
	if v.Node == nil {
		return slices.Contains(r.Inputs, v)
	}
	k := v.Node.index
	return k >= 0 && k < i && r.Nodes[k] == v.Node && slices.Contains(v.Node.Outputs, v)
}

// RemoveDead removes nodes that no output depends on.
func (g *Graph) RemoveDead() {
	live := make(map[*Value]bool)
	for _, v := range g.Outputs {
		live[v] = true
	}
	kept := make([]*Node, 0, len(g.Nodes))
	for _, n := range slices.Backward(g.Nodes) {
		if !slices.ContainsFunc(n.Outputs, func(v *Value) bool { return live[v] }) && !hasEffect(n) {
			continue
		}
		for _, v := range n.Inputs {
			live[v] = true
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
