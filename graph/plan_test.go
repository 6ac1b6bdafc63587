package graph

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// TestLayOut checks random lifetimes: pieces in use at the same time do not
// overlap, all lie in the arena, and addresses are aligned.
func TestLayOut(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		steps := 1 + r.IntN(30)
		spans := make([]span, r.IntN(60))
		lives := make([]life, len(spans))
		sum, peak := 0, 0
		at := make([]int, steps)
		for i := range spans {
			first := r.IntN(steps)
			lives[i] = life{span: &spans[i], size: r.IntN(5) * r.IntN(1000), first: first, last: min(first+r.IntN(6), steps-1)}
			sum += align(lives[i].size)
			for s := first; s <= lives[i].last; s++ {
				at[s] += lives[i].size
				peak = max(peak, at[s])
			}
		}
		arena, ok := layOut(append([]life(nil), lives...), 1<<30)
		if !ok || arena > sum || arena < peak {
			t.Fatalf("seed %d: arena %d (%v), in use at once %d, in all %d", seed, arena, ok, peak, sum)
		}
		for i, a := range lives {
			if a.span.size != a.size || a.span.start%tensor.Alignment != 0 || a.span.start+a.size > arena {
				t.Fatalf("seed %d: piece %d of %d bytes is %v in %d", seed, i, a.size, *a.span, arena)
			}
			for _, b := range lives[:i] {
				together := a.first <= b.last && b.first <= a.last
				if together && a.span.start < b.span.start+b.size && b.span.start < a.span.start+a.size {
					t.Fatalf("seed %d: %v of steps %d to %d and %v of %d to %d overlap", seed, *a.span, a.first, a.last, *b.span, b.first, b.last)
				}
			}
		}
		if arena > 0 {
			if _, ok := layOut(append([]life(nil), lives...), peak-1); ok {
				t.Fatalf("seed %d: %d bytes were laid out within %d", seed, peak, peak-1)
			}
		}
	}
}

// TestLayOutReuses checks that memory is used again: a long chain takes two pieces.
func TestLayOutReuses(t *testing.T) {
	spans := make([]span, 50)
	var lives []life
	for i := range spans {
		lives = append(lives, life{&spans[i], 640, i, i + 1})
	}
	if arena, _ := layOut(lives, 1<<30); arena != 2*640 {
		t.Errorf("a chain of 50 takes %d bytes", arena)
	}
}

// randomGraph makes a graph of elementwise operators, views and copies, with
// outputs of every kind.
func randomGraph(t *testing.T, r *rand.Rand) *Graph {
	g := New()
	values := []*Value{g.Input("a", tensor.Float32, 4, 6), g.Input("b", tensor.Float32, 4, 6)}
	if r.IntN(3) == 0 {
		values = append(values, g.Const("c", mustTensor(t, make([]float32, 24), 4, 6)))
	}
	pick := func() *Value { return values[max(r.IntN(len(values)), r.IntN(len(values)))] }
	for range 1 + r.IntN(25) {
		v := pick()
		switch r.IntN(6) {
		case 0:
			v = add(t, g, "", ops.Reshape{Shape: []int{6, 4}}, v) // a view
			v = add(t, g, "", ops.Reshape{Shape: []int{4, 6}}, v)
		case 1:
			v = add(t, g, "", ops.Slice{Axis: 0, End: 4, Step: 1}, v) // a view
		case 2:
			v = add(t, g, "", ops.Permute{Order: []int{1, 0}}, v)
			v = add(t, g, "", ops.Reshape{Shape: []int{4, 6}}, v)
		case 3:
			v = add(t, g, "", ops.Unary{Fn: []ops.UnaryFn{ops.ReLU, ops.Neg, ops.Abs}[r.IntN(3)]}, v)
		default:
			v = add(t, g, "", ops.Binary{Fn: ops.Add}, v, pick())
		}
		values = append(values, v)
	}
	var out []*Value
	for range 1 + r.IntN(4) {
		out = append(out, values[r.IntN(len(values))])
	}
	g.SetOutputs(append(out, pick())...)
	return g
}

// reference computes a graph node by node, each into memory of its own.
func reference(t *testing.T, g *Graph, inputs []*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	have := make(map[*Value]*tensor.Tensor)
	for i, v := range g.Inputs {
		have[v] = inputs[i].Contiguous()
	}
	get := func(v *Value) *tensor.Tensor {
		if v.Const != nil {
			return v.Const
		}
		return have[v]
	}
	for _, n := range g.Nodes {
		var in []*tensor.Tensor
		for _, v := range n.Inputs {
			in = append(in, get(v).Clone())
		}
		out, err := ops.Eval(n.Op, asm.Generic, nil, in...)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range n.Outputs {
			have[v] = out[i]
		}
	}
	var out []*tensor.Tensor
	for _, v := range g.Outputs {
		out = append(out, get(v))
	}
	return out
}

// TestPlanInPlace checks that results lie where an operand did that is not needed any more, and only then.
func TestPlanInPlace(t *testing.T) {
	const piece = 4 * 64
	build := func(again bool) *Graph {
		g := New()
		a := g.Input("a", tensor.Float32, 64)
		v := add(t, g, "", ops.Binary{Fn: ops.Mul}, a, a)
		first := v
		for range 5 {
			v = add(t, g, "", ops.Binary{Fn: ops.Add}, v, a)
		}
		if again {
			v = add(t, g, "", ops.Binary{Fn: ops.Mul}, v, first)
		}
		g.SetOutputs(add(t, g, "", ops.Reduce{Fn: ops.Sum}, v))
		return g
	}
	x := mustTensor(t, make([]float32, 64))
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(i)
	}
	for _, again := range []bool{false, true} {
		g := build(again)
		s := compile(t, g, Options{Threads: 1})
		scratch := 0
		for _, st := range s.plans.All()[0].steps {
			scratch = max(scratch, st.kernel.Scratch)
		}
		want := piece
		if again {
			want += piece
		}
		if got := s.ArenaBytes(); got > want+align(scratch) {
			t.Errorf("used again %v: an arena of %d bytes, want %d and %d of scratch", again, got, want, scratch)
		}
		out, err := s.Run(context.Background(), x)
		if err != nil {
			t.Fatal(err)
		}
		if ref := reference(t, g, []*tensor.Tensor{x}); out[0].Float32s()[0] != ref[0].Float32s()[0] {
			t.Errorf("used again %v: %v, want %v", again, out[0].Float32s(), ref[0].Float32s())
		}
	}
}
