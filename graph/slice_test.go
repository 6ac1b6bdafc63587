package graph_test

import (
	"bytes"
	"context"
	"math"
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestSlices takes slices of the last dimension where they come from, and leaves those that several parts, a step or another dimension are needed for.
func TestSlices(t *testing.T) {
	last := func(start, end int) ops.Slice { return ops.Slice{Axis: 1, Start: start, End: end, Step: 1} }
	for name, c := range map[string]struct {
		of   []ops.Slice // of the concatenation of three columns and five, one slice of the other
		left []string    // operators behind the two parts
	}{
		"first part":             {[]ops.Slice{last(0, 3)}, nil},
		"second part":            {[]ops.Slice{last(-5, 8)}, nil},
		"of the first":           {[]ops.Slice{last(1, 3)}, []string{"slice"}},
		"of the second":          {[]ops.Slice{last(4, math.MaxInt)}, []string{"slice"}},
		"a slice of a slice":     {[]ops.Slice{last(2, 8), last(2, 5)}, []string{"slice"}},
		"of both parts":          {[]ops.Slice{last(2, 5)}, []string{"concat", "slice"}},
		"a part of that of both": {[]ops.Slice{last(2, 8), last(1, 6)}, nil},
		"every other":            {[]ops.Slice{{Axis: 1, Start: 0, End: 3, Step: 2}}, []string{"concat", "slice"}},
		"rows":                   {[]ops.Slice{{Axis: 0, Start: 0, End: 1, Step: 1}}, []string{"concat", "slice"}},
		"nothing":                {[]ops.Slice{last(2, 2)}, []string{"concat", "slice"}},
	} {
		g := graph.New()
		x := g.Input("x", tensor.Float32, 2, 8)
		add := func(op ops.Op, in ...*graph.Value) *graph.Value {
			t.Helper()
			v, err := g.Add1(graph.Scope{}, op, in...)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		parts := []*graph.Value{add(ops.Unary{Fn: ops.Neg}, add(last(0, 3), x)), add(ops.Unary{Fn: ops.Square}, add(last(3, 8), x))}
		y := add(ops.Concat{Axis: -1}, parts...)
		for _, s := range c.of {
			y = add(s, y)
		}
		g.SetOutputs(append(parts, y)...)
		h := g.Clone()
		if err := h.Rewrite(graph.Slices, 0); err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, n := range h.Nodes[4:] {
			left = append(left, n.Op.Name())
		}
		if !slices.Equal(left, c.left) {
			t.Errorf("%s: %v is left, want %v", name, left, c.left)
		}
		in, err := tensor.FromSlice([]float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, 2, 8)
		if err != nil {
			t.Fatal(err)
		}
		var got []*tensor.Tensor
		for _, m := range []*graph.Graph{g, h} {
			s, err := m.Compile(graph.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			out, err := s.Run(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, out[2])
		}
		if !got[0].Shape().Equal(got[1].Shape()) || !bytes.Equal(got[0].Contiguous().Bytes(), got[1].Contiguous().Bytes()) {
			t.Errorf("%s: %v, want %v", name, got[1], got[0])
		}
	}
}
