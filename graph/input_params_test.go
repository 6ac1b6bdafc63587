package graph

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// quantizedInput adds an input of four integers with the parameters that paramsGraphs begin with.
func quantizedInput(g *Graph, name string) *Value {
	x := g.Input(name, tensor.Uint8, 4)
	x.Type.Q = tensor.PerTensor(tensor.Uint8, 0.5, 3)
	return x
}

// paramsGraphs are graphs that give the numbers of quantized inputs, in each way that a graph can hold them.
func paramsGraphs(t *testing.T) map[string]*Graph {
	t.Helper()
	build := func(f func(g *Graph, x *Value) *Value) *Graph {
		g := New()
		x := quantizedInput(g, "x")
		g.SetOutputs(f(g, x))
		return g
	}
	dequantize := func(g *Graph, x *Value) *Value { return add(t, g, "", int8.Dequantize{}, x) }
	body := build(dequantize)
	iteration := New()
	iteration.Input("i", tensor.Int64)
	sum, x := iteration.Input("sum", tensor.Float32, 4), quantizedInput(iteration, "x")
	iteration.SetOutputs(iteration.Const("", tensor.Scalar(true)), apply(t, iteration, ops.Binary{Fn: ops.Add}, sum, dequantize(iteration, x)))
	return map[string]*Graph{
		"closed":     build(dequantize),
		"view first": build(func(g *Graph, x *Value) *Value { return dequantize(g, add(t, g, "", ops.Reshape{Shape: []int{4}}, x)) }),
		"identity":   build(func(g *Graph, x *Value) *Value { return x }),
		"branch": build(func(g *Graph, x *Value) *Value {
			return apply(t, g, If{Then: body, Else: body}, g.Const("", tensor.Scalar(true)), x)
		}),
		"loop": build(func(g *Graph, x *Value) *Value {
			return apply(t, g, Loop{Body: iteration, Carried: 1}, g.Const("", tensor.Scalar(int64(1))), g.Const("", tensor.Scalar(true)), g.Const("", vector(t, 0, 0, 0, 0)), x)
		}),
		"staged": build(func(g *Graph, x *Value) *Value {
			b := stageNodes{t, g}
			return b.add(ops.Slice{Start: 0, End: 4, Step: 1}, dequantize(g, x))
		}),
		"open":       NewOpen([]string{"x"}, dequantizing{}),
		"early open": NewOpen([]string{"x"}, dequantizing{early: true}),
	}
}

// TestInputQParams runs graphs on integers that mean other numbers in every run: they are these numbers, or the run is refused by a typed error.
func TestInputQParams(t *testing.T) {
	ctx := context.Background()
	plain := mustTensor(t, []uint8{3, 4, 5, 6})
	signed, err := tensor.New(tensor.Int8, 4)
	if err != nil {
		t.Fatal(err)
	}
	numbers := func(x *tensor.Tensor) []float32 {
		if x.QParams() == nil {
			return x.Float32s()
		}
		y, err := x.Dequantize()
		if err != nil {
			t.Fatal(err)
		}
		return y.Float32s()
	}
	for name, g := range paramsGraphs(t) {
		s := compile(t, g, Options{Threads: 1})
		run := func(what string, x *tensor.Tensor) {
			t.Helper()
			want := slices.Clone(numbers(x))
			if strings.HasPrefix(name, "early") {
				for i := range want {
					want[i] *= x.QParams().Scale[0]
				}
			}
			out, err := s.Run(ctx, x)
			var ie *InputError
			switch {
			case err == nil && !slices.Equal(numbers(out[0]), want):
				t.Errorf("%s, %s: %v, not %v", name, what, numbers(out[0]), want)
			case err != nil && (!errors.As(err, &ie) || ie.Index != 0 || ie.Got == ""):
				t.Errorf("%s, %s: %v", name, what, err)
			case err != nil && x.QParams().Equal(tensor.PerTensor(tensor.Uint8, 0.5, 3)):
				t.Errorf("%s, %s, which are the graph's: %v", name, what, err)
			}
			if err != nil {
				return
			}
			into := mustTensor(t, make([]float32, 4))
			if out[0].DType() == tensor.Uint8 {
				into = mustTensor(t, make([]uint8, 4)).WithQParams(tensor.PerTensor(tensor.Uint8, 7, 1))
				var oe *OutputError
				if err := s.RunInto(ctx, []*tensor.Tensor{into}, []*tensor.Tensor{x}); !errors.As(err, &oe) || oe.Index != 0 {
					t.Errorf("%s, %s, into an output with parameters of its own: %v", name, what, err)
				}
				into = into.WithQParams(out[0].QParams())
			}
			if err := s.RunInto(ctx, []*tensor.Tensor{into}, []*tensor.Tensor{x}); err != nil || !slices.Equal(numbers(into), want) {
				t.Errorf("%s, %s, into: %v, %v", name, what, numbers(into), err)
			}
		}
		for _, scale := range []float32{0.5, 0.25, 2, 0.5} {
			run("another scale", plain.WithQParams(tensor.PerTensor(tensor.Uint8, scale, 3)))
		}
		run("another zero point", plain.WithQParams(tensor.PerTensor(tensor.Uint8, 0.5, 4)))
		own := tensor.PerTensor(tensor.Uint8, 16, 3)
		x := plain.WithQParams(own)
		run("a scale of its own", x)
		own.Scale[0] = 8
		run("a scale that was changed in place", x)
		run("parameters of channels", plain.WithQParams(&tensor.QParams{
			DType: tensor.Uint8, Scheme: tensor.PerChannelAffine, Scale: []float32{1, 2, 3, 4}, ZeroPoint: []int32{0, 1, 2, 3}, Max: 255,
		}))
		run("int8", signed.WithQParams(tensor.PerTensor(tensor.Int8, 0.5, 3)))
		for what, q := range map[string]*tensor.QParams{
			"no scale":         {DType: tensor.Uint8, Max: 255},
			"a negative scale": {DType: tensor.Uint8, Scale: []float32{-1}, ZeroPoint: []int32{0}, Max: 255},
			"another type":     tensor.PerTensor(tensor.Int8, 0.5, 3),
		} {
			var ie *InputError
			if _, err := s.Run(ctx, plain.WithQParams(q)); !errors.As(err, &ie) || ie.Index != 0 {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
	// Integers without parameters are those of a closed graph.
	for _, name := range []string{"closed", "branch", "loop", "view first", "staged"} {
		if out := runOne(t, compile(t, paramsGraphs(t)[name], Options{Threads: 1}), plain); out.Float32s()[1] != 0.5 {
			t.Errorf("%s, without parameters: %v", name, out.Float32s())
		}
	}
}

// TestInputsQParams takes two inputs of which each has parameters of its own.
func TestInputsQParams(t *testing.T) {
	s := compile(t, NewOpen([]string{"x", "y"}, dequantizing{early: true}), Options{Threads: 1})
	x := mustTensor(t, []uint8{0, 1, 2, 3})
	for _, scale := range [][2]float32{{1, 2}, {2, 1}, {1, 1}, {1, 2}} {
		out, err := s.Run(context.Background(), x.WithQParams(tensor.PerTensor(tensor.Uint8, scale[0], 0)), x.WithQParams(tensor.PerTensor(tensor.Uint8, scale[1], 1)))
		if err != nil {
			t.Fatal(err)
		}
		for i, zero := range []float32{0, 1} {
			if got := out[i].Float32s()[3]; got != (3-zero)*scale[i]*scale[i] {
				t.Errorf("scales %v: output %d is %v", scale, i, got)
			}
		}
	}
}

// dequantizing is a program that gives the numbers of its inputs, early times the scale that the program is told.
type dequantizing struct{ early bool }

func (d dequantizing) Specialize(in []ops.Type, _ string) (*Graph, error) {
	g := New()
	var out []*Value
	for _, t := range in {
		x := g.Input("x", t.DType, t.Shape...)
		x.Type.Q = t.Q
		y, err := g.Add1(Scope{}, int8.Dequantize{}, x)
		if err == nil && d.early {
			y, err = g.Add1(Scope{}, ops.Binary{Fn: ops.Mul}, y, g.Const("", tensor.Scalar(t.Q.Scale[0])))
		}
		if err != nil {
			return nil, err
		}
		out = append(out, y)
	}
	g.SetOutputs(out...)
	return g, nil
}
