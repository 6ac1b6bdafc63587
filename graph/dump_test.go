package graph

import (
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

func TestDump(t *testing.T) {
	g := New()
	x := g.Input("x", tensor.Float32, 1, 4)
	w := g.Const("fc.weight", mustTensor(t, make([]float32, 12), 3, 4))
	v := add(t, g, "fc", ops.Linear{Act: ops.ActReLU}, x, w)
	v = add(t, g, "", ops.Binary{Fn: ops.Add}, v, g.Const("", mustTensor(t, []float32{1})))
	g.SetOutputs(v, x, w)
	const want = `graph(%x: f32[1, 4])
  %0: f32[1, 3] = linear{Act: relu}(%x, fc.weight)  # fc
  %1: f32[1, 3] = add(%0, const f32[1])
  return %1, %x, fc.weight
`
	if got := g.String(); got != want {
		t.Errorf("%s\nnot\n%s", got, want)
	}
	if got := g.Clone().String(); got != want {
		t.Errorf("the clone is\n%s", got)
	}
	// How a graph came to be does not show: numbers follow the text.
	h := New()
	x = h.Input("x", tensor.Float32, 1, 4)
	dead := add(t, h, "dead", ops.Unary{Fn: ops.Neg}, x)
	add(t, h, "dead", ops.Unary{Fn: ops.Abs}, dead)
	c := h.Const("", mustTensor(t, []float32{1}))
	w = h.Const("fc.weight", mustTensor(t, make([]float32, 12), 3, 4))
	v = add(t, h, "fc", ops.Linear{Act: ops.ActReLU}, x, w)
	h.SetOutputs(add(t, h, "", ops.Binary{Fn: ops.Add}, v, c), x, w)
	h.RemoveDead()
	if got := h.String(); got != want {
		t.Errorf("built otherwise it is\n%s", got)
	}
	for op, want := range map[ops.Op]string{
		ops.Unary{Fn: ops.ReLU}: "relu",
		ops.Concat{Axis: 2}:     "concat{Axis: 2}",
		ops.Softmax{}:           "softmax",
	} {
		if got := FormatOp(op); len(got) < len(want) || got[:len(want)] != want {
			t.Errorf("%#v is %q, not %q", op, got, want)
		}
	}
}

// TestClone checks that a copy is independent and complete.
func TestClone(t *testing.T) {
	g := convNet(t)
	g.Inputs[0].Guard = &Guard{Shape: []int{-1, 3, -1, -1}}
	before := g.String()
	c, m := g.CloneMap()
	if c.String() != before || m[g.Outputs[0]] != c.Outputs[0] || c.Inputs[0].Guard != g.Inputs[0].Guard {
		t.Error("the clone differs")
	}
	for _, n := range c.Nodes {
		for _, v := range n.Outputs {
			if v.Node != n {
				t.Error("a value of the clone belongs to a node of the original")
			}
		}
	}
	if err := c.Rewrite(Optimizations, 0); err != nil {
		t.Fatal(err)
	}
	if g.String() != before {
		t.Error("rewriting the clone changed the original")
	}
}
