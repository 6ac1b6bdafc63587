package aten

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// testPlace is where a node of a test stands.
type testPlace string

func (p testPlace) String() string { return string(p) }

// newProgram returns an evaluator for a program without a language.
func newProgram(t *testing.T) *Evaluator {
	t.Helper()
	table, err := Operators()
	if err != nil {
		t.Fatal(err)
	}
	m := NewEvaluator(table, LatestVersion, nil)
	m.StartJournal()
	return m
}

// must calls an operator that gives a tensor or number.
func must(t *testing.T, m *Evaluator, name string, args ...Value) Value {
	t.Helper()
	v, err := m.Operator(testPlace("node"), name, args, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// finish makes values the outputs of the graph.
func finish(t *testing.T, m *Evaluator, outputs ...Value) *graph.Graph {
	t.Helper()
	if err := m.Unsupported(); err != nil {
		t.Fatal(err)
	}
	var values []*graph.Value
	for _, o := range outputs {
		v, err := m.LeafValue(o)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	m.Guards()
	g := m.Graph()
	g.SetOutputs(values...)
	g.RemoveDead()
	if err := g.Verify(); err != nil {
		t.Fatal(err)
	}
	return g
}

// results runs a graph on vectors and returns what it gives.
func results(t *testing.T, g *graph.Graph, inputs ...[]float32) [][]float32 {
	t.Helper()
	s, err := g.Compile(graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var in []*tensor.Tensor
	for _, x := range inputs {
		v, err := tensor.FromSlice(x, len(x))
		if err != nil {
			t.Fatal(err)
		}
		in = append(in, v)
	}
	out, err := s.Run(context.Background(), in...)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]float32
	for _, o := range out {
		f, err := o.Contiguous().To(tensor.Float32)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f.Contiguous().Float32s())
	}
	return all
}

func floatInput(m *Evaluator, name string, n int) *build.Tensor {
	t := ops.Type{DType: tensor.Float32, Shape: tensor.Shape{n}}
	return m.InputTensor(m.Input(name, t), t)
}

// positive is whether the sum of x is above zero, which only a run knows.
func positive(t *testing.T, m *Evaluator, x Value) Value {
	t.Helper()
	b := must(t, m, "aten::gt", must(t, m, "aten::sum", x), int64(0)).(*build.Tensor)
	c, err := Item(m.Builder, b, build.Bool)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestBranchOnData merges what two closures return and what they write to memory.
func TestBranchOnData(t *testing.T) {
	m := newProgram(t)
	x := floatInput(m, "x", 2)
	memory := must(t, m, "aten::clone", x)
	block := func(name string, by int64) Block {
		return func() (Flow, Value, error) {
			must(t, m, "aten::add_", memory, by)
			return Next, &Tuple{Items: []Value{must(t, m, name, x, by), by}}, nil
		}
	}
	f := &Frame{Vars: map[string]Value{"memory": memory}}
	_, v, err := m.Branch(f, positive(t, m, x), block("aten::mul", 3), block("aten::sub", 10))
	if err != nil {
		t.Fatal(err)
	}
	items, _ := Items(v)
	g := finish(t, m, items[0], items[1], memory)
	for _, test := range []struct{ in, part, by, memory []float32 }{
		{[]float32{1, 2}, []float32{3, 6}, []float32{3}, []float32{4, 5}},
		{[]float32{-1, -2}, []float32{-11, -12}, []float32{10}, []float32{9, 8}},
	} {
		got := results(t, g, test.in)
		if want := [][]float32{test.part, test.by, test.memory}; !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("of %v: %v, want %v", test.in, got, want)
		}
	}
}

// TestBranchKnown executes one block of a condition that the inputs decide, and
// makes the graph depend on it.
func TestBranchKnown(t *testing.T) {
	m := newProgram(t)
	x := floatInput(m, "x", 2)
	never := func() (Flow, Value, error) { t.Error("the other block is executed"); return Next, nil, nil }
	long := must(t, m, "aten::gt", m.Dims(x)[0], int64(1))
	_, v, err := m.Branch(&Frame{}, long, func() (Flow, Value, error) { return Next, must(t, m, "aten::neg", x), nil }, never)
	if err != nil {
		t.Fatal(err)
	}
	g := finish(t, m, v)
	if guard := g.Inputs[0].Guard; guard == nil || !slices.Equal(guard.Shape, []int{2}) {
		t.Errorf("guard %+v, want the extent 2", guard)
	}
	if got := results(t, g, []float32{1, 2})[0]; !slices.Equal(got, []float32{-1, -2}) {
		t.Errorf("%v", got)
	}
}

// TestWhileOnData doubles until a bound, as only the run knows how often.
func TestWhileOnData(t *testing.T) {
	m := newProgram(t)
	x := floatInput(m, "x", 1)
	f := &Frame{Vars: map[string]Value{"x": x, "n": int64(0)}}
	_, _, err := m.While(f, Loop{
		Cond: func() (Value, error) {
			b := must(t, m, "aten::lt", must(t, m, "aten::sum", f.Vars["x"]), int64(100)).(*build.Tensor)
			return Item(m.Builder, b, build.Bool)
		},
		Body: func() (Flow, Value, error) {
			f.Vars["x"] = must(t, m, "aten::mul", f.Vars["x"], int64(2))
			f.Vars["n"] = must(t, m, "aten::add", f.Vars["n"], int64(1))
			return Next, nil, nil
		},
		Assigned: func() []string { return []string{"x", "n"} },
	})
	if err != nil {
		t.Fatal(err)
	}
	g := finish(t, m, f.Vars["x"], f.Vars["n"])
	for _, test := range [][3]float32{{1, 128, 7}, {30, 120, 2}, {200, 200, 0}} {
		got := results(t, g, test[:1])
		if got[0][0] != test[1] || got[1][0] != test[2] {
			t.Errorf("of %v: %v, want %v", test[0], got, test[1:])
		}
	}
}

// TestRepeat adds a vector as often as an element says.
func TestRepeat(t *testing.T) {
	m := newProgram(t)
	x := floatInput(m, "x", 1)
	count, err := Item(m.Builder, must(t, m, "aten::to", x, int64(4)).(*build.Tensor), build.Int)
	if err != nil {
		t.Fatal(err)
	}
	f := &Frame{Vars: map[string]Value{"sum": must(t, m, "aten::zeros_like", x)}}
	_, _, err = m.Repeat(f, build.AsNumber(count), Loop{
		SetIndex: func(i *build.Number) error { f.Vars["i"] = i; return nil },
		Body: func() (Flow, Value, error) {
			f.Vars["sum"] = must(t, m, "aten::add", f.Vars["sum"], f.Vars["i"])
			return Next, nil, nil
		},
		Assigned: func() []string { return []string{"sum"} },
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := results(t, finish(t, m, f.Vars["sum"]), []float32{5}); got[0][0] != 10 {
		t.Errorf("0+1+2+3+4 = %v", got)
	}
}

// TestStateWithoutObjects keeps a buffer between two executions.
func TestStateWithoutObjects(t *testing.T) {
	start, err := tensor.FromSlice([]float32{1, 1}, 2)
	if err != nil {
		t.Fatal(err)
	}
	// execute returns the graph of buffer += x, and what it keeps.
	execute := func(before string) (*graph.Graph, string) {
		m := newProgram(t)
		buffer := build.Parameter("buffer", start)
		buffer.Store.ID = 1
		m.SetOrigins([]Value{buffer})
		x := floatInput(m, "x", 2)
		form, err := ParseForm(before, 1)
		if err != nil {
			t.Fatal(err)
		}
		types := []ops.Type{{DType: tensor.Float32, Shape: tensor.Shape{2}}}
		if err := m.Restore(form, types[:form.Values]); err != nil {
			t.Fatal(err)
		}
		m.StartJournal()
		must(t, m, "aten::add_", buffer, x)
		after, values, err := m.Keep(form)
		if err != nil {
			t.Fatal(err)
		}
		if len(values) != 1 {
			t.Fatalf("%d values are kept", len(values))
		}
		return finish(t, m, build.NewTensor(values[0])), after
	}
	g, after := execute("")
	first := results(t, g, []float32{2, 3})[0]
	if !slices.Equal(first, []float32{3, 4}) {
		t.Errorf("first %v", first)
	}
	g, again := execute(after)
	if second := results(t, g, []float32{2, 3}, first)[0]; !slices.Equal(second, []float32{5, 7}) {
		t.Errorf("second %v", second)
	}
	if after != again {
		t.Errorf("form %s, then %s", after, again)
	}
}

// TestFormRefused looks at texts that are no state of a program without objects.
func TestFormRefused(t *testing.T) {
	for _, text := range []string{
		"{", `{"n":2}`, `{"n":-1}`, `{"at":[{"k":"tensor"}]}`, `{"at":[{"at":{"id":2},"k":"none"}]}`,
		`{"at":[{"at":{"id":1},"k":"list","x":[{"k":"object","s":"__torch__.A"}]}]}`,
		`{"at":[{"at":{"id":1},"k":"list","x":[{"k":"enum","s":"__torch__.A.b"}]}]}`,
		`{"at":[{"at":{"id":1},"k":"list","x":[{"k":"int","i":0}]}]}`,
	} {
		m := newProgram(t)
		m.SetOrigins([]Value{&List{ID: 1}})
		form, err := ParseForm(text, 1)
		if err == nil {
			err = m.Restore(form, nil)
		}
		if !errors.Is(err, errForm) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestUnsupportedIsNoted lists everything that is not supported, with its places.
func TestUnsupportedIsNoted(t *testing.T) {
	m := newProgram(t)
	x := floatInput(m, "x", 2)
	for _, n := range []string{"fft_nothing", "relu", "fft_nothing", "other"} {
		if _, err := m.Operator(testPlace("layer: "+n), "aten::"+n, []Value{x}, nil); err != nil {
			t.Fatal(err)
		}
	}
	var e *UnsupportedError
	if err := m.Unsupported(); !errors.As(err, &e) {
		t.Fatal(err)
	}
	if len(e.Operators) != 2 || e.Operators[0].Name != "aten::fft_nothing" || e.Operators[0].Count != 2 ||
		!slices.Equal(e.Operators[0].Lines, []string{"layer: fft_nothing"}) || e.Operators[1].Name != "aten::other" {
		t.Errorf("%+v", e.Operators)
	}
}

// TestBranchUnknown goes on behind a condition that an unsupported operator gives.
func TestBranchUnknown(t *testing.T) {
	m := newProgram(t)
	c, err := m.Operator(testPlace("node"), "aten::nothing", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	executed := 0
	block := func() (Flow, Value, error) { executed++; return Next, &Tuple{}, nil }
	if _, v, err := m.Branch(&Frame{}, c, block, block); err != nil || v != (Unknown{}) || executed != 2 {
		t.Errorf("%v, %v after %d blocks, want Unknown after both", v, err, executed)
	}
}

// TestKeywords binds arguments by name.
func TestKeywords(t *testing.T) {
	m := newProgram(t)
	x := floatInput(m, "x", 3)
	v, err := m.Operator(testPlace("node"), "aten::softmax", []Value{x}, map[string]Value{"dim": int64(0)})
	if err != nil {
		t.Fatal(err)
	}
	got := results(t, finish(t, m, v), []float32{1, 1, 1})[0]
	if sum := got[0] + got[1] + got[2]; sum < 0.999 || sum > 1.001 {
		t.Errorf("%v", got)
	}
}
