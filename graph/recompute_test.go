package graph

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// convChain returns the gradients of a chain of equal convolutions with batch norm and ReLU, and the
// inputs of its session.
func convChain(t testing.TB, blocks int) (*Graph, []*tensor.Tensor) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	const c = 8
	g := New()
	x := g.Input("x", tensor.Float32, 2, c, 12, 12)
	v := x
	var weights []*Value
	variable := func(name string, shape ...int) *Value {
		w := g.Variable(name, random(t, r, shape...))
		return w
	}
	ones := func(name string) *Value {
		f := make([]float32, c)
		for i := range f {
			f[i] = 1
		}
		return g.Variable(name, mustTensor(t, f))
	}
	for i := range blocks {
		name := strconv.Itoa(i)
		w := variable(name+".weight", c, c, 3, 3)
		weights = append(weights, w)
		v = add(t, g, name, ops.Conv{Stride: []int{1, 1}, Padding: []int{1, 1}, Dilation: []int{1, 1}, Groups: 1}, v, w)
		out, err := g.Add(Scope{Path: name}, ops.BatchNormTrain{Eps: 1e-5, Momentum: 0.1}, v, ones(name+".gamma"), ones(name+".beta"), ones(name+".mean"), ones(name+".var"))
		if err != nil {
			t.Fatal(err)
		}
		v = add(t, g, name, ops.Unary{Fn: ops.ReLU}, out[0])
	}
	loss := add(t, g, "loss", ops.Reduce{Fn: ops.Mean}, add(t, g, "loss", ops.Unary{Fn: ops.Square}, v))
	grads, err := g.Gradients(loss, weights)
	if err != nil {
		t.Fatal(err)
	}
	g.SetOutputs(append([]*Value{loss}, grads...)...)
	return g, []*tensor.Tensor{random(t, r, 2, c, 12, 12)}
}

func runBytes(t testing.TB, s *Session, inputs []*tensor.Tensor) []byte {
	t.Helper()
	out, err := s.Run(context.Background(), inputs...)
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	for _, o := range out {
		b = append(b, o.Bytes()...)
	}
	return b
}

// TestRecomputeChain checks the arena of a deep chain, that targets are kept with less work than the smallest
// arena takes, and that no result changes.
func TestRecomputeChain(t *testing.T) {
	g, in := convChain(t, 16)
	all := compile(t, g, Options{Threads: 1})
	want := runBytes(t, all, in)
	smallest := compile(t, g, Options{Threads: 1, Recompute: SmallestArena})
	if a, b := smallest.ArenaBytes(), all.ArenaBytes(); 2*a > b {
		t.Errorf("an arena of %d bytes instead of %d: not half", a, b)
	}
	before := 0
	for _, target := range []int{80, 1} {
		s := smallest
		if target > 1 {
			target = all.ArenaBytes() / 100 * target
			s = compile(t, g, Options{Threads: 1, Recompute: Recompute(target)})
			if s.ArenaBytes() > target {
				t.Errorf("an arena of %d bytes for a target of %d", s.ArenaBytes(), target)
			}
		}
		nodes := len(s.Graph().Nodes)
		if nodes < before || nodes > 2*len(all.Graph().Nodes) {
			t.Errorf("%d nodes for a target of %d, %d for a larger one", nodes, target, before)
		}
		before = nodes
		if !bytes.Equal(runBytes(t, s, in), want) {
			t.Errorf("other results with a target of %d", target)
		}
	}
	if before == len(all.Graph().Nodes) {
		t.Error("nothing was computed again")
	}
	if s := compile(t, g, Options{Threads: 1, Recompute: Recompute(all.ArenaBytes())}); len(s.Graph().Nodes) != len(all.Graph().Nodes) {
		t.Error("values were computed again where all could be kept")
	}
}

// TestRecomputeMeasures checks that the arena which a way is chosen by is the one that is planned.
func TestRecomputeMeasures(t *testing.T) {
	g, _ := convChain(t, 9)
	s := compile(t, g, Options{Threads: 2})
	r := newRecomputation(s.graph, s.plans.All()[0])
	w := r.choose(1)
	if w == nil {
		t.Fatal("nothing was chosen")
	}
	r.apply(w)
	p, err := s.makePlan(context.Background(), "", typesOf(s.graph.Inputs))
	if err != nil {
		t.Fatal(err)
	}
	if p.arena != w.arena {
		t.Errorf("an arena of %d bytes was measured, and %d are planned", w.arena, p.arena)
	}
}

// TestRecomputeRandom compares gradients of random graphs, in which views, nodes with an effect and variables that are
// written in the forward pass occur, with and without recomputation.
func TestRecomputeRandom(t *testing.T) {
	repeated := 0
	for seed := range uint64(45) {
		build := func() (*Graph, *tensor.Tensor) {
			r := rand.New(rand.NewPCG(seed, 7))
			g := New()
			memory := random(t, r, 4, 6)
			state := g.Variable("state", memory)
			values := []*Value{g.Input("a", tensor.Float32, 4, 6), g.Input("b", tensor.Float32, 4, 6), state}
			pick := func() *Value { return values[max(r.IntN(len(values)), r.IntN(len(values)))] }
			for range 4 + r.IntN(30) {
				v := pick()
				switch r.IntN(8) {
				case 0:
					v = add(t, g, "", ops.Reshape{Shape: []int{6, 4}}, v)
					v = add(t, g, "", ops.Reshape{Shape: []int{4, 6}}, v)
				case 1:
					if _, err := g.Add(Scope{}, ops.Assign{}, state, v); err != nil {
						t.Fatal(err)
					}
				case 2:
					v = add(t, g, "", effect{ops.Unary{Fn: ops.Tanh}}, v)
				case 3:
					v = add(t, g, "", ops.Unary{Fn: []ops.UnaryFn{ops.ReLU, ops.Neg, ops.Abs}[r.IntN(3)]}, v)
				case 4, 5:
					v = add(t, g, "", ops.Binary{Fn: ops.Mul}, v, pick())
					v = add(t, g, "", ops.Unary{Fn: ops.Tanh}, v)
				default:
					v = add(t, g, "", ops.Binary{Fn: ops.Add}, v, pick())
				}
				values = append(values, v)
			}
			last := values[len(values)-1]
			for _, v := range []*Value{g.Inputs[0], g.Inputs[1], pick()} {
				last = add(t, g, "", ops.Binary{Fn: ops.Mul}, last, v)
			}
			loss := add(t, g, "loss", ops.Reduce{Fn: ops.Sum}, last)
			grads, err := g.Gradients(loss, g.Inputs)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := g.Add(Scope{}, ops.Assign{}, state, grads[0]); err != nil {
				t.Fatal(err)
			}
			late := add(t, g, "", ops.Binary{Fn: ops.Mul}, pick(), pick()) // of values from before the write
			g.SetOutputs(append([]*Value{loss, pick(), late}, grads...)...)
			return g, memory
		}
		r := rand.New(rand.NewPCG(seed, 8))
		in := []*tensor.Tensor{random(t, r, 4, 6), random(t, r, 4, 6)}
		var want []byte
		nodes, effects := 0, 0
		for i, target := range []Recompute{KeepAll, SmallestArena, 700} {
			g, memory := build()
			s := compile(t, g, Options{Threads: 1, Recompute: target})
			var got []byte
			for range 2 {
				got = append(append(got, runBytes(t, s, in)...), memory.Bytes()...)
			}
			e := 0
			for _, n := range s.Graph().Nodes {
				if hasEffect(n) {
					e++
				}
			}
			if i == 0 {
				want, nodes, effects = got, len(s.Graph().Nodes), e
			}
			if e != effects {
				t.Fatalf("seed %d, target %d: %d nodes with an effect instead of %d", seed, target, e, effects)
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("seed %d, target %d: other results\n%v", seed, target, s.Graph())
			}
			if len(s.Graph().Nodes) > nodes {
				repeated++
			}
			s.Close()
		}
	}
	if repeated < 10 {
		t.Errorf("only %d graphs compute something again", repeated)
	}
}

// TestRecomputeForward checks that a graph without gradients stays what it is.
func TestRecomputeForward(t *testing.T) {
	g := chain(t, 3)
	s := compile(t, g, Options{Threads: 1, Recompute: SmallestArena})
	if len(s.Graph().Nodes) != 3 {
		t.Errorf("%v", s.Graph())
	}
	if _, err := g.Compile(Options{Recompute: -1}); err == nil {
		t.Error("a negative target was accepted")
	}
}

func TestTrim(t *testing.T) {
	g := chain(t, 3)
	s := compile(t, g, Options{Threads: 1})
	in := []*tensor.Tensor{random(t, rand.New(rand.NewPCG(1, 1)), g.Inputs[0].Type.Shape...)}
	want := runBytes(t, s, in)
	if len(s.free) != 1 {
		t.Fatalf("%d arenas", len(s.free))
	}
	if s.Trim(); len(s.free) != 0 {
		t.Error("an arena stays")
	}
	if !bytes.Equal(runBytes(t, s, in), want) {
		t.Error("another result")
	}
}
