package graph

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestRunNamed runs a model with two inputs and two outputs by their names, and says which name is wrong.
func TestRunNamed(t *testing.T) {
	g := New()
	a, b := g.Input("a", tensor.Float32, 2), g.Input("b", tensor.Float32, 2)
	var out []*Value
	for _, fn := range []ops.BinaryFn{ops.Sub, ops.Mul} {
		v, err := g.Add1(Scope{}, ops.Binary{Fn: fn}, a, b)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	out[0].Name = "difference"
	g.SetOutputs(out...)
	s, err := g.Compile(Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	named := func(name string, v ...float32) tensor.Named {
		x, err := tensor.FromSlice(v, len(v))
		if err != nil {
			t.Fatal(err)
		}
		return tensor.Named{Name: name, Tensor: x}
	}
	y, err := s.RunNamed(context.Background(), named("b", 1, 2), named("a", 5, 7))
	if err != nil {
		t.Fatal(err)
	}
	if d, p := y.Get("difference"), y.Get("output1"); d == nil || p == nil || d.Float32s()[1] != 5 || p.Float32s()[1] != 14 {
		t.Errorf("outputs %v", y.Names())
	}
	for want, in := range map[string][]tensor.Named{
		`none of the name "c": the model takes a, b`: {named("a", 1), named("c", 1)},
		"(b): it is given twice":                     {named("b", 1), named("b", 1)},
		"input 0 (a): it is missing":                 {named("b", 1)},
		"input 1 (b): it is missing":                 {named("a", 1), {Name: "b"}},
	} {
		_, err := s.RunNamed(context.Background(), in...)
		if e, ok := errors.AsType[*InputError](err); !ok || !strings.Contains(e.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
