package quantize

import (
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestSamplesFirst says of values whether the samples lie one after another: an extent that happens to be that of the batch
// does not make them.
func TestSamplesFirst(t *testing.T) {
	g := graph.New()
	x, z := g.Input("x", tensor.Float32, 4, 4, 6), g.Input("z", tensor.Float32, 4, 6)
	add := func(op ops.Op, in ...*graph.Value) *graph.Value {
		v, err := g.Add1(graph.Scope{}, op, in...)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	values, err := tensor.New(tensor.Float32, 4, 4, 6)
	if err != nil {
		t.Fatal(err)
	}
	table := g.Const("", values)
	flat := add(ops.Reshape{Shape: []int{1, 16, 6}}, x)
	swapped := add(ops.Permute{Order: []int{1, 0, 2}}, x)
	sum := ops.Binary{Fn: ops.Add}
	softmax := func(axis int) ops.Op { return ops.Softmax{Axis: axis} }
	for name, c := range map[string]struct {
		v     *graph.Value
		first bool
	}{
		"rows joined":              {add(ops.Reshape{Shape: []int{16, 6}}, x), true},
		"behind a leading 1":       {flat, true},
		"and back":                 {add(ops.Reshape{Shape: []int{4, 4, 6}}, flat), true},
		"a function there":         {add(ops.Unary{Fn: ops.ReLU}, flat), false},
		"samples second":           {swapped, false},
		"joined behind that":       {add(ops.Reshape{Shape: []int{16, 6}}, swapped), false},
		"inner order":              {add(ops.Permute{Order: []int{0, 2, 1}}, x), true},
		"sum of samples":           {add(sum, x, add(ops.Unary{Fn: ops.ReLU}, x)), true},
		"sum with a constant":      {add(sum, x, table), true},
		"sum with another order":   {add(sum, x, swapped), false},
		"broadcast along rows":     {add(sum, x, z), true},
		"product of samples":       {add(ops.MatMul{TransposeB: true}, x, x), true},
		"product across samples":   {add(ops.MatMul{TransposeB: true}, z, z), false},
		"softmax over classes":     {add(softmax(2), x), true},
		"softmax over samples":     {add(softmax(0), x), false},
		"softmax from the end":     {add(softmax(-3), x), false},
		"mean over samples":        {add(ops.Reduce{Fn: ops.Mean, Axes: []int{0}}, x), false},
		"mean over rows":           {add(ops.Reduce{Fn: ops.Mean, Axes: []int{1}}, x), true},
		"joined along samples":     {add(ops.Concat{}, x, x), false},
		"joined within samples":    {add(ops.Concat{Axis: 1}, x, x), true},
		"samples from last to 1st": {add(ops.Flip{Axes: []int{0}}, x), false},
		"some of the samples":      {add(ops.Slice{Axis: 0, Start: 0, End: 4, Step: 1}, x), false},
	} {
		if got := samplesFirst(g)[c.v]; got != c.first {
			t.Errorf("%s: %v", name, got)
		}
	}
	g.Input("state", tensor.Float32, 2, 4)
	if samplesFirst(g) != nil {
		t.Error("inputs with different first extents have samples")
	}
}
