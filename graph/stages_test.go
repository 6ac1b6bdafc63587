package graph

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// stageNodes adds nodes and fails the test where it cannot.
type stageNodes struct {
	*testing.T
	*Graph
}

func (b stageNodes) add(op ops.Op, in ...*Value) *Value {
	b.Helper()
	out, err := b.Add1(Scope{}, op, in...)
	if err != nil {
		b.Fatal(err)
	}
	return out
}

// positiveRows returns a graph that takes the rows of x whose first element is positive through a linear layer, and gives them and
// their sum. The number of rows is an Item or, where given is set, an input's extent.
func positiveRows(t *testing.T, width int, given bool) *Graph {
	b := stageNodes{t, New()}
	r := rand.New(rand.NewPCG(7, 8))
	x := b.Input("x", tensor.Float32, 4, width)
	first := b.add(ops.Reshape{Shape: []int{-1}}, b.add(ops.Slice{Axis: 1, End: 1, Step: 1}, x))
	mask := b.add(ops.Binary{Fn: ops.Gt}, first, b.Const("", tensor.Scalar(float32(0))))
	var n *Value
	if given {
		n = b.add(ops.SizeOf{}, b.Input("like", tensor.Bool, 4))
	} else {
		n = b.add(ops.Item{Example: 4}, b.add(ops.Reduce{Fn: ops.Sum}, mask))
	}
	rows := b.add(ops.Index{Axes: []int{0}}, x, b.add(ops.NonZero{}, mask, n))
	y := b.add(ops.Linear{}, rows, b.Const("w", random(t, r, width, width)))
	y = b.add(ops.Unary{Fn: ops.GELU}, y)
	b.SetOutputs(y, b.add(ops.Reduce{Fn: ops.Sum}, y), n)
	return b.Graph
}

// withPositive returns rows of which count have a positive first element.
func withPositive(t *testing.T, rows, width, count int) *tensor.Tensor {
	x := random(t, rand.New(rand.NewPCG(1, uint64(count))), rows, width)
	v := x.Float32s()
	for i := range rows {
		v[i*width] = float32(-1 - i)
		if i*count/max(rows, 1) != (i+1)*count/max(rows, 1) {
			v[i*width] = float32(1 + i)
		}
	}
	return x
}

// TestStagesSameBits compares with the same program that is given the extent as an input, for none, one and all, and for several threads.
func TestStagesSameBits(t *testing.T) {
	const rows, width = 70, 24
	want := compile(t, positiveRows(t, width, true), Options{Threads: 1})
	defer want.Close()
	for _, threads := range []int{1, 2, 5} {
		s := compile(t, positiveRows(t, width, false), Options{Threads: threads})
		defer s.Close()
		for _, n := range []int{0, 1, 2, 33, rows - 1, rows, 1, 0, 5} {
			x := withPositive(t, rows, width, n)
			like, err := tensor.New(tensor.Bool, n)
			if err != nil {
				t.Fatal(err)
			}
			expected, err := want.Run(context.Background(), x, like)
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Run(context.Background(), x)
			if err != nil {
				t.Fatalf("%d rows: %v", n, err)
			}
			if got[0].Dim(0) != n || got[2].Int64s()[0] != int64(n) {
				t.Errorf("%d rows: %v and %v", n, got[0], got[2])
			}
			equal(t, fmt.Sprintf("%d rows, %d threads", n, threads), got, expected)
		}
		if plan := s.Plan(); strings.Count(plan, "linear") != 1 || len(s.stages.list) != 2 {
			t.Errorf("%d stages, plan %s", len(s.stages.list), plan)
		}
	}
}

// TestStagesManyExtents runs with ten thousand extents: the plans that are kept stay within what the options allow.
func TestStagesManyExtents(t *testing.T) {
	const most, plans = 10000, 16
	b := stageNodes{t, New()}
	x := b.Input("x", tensor.Float32, 8)
	mask := b.add(ops.Binary{Fn: ops.Gt}, x, b.Const("", tensor.Scalar(float32(0))))
	n := b.add(ops.Item{Example: 8}, b.add(ops.Reduce{Fn: ops.Sum}, mask))
	y := b.add(ops.Index{Axes: []int{0}}, x, b.add(ops.NonZero{}, mask, n))
	b.SetOutputs(b.add(ops.Binary{Fn: ops.Mul}, y, y))
	s := compile(t, b.Graph, Options{Threads: 1, MaxPlans: plans, MaxPlanMemory: 4 << 20})
	defer s.Close()
	in, err := tensor.New(tensor.Float32, most)
	if err != nil {
		t.Fatal(err)
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := uint64(0)
	for i := range most {
		in.Float32s()[i] = 2
		out, err := s.Run(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		if out[0].Numel() != i+1 || out[0].Float32s()[i] != 4 {
			t.Fatalf("%d elements: %v", i+1, out[0])
		}
		if i == most/10 {
			before = heap()
		}
	}
	for i, st := range s.stages.list {
		if n := st.session.plans.Len(); n > plans {
			t.Errorf("stage %d keeps %d plans", i, n)
		}
	}
	if m := s.Memory(); m > 4<<20 {
		t.Errorf("%d bytes are kept", m)
	}
	if after := heap(); after > before+4<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
}

// TestStagesCancel ends the context between two stages: nothing is written, and the session goes on.
func TestStagesCancel(t *testing.T) {
	memory, err := tensor.New(tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	g := positiveRows(t, 4, false)
	b := stageNodes{t, g}
	v := b.Variable("sum", memory)
	if _, err := b.Add(Scope{}, ops.Assign{}, v, b.add(ops.Reduce{Fn: ops.Sum}, g.Inputs[0])); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	last, stopped := -1, false
	s := compile(t, g, Options{Threads: 1, Trace: func(tr StepTrace) {
		if tr.Index <= last && !stopped {
			t.Errorf("step %d follows step %d", tr.Index, last)
		}
		if last = tr.Index; tr.Node.Op.Name() == "sum" && !stopped {
			stopped = true
			cancel()
		}
	}})
	defer s.Close()
	x := withPositive(t, 6, 4, 3)
	if _, err := s.Run(ctx, x); err != context.Canceled || memory.Float32s()[0] != 0 {
		t.Errorf("got %v, and the variable is %v", err, memory.Float32s())
	}
	if out, err := s.Run(context.Background(), x); err != nil || out[0].Dim(0) != 3 || memory.Float32s()[0] == 0 {
		t.Errorf("got %v, %v, and the variable is %v", out, err, memory.Float32s())
	}
}

// TestStagesInto checks that outputs of the caller are filled where they fit, and refused with a typed error where they do not.
func TestStagesInto(t *testing.T) {
	s := compile(t, positiveRows(t, 4, false), Options{Threads: 1})
	defer s.Close()
	x := withPositive(t, 6, 4, 3)
	want, err := s.Run(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	out := func(rows int) []*tensor.Tensor {
		y, err := tensor.New(tensor.Float32, rows, 4)
		if err != nil {
			t.Fatal(err)
		}
		return []*tensor.Tensor{y, tensor.Scalar(float32(0)), tensor.Scalar(int64(0))}
	}
	got := out(3)
	if err := s.RunInto(context.Background(), got, []*tensor.Tensor{x}); err != nil {
		t.Fatal(err)
	}
	equal(t, "outputs of the caller", got, want)
	var e *OutputError
	if err := s.RunInto(context.Background(), out(4), []*tensor.Tensor{x}); !errors.As(err, &e) || e.Index != 0 || !strings.Contains(err.Error(), "only a run knows") {
		t.Errorf("got %v", err)
	}
}

// TestStagesMemory counts what goes from stage to stage.
func TestStagesMemory(t *testing.T) {
	s := compile(t, positiveRows(t, 64, false), Options{Threads: 1, MaxMemory: 300 << 10})
	defer s.Close()
	if _, err := s.Run(context.Background(), withPositive(t, 100, 64, 10)); err != nil {
		t.Fatal(err)
	}
	var e *MemoryError
	if _, err := s.Run(context.Background(), withPositive(t, 1000, 64, 1000)); !errors.As(err, &e) {
		t.Errorf("got %v", err)
	}
	s.Trim()
	if m := s.Memory(); m != 0 {
		t.Errorf("%d bytes are left", m)
	}
}

// TestItemExact checks that a closed graph that holds for one number refuses another.
func TestItemExact(t *testing.T) {
	g := positiveRows(t, 4, false)
	for _, n := range g.Nodes {
		if op, ok := n.Op.(ops.Item); ok {
			op.Exact = true
			n.Op = op
		}
	}
	s := compile(t, g, Options{Threads: 1})
	defer s.Close()
	if _, err := s.Run(context.Background(), withPositive(t, 6, 4, 4)); err != nil {
		t.Error(err)
	}
	var e *ItemError
	if _, err := s.Run(context.Background(), withPositive(t, 6, 4, 3)); !errors.As(err, &e) || e.Want != 4 || e.Got != 3 {
		t.Errorf("got %v", err)
	}
}

// TestStagesSignature finds the extents that follow from values.
func TestStagesSignature(t *testing.T) {
	s, err := positiveRows(t, 4, false).Signature()
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(s.Outputs[0].Extents(), s.Outputs[1].Extents(), s.Inputs[0].Extents(), s.Batch); got != "[-1 4] [] [-1 4] false" {
		t.Errorf("got %s", got)
	}
}
