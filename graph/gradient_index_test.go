package graph_test

import (
	"context"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// indexGradients are operators that take elements by index or condition: the
// gradient of sum(y * weights) puts the weights where the elements came from.
var indexGradients = []struct {
	name    string
	op      ops.Op
	x       []int
	index   any
	shape   []int
	weights []float32
	want    []float32
}{
	{"embedding", ops.Embedding{}, []int{3, 2}, []int64{2, 0, 2}, []int{3}, []float32{1, 2, 3, 4, 5, 6}, []float32{3, 4, 0, 0, 6, 8}},
	{"embedding of int32", ops.Embedding{}, []int{2, 1}, []int32{1, 1, 1}, []int{3}, []float32{1, 2, 3}, []float32{0, 6}},
	{"index select", ops.IndexSelect{Axis: 1}, []int{2, 3}, []int64{2, 2}, []int{2}, []float32{1, 2, 3, 4}, []float32{0, 0, 3, 0, 0, 7}},
	{"gather", ops.Gather{Axis: 1}, []int{2, 2}, []int64{1, 1, 0, 1}, []int{2, 2}, []float32{1, 2, 3, 4}, []float32{0, 3, 3, 4}},
	{"where", whereZero{}, []int{4}, []bool{true, false, true, false}, []int{4}, []float32{1, 2, 3, 4}, []float32{1, 0, 3, 0}},
}

// whereZero stands for Where with zeros as its third input.
type whereZero struct{ ops.Where }

func TestIndexGradients(t *testing.T) {
	for _, c := range indexGradients {
		t.Run(c.name, func(t *testing.T) {
			g := graph.New()
			must := func(v *tensor.Tensor, err error) *tensor.Tensor {
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			var index *tensor.Tensor
			switch v := c.index.(type) {
			case []int64:
				index = must(tensor.FromSlice(v, c.shape...))
			case []int32:
				index = must(tensor.FromSlice(v, c.shape...))
			case []bool:
				index = must(tensor.FromSlice(v, c.shape...))
			}
			x := g.Input("x", tensor.Float32, c.x...)
			i := g.Input("index", index.DType(), c.shape...)
			in, op := []*graph.Value{x, i}, c.op
			if w, ok := op.(whereZero); ok {
				in, op = []*graph.Value{i, x, g.Const("", tensor.Scalar(float32(0)))}, w.Where
			}
			add := func(op ops.Op, v ...*graph.Value) *graph.Value {
				out, err := g.Add1(graph.Scope{}, op, v...)
				if err != nil {
					t.Fatal(err)
				}
				return out
			}
			y := add(op, in...)
			weights := must(tensor.FromSlice(c.weights, y.Type.Shape...))
			loss := add(ops.Reduce{Fn: ops.Sum}, add(ops.Binary{Fn: ops.Mul}, y, g.Const("", weights)))
			grads, err := g.Gradients(loss, []*graph.Value{x})
			if err != nil {
				t.Fatal(err)
			}
			g.SetOutputs(grads[0])
			s, err := g.Compile(graph.Options{Threads: 2})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			out, err := s.Run(context.Background(), must(tensor.New(tensor.Float32, c.x...)), index)
			if err != nil {
				t.Fatal(err)
			}
			for k, want := range c.want {
				if got := out[0].Float32s()[k]; got != want {
					t.Errorf("element %d: %v, want %v", k, got, want)
				}
			}
		})
	}
}
