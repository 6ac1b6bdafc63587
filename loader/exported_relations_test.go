//go:build !nopytorch

package loader

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// TestRelationsStay saves a program whose inputs have extents in common, [s, 3w] and [2s, 3w], as an octet file: what is
// loaded from that refuses the same inputs, though no operator would.
func TestRelationsStay(t *testing.T) {
	g, err := Load(filepath.Join("testdata", "exported", "related.pt2"))
	if err != nil {
		t.Fatal(err)
	}
	in, _ := exportedInputs(t, g, filepath.Join("testdata", "exported", "related.0.npz"))
	runInOrder(t, g, in)
	checkRelated(t, savedAndLoaded(t, g), []relatedCase{
		{[]int{3, 6}, []int{6, 6}, ""},
		{[]int{2, 9}, []int{4, 9}, ""},
		{[]int{3, 6}, []int{5, 6}, "guard failed: extent 0 of y is 2*s"},
		{[]int{3, 6}, []int{7, 6}, "extent 0 of x is 3, extent 0 of y is 7"},
		{[]int{3, 6}, []int{6, 9}, "guard failed: extent 1 of y is 3*s"},
		{[]int{3, 7}, []int{6, 7}, "guard failed: extent 1 of x is 3*s"},
	})
}

// TestConditionsStay is TestRelationsStay of a program whose conditions are not linear in extents: s*w is 12, and so on.
func TestConditionsStay(t *testing.T) {
	g, err := Load(filepath.Join("testdata", "exported", "guarded.pt2"))
	if err != nil {
		t.Fatal(err)
	}
	in, _ := exportedInputs(t, g, filepath.Join("testdata", "exported", "guarded.0.npz"))
	runInOrder(t, g, in)
	cases := []relatedCase{
		{[]int{3, 6}, []int{6, 4}, ""},
		{[]int{6, 5}, []int{7, 2}, ""},
		{[]int{4, 9}, []int{9, 3}, ""},
		{[]int{3, 6}, []int{6, 5}, "(L['x'].size()[0]*L['y'].size()[1]) == 12"},
		{[]int{3, 11}, []int{6, 4}, "<= 100"},
		{[]int{4, 5}, []int{6, 3}, "% 3) == 0"},
		{[]int{3, 6}, []int{2, 4}, ") > 2 ("},
		{[]int{2, 6}, []int{5, 6}, ""},
	}
	checkRelated(t, g, cases) // the program itself
	checkRelated(t, savedAndLoaded(t, savedAndLoaded(t, g)), cases)
}

// TestFloatConditionsStay is TestConditionsStay of conditions that are computed in floats.
func TestFloatConditionsStay(t *testing.T) {
	g, err := Load(filepath.Join("testdata", "exported", "divided.pt2"))
	if err != nil {
		t.Fatal(err)
	}
	in, _ := exportedInputs(t, g, filepath.Join("testdata", "exported", "divided.0.npz"))
	runInOrder(t, g, in)
	cases := []relatedCase{
		{[]int{3, 6}, []int{6, 4}, ""},
		{[]int{6, 4}, []int{7, 2}, ""},
		{[]int{7, 6}, []int{6, 4}, "guard failed: (L['x'].size()[0] / 2) < 3.5"},
		{[]int{3, 6}, []int{6, 6}, "> 0.5"},
		{[]int{3, 7}, []int{6, 4}, "floor(0.3*float(L['x'].size()[1])) == 1"},
		{[]int{3, 6}, []int{10, 4}, "<= 4.5"},
	}
	checkRelated(t, g, cases[:2])
	checkRelated(t, savedAndLoaded(t, savedAndLoaded(t, g)), cases)
}

// relatedCase is a pair of shapes, and part of the error that they give, "" where they are taken.
type relatedCase struct {
	x, y   []int
	reason string
}

// savedAndLoaded returns what was last made of a graph, from an octet file.
func savedAndLoaded(t *testing.T, g *graph.Graph) *graph.Graph {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := Save(path, g); err != nil {
		t.Fatal(err)
	}
	saved, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

// checkRelated runs a graph on two inputs of the shapes.
func checkRelated(t *testing.T, g *graph.Graph, cases []relatedCase) {
	t.Helper()
	s, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, c := range cases {
		x, y := must(tensor.New(tensor.Float32, c.x...)), must(tensor.New(tensor.Float32, c.y...))
		_, err := s.Run(context.Background(), x, y)
		var unfit *graph.InputError
		switch {
		case c.reason == "" && err != nil:
			t.Errorf("%v, %v: %v", c.x, c.y, err)
		case c.reason != "" && (!errors.As(err, &unfit) || !strings.Contains(err.Error(), c.reason)):
			t.Errorf("%v, %v: %v, want %q", c.x, c.y, err, c.reason)
		}
	}
}

// TestRelationsChecked rejects files whose guards are on inputs that there are not, on numbers that overflow, or against
// their own example.
func TestRelationsChecked(t *testing.T) {
	one := []graph.RelationTerm{{Factor: 1}}
	with := func(term graph.RelationTerm) graph.Relation {
		return graph.Relation{Terms: []graph.RelationTerm{term}, AtMost: true}
	}
	refused := map[string]graph.Relation{
		"unknown input":     with(graph.RelationTerm{Input: 2, Factor: 1}),
		"negative input":    with(graph.RelationTerm{Input: -1, Factor: 1}),
		"huge input":        with(graph.RelationTerm{Input: math.MaxInt, Factor: 1}),
		"unknown axis":      with(graph.RelationTerm{Axis: 2, Factor: 1}),
		"negative axis":     with(graph.RelationTerm{Axis: -1, Factor: 1}),
		"huge axis":         with(graph.RelationTerm{Axis: math.MaxInt, Factor: 1}),
		"large factor":      with(graph.RelationTerm{Factor: 1<<16 + 1}),
		"largest factor":    with(graph.RelationTerm{Factor: math.MaxInt}),
		"smallest factor":   with(graph.RelationTerm{Factor: math.MinInt}),
		"no terms":          {AtMost: true},
		"many terms":        {Terms: slices.Repeat(one, graph.MaxRelationTerms+1), AtMost: true},
		"large constant":    {Terms: one, Constant: -saturated(1 << 40), AtMost: true},
		"largest constant":  {Terms: one, Constant: math.MaxInt, AtMost: true},
		"smallest constant": {Terms: one, Constant: math.MinInt, AtMost: true},
		"large divisor":     {Terms: one, Divisor: 1<<16 + 1},
		"negative divisor":  {Terms: one, Divisor: -1},
		"smallest divisor":  {Terms: one, Divisor: math.MinInt},
		"divisor at most":   {Terms: one, Divisor: 1, AtMost: true},
		"example":           {Terms: one, Constant: 1},
		"condition":         {Condition: &graph.Condition{Op: graph.ConstantOp}},
		"condition, terms":  {Condition: &graph.Condition{Op: graph.ConstantOp, Value: 1}, Terms: one},
		"unknown operator":  {Condition: &graph.Condition{Op: "xor"}},
		"too few arguments": {Condition: &graph.Condition{Op: "==", Args: make([]graph.Condition, 1)}},
		"extent of none":    {Condition: &graph.Condition{Op: graph.ExtentOp, Input: 2}},
		"deep condition":    {Condition: nested(40, 1)},
		"wide condition":    {Condition: nested(9, 2)},
		"division by zero":  {Condition: &graph.Condition{Op: "//", Args: []graph.Condition{{Op: graph.ExtentOp}, {Op: graph.ConstantOp}}}},
	}
	if narrow { // no int is as large as a constant may be
		delete(refused, "large constant")
		delete(refused, "smallest constant")
	}
	for name, is := range refused {
		var file *FileError
		if _, err := loadRelations(t, []graph.Relation{is}); !errors.As(err, &file) {
			t.Errorf("%s: %v, want a *FileError", name, err)
		}
	}
}

// nested returns a condition that holds, of so many levels.
func nested(levels, arguments int) *graph.Condition {
	c := &graph.Condition{Op: graph.ConstantOp, Value: 1}
	for range levels {
		if arguments == 1 {
			c = &graph.Condition{Op: "not", Args: []graph.Condition{*c}}
		} else {
			c = &graph.Condition{Op: "or", Args: []graph.Condition{*c, *c}}
		}
	}
	return c
}

// TestRelationsAtLimits loads and checks relations as large as they may be: sums of all terms do not overflow.
func TestRelationsAtLimits(t *testing.T) {
	most := slices.Repeat([]graph.RelationTerm{{Factor: -graph.MaxRelationFactor}}, graph.MaxRelationTerms)
	relations := slices.Repeat([]graph.Relation{{Terms: most, Constant: graph.MaxRelationTerms * graph.MaxRelationFactor, AtMost: true}}, 1000)
	relations = append(relations, graph.Relation{Terms: []graph.RelationTerm{{Factor: 1}, {Input: 1, Factor: -1}}, Divisor: graph.MaxRelationFactor})
	if _, err := loadRelations(t, relations); err == nil {
		t.Errorf("an example whose rows do not differ by a multiple of %d was taken", graph.MaxRelationFactor)
	}
	relations[1000].Divisor = 1
	g, err := loadRelations(t, relations)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(g.Inputs[1].Guard.Relations); n != 1001 {
		t.Errorf("%d relations", n)
	}
}

// loadRelations writes and loads an octet file with relations of its second input.
func loadRelations(t *testing.T, relations []graph.Relation) (*graph.Graph, error) {
	t.Helper()
	g, err := Load(filepath.Join("testdata", "exported", "related.pt2"))
	if err != nil {
		t.Fatal(err)
	}
	if g, err = g.Concrete(); err != nil {
		t.Fatal(err)
	}
	g.Inputs[1].Guard.Relations = relations
	model, tensors, err := encodeModel(g, SaveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := WriteSafetensors(path, map[string]string{modelMetadata: model}, tensors); err != nil {
		t.Fatal(err)
	}
	return Load(path)
}
