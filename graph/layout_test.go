package graph

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

var pointwise = ops.Conv{Stride: []int{1, 1}, Padding: []int{0, 0}, Dilation: []int{1, 1}, Groups: 1}

func image(t testing.TB) (*Graph, *Value) {
	t.Helper()
	g := New()
	return g, g.Input("x", tensor.Float32, 2, 4, 5, 6)
}

func weight(t testing.TB, g *Graph) *Value {
	t.Helper()
	return g.Const("w", random(t, rand.New(rand.NewPCG(9, 9)), 4, 4, 1, 1))
}

// TestLayout checks how many permutations the layout pass needs, and that
// it changes no result, names and shapes of outputs included.
func TestLayout(t *testing.T) {
	for _, c := range []struct {
		name     string
		build    func(g *Graph, x *Value) []*Value
		permutes int
	}{
		{"no image operator", func(g *Graph, x *Value) []*Value { return []*Value{add(t, g, "", ops.Unary{Fn: ops.ReLU}, x)} }, 0},
		{"one", func(g *Graph, x *Value) []*Value { return []*Value{add(t, g, "", pointwise, x, weight(t, g))} }, 2},
		{"a chain", func(g *Graph, x *Value) []*Value {
			v := add(t, g, "", pointwise, x, weight(t, g))
			v = add(t, g, "", ops.Unary{Fn: ops.ReLU}, v)
			v = add(t, g, "", ops.Binary{Fn: ops.Add}, v, v)
			return []*Value{add(t, g, "", pointwise, v, weight(t, g))}
		}, 2},
		{"a value in both layouts", func(g *Graph, x *Value) []*Value {
			v := add(t, g, "", pointwise, x, weight(t, g))
			return []*Value{v, add(t, g, "", pointwise, v, weight(t, g)), add(t, g, "", pointwise, v, weight(t, g))}
		}, 4},
		{"the input twice", func(g *Graph, x *Value) []*Value {
			v := add(t, g, "", pointwise, x, weight(t, g))
			w := add(t, g, "", pointwise, x, weight(t, g))
			return []*Value{add(t, g, "", ops.Binary{Fn: ops.Add}, v, w), x}
		}, 2},
		{"axes move", func(g *Graph, x *Value) []*Value {
			v := add(t, g, "", pointwise, x, weight(t, g))
			v = add(t, g, "", ops.Slice{Axis: 1, Start: 1, End: 3, Step: 1}, v)
			v = add(t, g, "", ops.Pad{Before: []int{0, 1, 0, 2}, After: []int{0, 1, 1, 0}}, v)
			v = add(t, g, "", ops.Concat{Axis: 2}, v, v)
			return []*Value{add(t, g, "", ops.Softmax{Axis: 1}, v)}
		}, 2},
		{"an order that matters", func(g *Graph, x *Value) []*Value {
			v := add(t, g, "", pointwise, x, weight(t, g))
			return []*Value{add(t, g, "", ops.Flatten{Start: 1, End: -1}, v)}
		}, 2},
		{"a lower rank", func(g *Graph, x *Value) []*Value {
			v := add(t, g, "", pointwise, x, weight(t, g))
			return []*Value{add(t, g, "", ops.Binary{Fn: ops.Mul}, v, g.Const("s", random(t, rand.New(rand.NewPCG(3, 3)), 4, 1, 1)))}
		}, 2},
		{"inputs of two kinds", func(g *Graph, x *Value) []*Value {
			v := add(t, g, "", pointwise, x, weight(t, g))
			return []*Value{add(t, g, "", ops.Binary{Fn: ops.Sub}, v, g.Input("y", tensor.Float32, 2, 4, 5, 6))}
		}, 3},
	} {
		g, x := image(t)
		outputs := c.build(g, x)
		for i, v := range outputs {
			if v.Node != nil {
				v.Name = string(rune('p' + i))
			}
		}
		g.SetOutputs(outputs...)
		low := g.Clone()
		if err := low.Rewrite([]Pass{{Name: "channels last", Whole: channelsLast}}, 0); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		permutes := strings.Count(low.String(), "= permute")
		if permutes > c.permutes {
			t.Errorf("%s: %d permutations, not %d:\n%s", c.name, permutes, c.permutes, low)
		}
		for i, v := range g.Outputs {
			if w := low.Outputs[i]; w.Name != v.Name || !w.Type.Shape.Equal(v.Type.Shape) {
				t.Errorf("%s: output %q %v has become %q %v", c.name, v.Name, v.Type, w.Name, w.Type)
			}
		}
		before := low.String()
		if err := low.Rewrite([]Pass{{Name: "channels last", Whole: channelsLast}}, 0); err != nil {
			t.Errorf("%s, a second time: %v", c.name, err)
		} else if low.String() != before {
			t.Errorf("%s: the pass changes what it made:\n%s\n%s", c.name, before, low)
		}
		r := rand.New(rand.NewPCG(1, 2))
		var in []*tensor.Tensor
		for _, v := range g.Inputs {
			in = append(in, random(t, r, v.Type.Shape...))
		}
		s := compile(t, g, Options{Threads: 1})
		first, err := s.Run(context.Background(), in...)
		if err != nil {
			t.Fatal(err)
		}
		// A compiled graph compiles again, to the same.
		second, err := compile(t, s.Graph(), Options{Threads: 1}).Run(context.Background(), in...)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, c.name+", compiled twice", second, first)
		if c.name == "axes move" || c.name == "a lower rank" || c.name == "inputs of two kinds" || c.name == "an order that matters" {
			equal(t, c.name, first, viaReference(t, g, in))
		}
	}
}

// viaReference computes a graph whose only image operators are pointwise
// convolutions node by node, these as matrix multiplications.
func viaReference(t *testing.T, g *Graph, in []*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	plain := g.Clone()
	for i, n := range plain.Nodes {
		if _, ok := n.Op.(ops.Conv); ok {
			plain.Nodes[i] = &Node{Op: pointwiseReference{}, Inputs: n.Inputs, Outputs: n.Outputs}
		}
	}
	return reference(t, plain, in)
}

// pointwiseReference is a convolution with a kernel of one pixel, as loops.
type pointwiseReference struct{}

func (pointwiseReference) Name() string { return "reference" }

func (pointwiseReference) Infer(in []ops.Type) ([]ops.Type, error) {
	return []ops.Type{ops.F32(in[0].Shape...)}, nil
}

func (pointwiseReference) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	n, ch, pixels := p.In[0].Shape[0], p.In[0].Shape[1], p.In[0].Shape[2]*p.In[0].Shape[3]
	return &ops.Kernel{Run: func(c *ops.Call) error {
		x, w, y := c.In[0].Float32s(), c.In[1].Float32s(), c.Out[0].Float32s()
		for b := range n {
			for o := range ch {
				for i := range pixels {
					var sum float32 // of small integers: exact in any order
					for k := range ch {
						sum += float32(x[(b*ch+k)*pixels+i] * w[o*ch+k])
					}
					y[(b*ch+o)*pixels+i] = sum
				}
			}
		}
		return nil
	}}, nil
}
