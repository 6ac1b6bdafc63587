package graph

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestStagesBranch takes branches whose results have extents of their own, and in one of which extents follow from values. Each gives the bits of
// the same nodes without a branch.
func TestStagesBranch(t *testing.T) {
	const width = 8
	rows := positiveRows(t, width, false)
	rows.SetOutputs(rows.Outputs[0])
	rest := stageNodes{t, New()}
	rest.SetOutputs(rest.add(ops.Slice{Start: 1, End: 1 << 30, Step: 1}, rest.Input("x", tensor.Float32, 4, width)))
	b := stageNodes{t, New()}
	c, x := b.Input("c", tensor.Bool), b.Input("x", tensor.Float32, 4, width)
	y := b.add(If{Then: rows, Else: rest.Graph, Open: []Extent{{0, 0, 3}}}, c, x)
	b.SetOutputs(b.add(ops.Unary{Fn: ops.Neg}, y), b.add(ops.SizeOf{}, y))
	plain := compile(t, rows, Options{Threads: 1})
	defer plain.Close()
	for _, threads := range []int{1, 3} {
		s := compile(t, b.Graph, Options{Threads: threads})
		defer s.Close()
		for _, count := range []int{0, 1, 5, 9} {
			x := withPositive(t, 9, width, count)
			want := runOne(t, plain, x)
			got, err := s.Run(context.Background(), tensor.Scalar(true), x)
			if err != nil {
				t.Fatal(err)
			}
			negated, err := ops.Eval(ops.Unary{Fn: ops.Neg}, 0, nil, want)
			if err != nil {
				t.Fatal(err)
			}
			if got[0].Dim(0) != count || got[1].Int64s()[0] != int64(count) || !bytes.Equal(got[0].Bytes(), negated[0].Bytes()) {
				t.Errorf("%d of 9 rows: %v, %v", count, got[0], got[1].Int64s())
			}
			if got, err = s.Run(context.Background(), tensor.Scalar(false), x); err != nil || got[0].Dim(0) != 8 {
				t.Errorf("the other branch: %v, %v", got, err)
			}
		}
		s.Trim()
		if m := s.Memory(); m != 0 {
			t.Errorf("%d bytes are left", m)
		}
	}
}

// growing returns a graph that joins x with itself n times, or as long as a limit on its extent allows.
func growing(t *testing.T) *Graph {
	body := stageNodes{t, New()}
	body.Input("i", tensor.Int64)
	x, limit := body.Input("x", tensor.Float32, 2), body.Input("limit", tensor.Int64)
	y := body.add(ops.Concat{}, x, x)
	body.SetOutputs(body.add(ops.Binary{Fn: ops.Lt}, body.add(ops.SizeOf{}, y), limit), y)
	b := stageNodes{t, New()}
	n, x, limit := b.Input("n", tensor.Int64), b.Input("x", tensor.Float32, 1), b.Input("limit", tensor.Int64)
	b.SetOutputs(b.add(Loop{Body: body.Graph, Carried: 1, Open: []Extent{{0, 0, 2}}}, n, b.Const("", tensor.Scalar(true)), x, limit))
	return b.Graph
}

// TestStagesLoop runs a loop that a value grows in: to its end, without an iteration, until a condition fails, and until the context ends.
func TestStagesLoop(t *testing.T) {
	s := compile(t, growing(t), Options{Threads: 1, MaxMemory: 64 << 20})
	defer s.Close()
	x := vector(t, 1, 2, 3)
	for _, c := range []struct{ n, limit, want int64 }{{0, 100, 3}, {1, 100, 6}, {4, 100, 48}, {4, 20, 24}, {2, 100, 12}} {
		if y := runOne(t, s, tensor.Scalar(c.n), x, tensor.Scalar(c.limit)); int64(y.Numel()) != c.want {
			t.Errorf("%d times up to %d: %v", c.n, c.limit, y)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Run(ctx, tensor.Scalar(int64(4)), x, tensor.Scalar(int64(100))); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the context: %v", err)
	}
	var m *MemoryError
	if _, err := s.Run(context.Background(), tensor.Scalar(int64(60)), x, tensor.Scalar(int64(1)<<60)); !errors.As(err, &m) {
		t.Errorf("of what grows without end: %v", err)
	}
	s.Trim()
	if m := s.Memory(); m != 0 {
		t.Errorf("%d bytes are left", m)
	}
}
