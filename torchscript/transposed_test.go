package torchscript

import (
	"slices"
	"testing"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// TestTransposedConvolutions writes those in int8 whose pixels are moved by reshapes to extents that the input has: of one dimension, and of two with
// strides that differ. Other batches and sizes have the same bits, too.
func TestTransposedConvolutions(t *testing.T) {
	for _, op := range []ops.ConvTranspose{
		{Stride: []int{2}, Padding: []int{1}, OutputPadding: []int{0}, Dilation: []int{1}, Groups: 1},
		{Stride: []int{2, 4}, Padding: []int{1, 0}, OutputPadding: []int{0, 0}, Dilation: []int{1, 1}, Groups: 1},
	} {
		rank := 2 + len(op.Stride)
		random := func(shape ...int) []*tensor.Tensor {
			return must(bench.RandomInputs([]ops.Type{ops.F32(shape[:rank]...)}, 1))
		}
		g := graph.New()
		x := g.Input("x", tensor.Float32, tensor.Shape{2, 4, 9, 5}[:rank]...)
		g.SetOutputs(must(g.Add1(graph.Scope{Path: "up"}, op, x, g.Const("up.weight", random(4, 6, 4, 4)[0]))))
		q := quantized(t, g, random(2, 4, 9, 5), quantize.Options{})
		if !slices.ContainsFunc(q.Nodes, func(n *graph.Node) bool { _, is := n.Op.(ops.DynamicReshape); return is }) {
			t.Fatalf("%v: no pixels are moved:\n%v", op.Stride, q)
		}
		sameOutputs(t, q, random(2, 4, 9, 5))
		sameOutputs(t, q, random(3, 4, 6, 7))
	}
}
