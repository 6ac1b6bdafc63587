package graph

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// attentionGraph is attention of heads over positions as models write it: with the key
// transposed or multiplied so, scaled by a quotient, a factor or not at all, masked or not.
func attentionGraph(t *testing.T, transposed bool, scale string, masked bool) *Graph {
	t.Helper()
	g := New()
	add := func(op ops.Op, in ...*Value) *Value {
		v, err := g.Add1(Scope{Path: op.Name()}, op, in...)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	heads := ops.Permute{Order: []int{0, 2, 1, 3}}
	q, k, v := g.Input("q", tensor.Float32, 2, 5, 3, 8), g.Input("k", tensor.Float32, 2, 7, 3, 8), g.Input("v", tensor.Float32, 2, 7, 3, 6)
	key := add(heads, k)
	product := ops.MatMul{TransposeB: !transposed}
	if transposed {
		key = add(ops.Permute{Order: []int{0, 1, 3, 2}}, key)
	}
	scores := add(product, add(heads, q), key)
	switch scale {
	case "div":
		scores = add(ops.Binary{Fn: ops.Div, BNumber: true}, scores, g.Const("", tensor.Scalar(float32(math.Sqrt(8)))))
	case "mul":
		scores = add(ops.Binary{Fn: ops.Mul, ANumber: true}, g.Const("", tensor.Scalar(float32(0.25))), scores)
	}
	if masked {
		scores = add(ops.Binary{Fn: ops.Add}, scores, g.Input("mask", tensor.Float32, 2, 1, 1, 7))
	}
	out := add(ops.MatMul{}, add(ops.Softmax{Axis: -1}, scores), add(heads, v))
	g.SetOutputs(add(heads, out))
	return g
}

// TestFuseAttention checks that each form becomes one operator that gives the same.
func TestFuseAttention(t *testing.T) {
	for _, transposed := range []bool{false, true} {
		for _, scale := range []string{"", "div", "mul"} {
			for _, masked := range []bool{false, true} {
				g := attentionGraph(t, transposed, scale, masked)
				rng := rand.New(rand.NewPCG(1, 2))
				var in []*tensor.Tensor
				for _, v := range g.Inputs {
					x, err := tensor.New(tensor.Float32, v.Type.Shape...)
					if err != nil {
						t.Fatal(err)
					}
					for i := range x.Float32s() {
						x.Float32s()[i] = float32(rng.NormFloat64())
					}
					in = append(in, x)
				}
				s, err := g.Compile(Options{Threads: 2})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				got, err := s.Run(context.Background(), in...)
				if err != nil {
					t.Fatal(err)
				}
				if n := s.Graph().Nodes; len(n) != 1 || n[0].Op.Name() != "attention" {
					t.Errorf("transposed %v, scale %q, masked %v: it became\n%v", transposed, scale, masked, s.Graph())
				}
				want := evaluate(t, g, in)
				for i := range want {
					if math.Abs(float64(got[0].Float32s()[i]-want[i])) > 1e-6 {
						t.Fatalf("transposed %v, scale %q, masked %v: element %d is %v, want %v", transposed, scale, masked, i, got[0].Float32s()[i], want[i])
					}
				}
			}
		}
	}
}

// evaluate computes the first output node by node, without any pass, in plain Go.
func evaluate(t *testing.T, g *Graph, in []*tensor.Tensor) []float32 {
	t.Helper()
	values := make(map[*Value]*tensor.Tensor)
	for i, v := range g.Inputs {
		values[v] = in[i]
	}
	for _, n := range g.Nodes {
		args := make([]*tensor.Tensor, len(n.Inputs))
		for i, v := range n.Inputs {
			if args[i] = values[v]; v.Const != nil {
				args[i] = v.Const
			}
		}
		out, err := ops.Eval(n.Op, asm.Generic, nil, args...)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range n.Outputs {
			values[v] = out[i]
		}
	}
	return values[g.Outputs[0]].Float32s()
}
