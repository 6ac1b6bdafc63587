package aten

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/loader/internal/build"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// argumentMaker makes arguments that parameters take, most of which the operator does not.
type argumentMaker struct {
	*rand.Rand
	m *Evaluator
}

func (a *argumentMaker) tensor() *build.Tensor {
	shapes := [][]int{{}, {1}, {3}, {0}, {2, 3}, {3, 0}, {3, 3}, {1, 2, 4}, {1, 4, 3, 3}, {2, 1, 2, 2, 2}, {1, 1, 1, 1, 1, 2}}
	shape := shapes[a.IntN(len(shapes))]
	types := []tensor.DType{tensor.Float32, tensor.Float32, tensor.Float32, tensor.Int64, tensor.Bool, tensor.Uint8, tensor.Int32, tensor.Float16, tensor.Float64, tensor.Int8}
	t := ops.Type{DType: types[a.IntN(len(types))], Shape: shape}
	switch a.IntN(8) {
	case 0:
		t = ops.Type{DType: tensor.Uint8, Shape: shape, Q: tensor.PerTensor(tensor.Uint8, 0.1, 3)}
	case 1:
		c, err := tensor.New(t.DType, shape...)
		if err != nil {
			panic(err)
		}
		return build.Parameter("c", c)
	case 2:
		c := a.m.newCall("", nil)
		return c.constOf([]float64{1, 2, 0}, tensor.Float32, 3)
	}
	x := build.NewTensor(a.m.Input("x", t))
	if t.DType == tensor.Float32 && len(shape) > 0 && shape[len(shape)-1] == 2 && a.IntN(2) == 0 {
		x.Complex = true
	}
	return x
}

func (a *argumentMaker) int() int64 {
	ints := []int64{0, 1, 2, 3, 4, -1, -2, 5, 7, 64, 1 << 20, 1 << 31, 1 << 40, -1 << 40, 1 << 62, math.MaxInt64, math.MinInt64}
	if a.IntN(3) > 0 {
		return ints[a.IntN(6)]
	}
	return ints[a.IntN(len(ints))]
}

func (a *argumentMaker) float() float64 {
	return []float64{0, 1, -1, 0.5, 2, 1e-30, 1e300, math.Inf(1), math.Inf(-1), math.NaN()}[a.IntN(10)]
}

func (a *argumentMaker) many(f func() Value) Value {
	l := &List{}
	for range a.IntN(5) {
		l.Items = append(l.Items, f())
	}
	return l
}

func (a *argumentMaker) number() Value {
	switch a.IntN(4) {
	case 0:
		return a.IntN(2) == 0
	case 1:
		return a.float()
	case 2: // an extent of an input
		x := a.tensor()
		if d := a.m.Dims(x); len(d) > 0 {
			return d[0]
		}
	}
	return a.int()
}

func (a *argumentMaker) value(p *parameterSpec) Value {
	if (p.optional || p.kind == 'v') && a.IntN(3) == 0 && p.takes(nil) {
		return nil
	}
	switch p.kind {
	case 'T', 'Q':
		return a.tensor()
	case 'N':
		if a.IntN(2) == 0 {
			return a.tensor()
		}
		return a.number()
	case 'n':
		return a.number()
	case 'i':
		return a.int()
	case 'f':
		return a.float()
	case 'b':
		return a.IntN(2) == 0
	case 's':
		texts := []string{"", "sum", "mean", "constant", "reflect", "none", "tanh", "floor", "ij,jk->ik", "...->", "{}%d", "bilinear", "a"}
		return texts[a.IntN(len(texts))]
	case 'L':
		return a.many(func() Value {
			if p.optional && a.IntN(3) == 0 {
				return nil
			}
			return a.tensor()
		})
	case 'I':
		if a.IntN(4) == 0 {
			return a.int()
		}
		return a.many(func() Value { return a.int() })
	case 'F':
		return a.many(func() Value { return a.float() })
	case 'P':
		w, err := tensor.New(tensor.Int8, []int{2, 3, 1, 1}[:[]int{2, 4, 3}[a.IntN(3)]]...)
		if err != nil {
			panic(err)
		}
		return &Packed{class: "Conv2dPackedParamsBase", Weight: w.WithQParams(tensor.PerTensor(tensor.Int8, 0.1, 0)), stride: []int{1, 1}, padding: []int{0, 0}, dilation: []int{1, 1}, outputPadding: []int{0, 0}, groups: 1}
	case 'l', '*':
		return a.many(func() Value { return a.value(&parameterSpec{kind: 'v'}) })
	}
	switch a.IntN(6) {
	case 0:
		return a.tensor()
	case 1:
		return "text"
	case 2:
		d := &Dict{}
		d.Set("k", a.int())
		return d
	case 3:
		return a.many(func() Value { return a.number() })
	case 4:
		return &Tuple{Items: []Value{a.int(), a.tensor()}}
	}
	return a.number()
}

var update = flag.Bool("update", false, "rewrite the list of operators in docs/coverage.md")

// TestOperatorList compares the list in docs/coverage.md with the table.
func TestOperatorList(t *testing.T) {
	const path, begin, end = "../../../docs/coverage.md", "<!-- operators: begin -->\n", "<!-- operators: end -->"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), begin)
	have, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no marks for the list", path)
	}
	spaces := make(map[string][]string)
	table, err := Operators()
	if err != nil {
		t.Fatal(err)
	}
	for whole := range table {
		space, name, _ := strings.Cut(whole, "::")
		spaces[space] = append(spaces[space], name)
	}
	var want strings.Builder
	for _, space := range slices.Sorted(maps.Keys(spaces)) {
		names := spaces[space]
		slices.Sort(names)
		fmt.Fprintf(&want, "- `%s`: %s\n", space, strings.Join(names, ", "))
	}
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+want.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if have != want.String() {
		t.Errorf("%s does not list the operators as they are; run the test with -update", path)
	}
}

// TestOperatorsRefuse calls every row of the table with arguments that its
// parameters allow and the operator mostly does not. Each gives a value or an
// error, in little time and memory.
func TestOperatorsRefuse(t *testing.T) {
	table, err := Operators()
	if err != nil {
		t.Fatal(err)
	}
	rounds := 10
	if testing.Short() {
		rounds = 5
	}
	names := make([]string, 0, len(table))
	for name := range table {
		names = append(names, name)
	}
	slices.Sort(names)
	accepted := 0
	for _, name := range names {
		for k, row := range table[name] {
			good := false
			for round := range rounds {
				m := NewEvaluator(table, 10, nil)
				m.StartJournal()
				a := &argumentMaker{rand.New(rand.NewPCG(uint64(round), uint64(k))), m}
				args := make([]Value, len(row.specs))
				for i := range row.specs {
					if p := &row.specs[i]; p.fallback != nil && a.IntN(2) == 0 {
						args[i] = *p.fallback
					} else {
						args[i] = a.value(p)
					}
				}
				callRow(t, m, name, row, args)
				good = good || m.uses.list == nil
			}
			if good {
				accepted++
			}
		}
	}
	if accepted < len(names)/2 {
		t.Errorf("only %d of %d operators accepted any arguments", accepted, len(names))
	}
}

// callRow evaluates a row; what it does not do is an error of the test. An
// operator that gave an error is noted in m.uses.
func callRow(t *testing.T, m *Evaluator, name string, row row, args []Value) {
	what := fmt.Sprint(name, " of ", describeArgs(args, nil), " ", Repr(&List{Items: args}))
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s: %v\n%s", what, p, debug.Stack())
		}
	}()
	for i := range row.specs {
		if !row.specs[i].takes(args[i]) {
			m.uses.add(name, "", 1)
			return
		}
	}
	if _, err := m.run(m.newCall(name, args), row.lower); err != nil {
		m.uses.add(name, "", 1)
	}
}

// TestRowsDiffer looks for rows behind one that takes the same arguments.
func TestRowsDiffer(t *testing.T) {
	seen := make(map[string]bool)
	for _, family := range families {
		for _, o := range family {
			row := o.name + " " + o.params
			if seen[row] {
				t.Errorf("two rows of %s", row)
			}
			seen[row] = true
		}
	}
}
