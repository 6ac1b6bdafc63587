package graph

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// chain returns a graph of n ReLUs, one after the other, with the scopes "0" to n-1.
func chain(t testing.TB, n int) *Graph {
	t.Helper()
	g := New()
	v := g.Input("x", tensor.Float32, 2, 3)
	for i := range n {
		v = add(t, g, fmt.Sprint(i), ops.Unary{Fn: ops.ReLU}, v)
	}
	v.Name = "y"
	g.SetOutputs(v)
	return g
}

func add(t testing.TB, g *Graph, path string, op ops.Op, in ...*Value) *Value {
	t.Helper()
	v, err := g.Add1(Scope{Path: path}, op, in...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// fns lists the functions of a graph of unary operators.
func fns(g *Graph) string {
	var names []string
	for _, n := range g.Nodes {
		names = append(names, n.Op.Name())
	}
	return strings.Join(names, " ")
}

// turn replaces one function by others in its place.
func turn(from ops.UnaryFn, to ...ops.UnaryFn) Rule {
	return func(g *Rewriter, n *Node) (*Patch, error) {
		if op, ok := n.Op.(ops.Unary); !ok || op.Fn != from {
			return nil, nil
		}
		p := &Patch{Old: n.Outputs}
		v := n.Inputs[0]
		for _, fn := range to {
			m, err := g.newNode(n.Scope, ops.Unary{Fn: fn}, v)
			if err != nil {
				return nil, err
			}
			p.Nodes = append(p.Nodes, m)
			v = m.Outputs[0]
		}
		p.New = []*Value{v}
		return p, nil
	}
}

func TestRewriteFixedPoint(t *testing.T) {
	for _, c := range []struct {
		name   string
		passes []Pass
		limit  int
		want   string
	}{
		{"nothing", nil, 0, "relu relu relu"},
		{"each", []Pass{{Name: "a", Rule: turn(ops.ReLU, ops.Neg)}}, 0, "neg neg neg"},
		{"more nodes", []Pass{{Name: "a", Rule: turn(ops.ReLU, ops.Neg, ops.Abs)}}, 0, "neg abs neg abs neg abs"},
		{"again in one pass", []Pass{{Name: "a", Rule: func(g *Rewriter, n *Node) (*Patch, error) {
			if p, err := turn(ops.Neg, ops.Abs)(g, n); p != nil || err != nil {
				return p, err
			}
			return turn(ops.ReLU, ops.Neg)(g, n)
		}}}, 0, "abs abs abs"},
		{"in order", []Pass{{Name: "a", Rule: turn(ops.ReLU, ops.Neg)}, {Name: "b", Rule: turn(ops.Neg, ops.Abs)}, {Name: "c", Rule: turn(ops.ReLU, ops.Exp)}}, 0, "abs abs abs"},
		{"first patch", []Pass{{Name: "a", Rule: turn(ops.ReLU, ops.Neg)}}, 1, "neg relu relu"},
		{"two patches", []Pass{{Name: "a", Rule: turn(ops.ReLU, ops.Neg)}}, 2, "neg neg relu"},
		{"into the second pass", []Pass{{Name: "a", Rule: turn(ops.ReLU, ops.Neg)}, {Name: "b", Rule: turn(ops.Neg, ops.Abs)}}, 4, "abs neg neg"},
		{"to the input", []Pass{{Name: "a", Rule: turn(ops.ReLU)}}, 0, ""},
		{"to the input, limited", []Pass{{Name: "a", Rule: turn(ops.ReLU)}}, 2, "relu"},
	} {
		g := chain(t, 3)
		if err := g.Rewrite(c.passes, c.limit); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := fns(g); got != c.want {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
		if g.Inputs[0].Name != "x" {
			t.Errorf("%s: the input is called %q", c.name, g.Inputs[0].Name)
		}
		if len(g.Nodes) > 0 && g.Outputs[0].Name != "y" {
			t.Errorf("%s: the output is called %q", c.name, g.Outputs[0].Name)
		}
	}
}

// TestRewriteUses checks what a rule sees: uses are counted anew after each
// patch, and graph outputs count.
func TestRewriteUses(t *testing.T) {
	g := chain(t, 2)
	mid := g.Nodes[0].Outputs[0]
	g.SetOutputs(g.Outputs[0], mid)
	seen := []int{}
	rule := func(r *Rewriter, n *Node) (*Patch, error) {
		if n.Scope.Path == "1" {
			seen = append(seen, r.Uses(n.Inputs[0]))
			if r.Producer(n.Inputs[0]) != nil {
				t.Error("the producer of a graph output is not for others to take")
			}
			if n.Op.Name() == "relu" {
				return turn(ops.ReLU, ops.Neg)(r, n)
			}
		}
		return nil, nil
	}
	if err := g.Rewrite([]Pass{{Name: "uses", Rule: rule}}, 0); err != nil {
		t.Fatal(err)
	}
	if len(seen) < 2 || slices.ContainsFunc(seen, func(n int) bool { return n != 2 }) {
		t.Errorf("uses %v, not 2 before and after the patch", seen)
	}
}

func TestRewriteErrors(t *testing.T) {
	cause := errors.New("no")
	at := func(path string, f func(r *Rewriter, n *Node) (*Patch, error)) Rule {
		return func(r *Rewriter, n *Node) (*Patch, error) {
			if n.Scope.Path != path {
				return nil, nil
			}
			return f(r, n)
		}
	}
	for _, c := range []struct {
		name string
		pass Pass
		want []string
	}{
		{"rule", Pass{Name: "my pass", Rule: at("1", func(*Rewriter, *Node) (*Patch, error) { return nil, cause })}, []string{"my pass", "1 (relu)", "no"}},
		{"whole", Pass{Name: "my pass", Whole: func(*Graph) error { return cause }}, []string{"my pass", "no"}},
		{"whole breaks it", Pass{Name: "my pass", Whole: func(g *Graph) error { g.Nodes = g.Nodes[1:]; return nil }}, []string{"after my pass", "1 (relu)", "not defined"}},
		{"undefined value", Pass{Name: "my pass", Rule: at("1", func(r *Rewriter, n *Node) (*Patch, error) {
			m, err := r.newNode(n.Scope, ops.Unary{Fn: ops.Neg}, &Value{Type: n.Inputs[0].Type})
			return &Patch{Nodes: []*Node{m}, Old: n.Outputs, New: m.Outputs}, err
		})}, []string{"my pass", "1 (relu)", "after the patch", "not defined"}},
		{"other type", Pass{Name: "my pass", Rule: at("1", func(r *Rewriter, n *Node) (*Patch, error) {
			m, err := r.newNode(n.Scope, ops.Flatten{Start: 0, End: -1}, n.Inputs[0])
			return &Patch{Nodes: []*Node{m}, Old: n.Outputs, New: m.Outputs}, err
		})}, []string{"my pass", "1 (relu)", "after the patch", "type"}},
		{"wrong lengths", Pass{Name: "my pass", Rule: at("1", func(r *Rewriter, n *Node) (*Patch, error) {
			return &Patch{Old: n.Outputs}, nil
		})}, []string{"my pass", "1 (relu)", "replaces"}},
		{"no end", Pass{Name: "my pass", Rule: func(r *Rewriter, n *Node) (*Patch, error) { return turn(ops.ReLU, ops.ReLU)(r, n) }}, []string{"my pass", "relu", "come to an end"}},
	} {
		err := chain(t, 3).Rewrite([]Pass{c.pass}, 0)
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not say %q", c.name, err, part)
			}
		}
		var ne *NodeError
		if c.pass.Rule != nil && (!errors.As(err, &ne) || ne.Pass != "my pass") {
			t.Errorf("%s: %#v does not name pass and node", c.name, err)
		}
		if strings.HasSuffix(err.Error(), "no") && !errors.Is(err, cause) {
			t.Errorf("%s: the cause is lost", c.name)
		}
	}
}

// effect is an operator that stays though nobody uses its output.
type effect struct{ ops.Unary }

func (effect) HasEffect() bool { return true }

func TestRemoveDead(t *testing.T) {
	g := chain(t, 2)
	add(t, g, "dead", ops.Unary{Fn: ops.Neg}, g.Nodes[0].Outputs[0])
	kept := add(t, g, "feeds", ops.Unary{Fn: ops.Abs}, g.Inputs[0])
	add(t, g, "effect", effect{ops.Unary{Fn: ops.Exp}}, kept)
	g.RemoveDead()
	if got := fns(g); got != "relu relu abs exp" {
		t.Error(got)
	}
}

func TestFoldConstants(t *testing.T) {
	g := New()
	x := g.Input("x", tensor.Float32, 2)
	c := g.Const("c", mustTensor(t, []float32{-1, 2}))
	v := add(t, g, "relu", ops.Unary{Fn: ops.ReLU}, c)
	v = add(t, g, "double", ops.Binary{Fn: ops.Add}, v, v)
	y := add(t, g, "sum", ops.Binary{Fn: ops.Add}, x, v)
	g.SetOutputs(y, v)
	if err := g.Rewrite([]Pass{{Name: "fold", Rule: foldConstants}}, 0); err != nil {
		t.Fatal(err)
	}
	if len(g.Nodes) != 1 || g.Outputs[1].Const == nil || !slices.Equal(g.Outputs[1].Const.Float32s(), []float32{0, 4}) {
		t.Errorf("%s", g)
	}
}

// TestFoldBudget checks that a small constant does not grow into a large one
// while the graph is optimized.
func TestFoldBudget(t *testing.T) {
	g := New()
	v := g.Const("c", mustTensor(t, []float32{1, 2}))
	for range 40 {
		v = add(t, g, "double", ops.Concat{}, v, v)
	}
	g.SetOutputs(v)
	if err := g.Rewrite(Fusions, 0); err != nil {
		t.Fatal(err)
	}
	folded := 0
	for _, c := range g.Constants() {
		folded += c.Type.Bytes()
	}
	if folded == 8 || folded > 64<<20 {
		t.Errorf("constants take %d bytes", folded)
	}
	var me *MemoryError
	if _, err := g.Compile(Options{Threads: 1}); !errors.As(err, &me) {
		t.Errorf("8 TB of output: %v", err)
	}
}

func mustTensor[T tensor.Element](t testing.TB, values []T, shape ...int) *tensor.Tensor {
	t.Helper()
	if shape == nil {
		shape = []int{len(values)}
	}
	x, err := tensor.FromSlice(values, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// The work of a pass grows with the number of nodes, also where each of them is patched.
func TestRewriteWork(t *testing.T) {
	work := func(n int) int {
		g := chain(t, n)
		r := newRewriter(g)
		if _, err := r.apply(t.Context(), Pass{Name: "turn", Rule: turn(ops.ReLU, ops.Exp, ops.Tanh)}, 0); err != nil {
			t.Fatal(err)
		}
		if len(g.Nodes) != 2*n {
			t.Fatalf("%d nodes", len(g.Nodes))
		}
		return r.visits
	}
	if small, large := work(500), work(4000); large > 8*small+100 {
		t.Errorf("8 times the nodes take %d visits, %d before", large, small)
	}
	// So does inserting again and again at one place, but for renumbering now and then.
	g := chain(t, 2)
	r := newRewriter(g)
	for range 1000 {
		n := r.first.place.next
		m, err := g.newNode(Scope{}, ops.Unary{Fn: ops.Exp}, n.Inputs[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.patch(n, &Patch{Nodes: []*Node{m}, Old: n.Inputs[:1:1], New: m.Outputs}); err != nil {
			t.Fatal(err)
		}
	}
	r.finish()
	if err := g.Verify(); err != nil || len(g.Nodes) != 1002 {
		t.Errorf("%d nodes, %v", len(g.Nodes), err)
	}
	if r.visits > 50*1000 {
		t.Errorf("%d visits for 1000 patches at one place", r.visits)
	}
}

// Optimizing ends with the context, between two nodes.
func TestRewriteContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	visited := 0
	look := func(*Rewriter, *Node) (*Patch, error) {
		if visited++; visited == 10 {
			cancel()
		}
		return nil, nil
	}
	if err := chain(t, 100).rewrite(ctx, []Pass{{Name: "look", Rule: look}}, 0); !errors.Is(err, context.Canceled) || visited != 10 {
		t.Errorf("error %v after %d nodes", err, visited)
	}
}
