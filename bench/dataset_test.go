package bench

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func of[T tensor.Element](v []T, shape ...int) *tensor.Tensor {
	return must(tensor.FromSlice(v, shape...))
}

// model returns a graph with inputs of the given names and types, which it returns.
func model(t testing.TB, inputs ...graphInput) *graph.Graph {
	t.Helper()
	g := graph.New()
	for _, in := range inputs {
		g.Input(in.name, in.dtype, in.shape...)
	}
	g.SetOutputs(g.Inputs...)
	return g
}

type graphInput struct {
	name  string
	dtype tensor.DType
	shape []int
}

func TestDatasetNormalizes(t *testing.T) {
	x := of([]uint8{0, 255, 51, 102, 10, 20, 30, 40}, 2, 2, 1, 2)
	g := model(t, graphInput{"input", tensor.Float32, []int{1, 2, 1, 2}})
	for _, c := range []struct {
		name   string
		arrays tensor.Arrays
		want   func(v float32, channel int) float32
	}{
		{"neither", nil, func(v float32, _ int) float32 { return v / 255 }},
		{"per channel", tensor.Arrays{{Name: "mean", Tensor: of([]float32{0.5, 0.25}, 2)}, {Name: "std", Tensor: of([]float32{0.5, 2}, 2)}},
			func(v float32, c int) float32 {
				return (v/255 - [2]float32{0.5, 0.25}[c]) / [2]float32{0.5, 2}[c]
			}},
		{"one for all", tensor.Arrays{{Name: "mean", Tensor: of([]float32{0.1}, 1)}, {Name: "std", Tensor: of([]float32{0.2}, 1)}},
			func(v float32, _ int) float32 { return (v/255 - 0.1) / 0.2 }},
		{"double precision", tensor.Arrays{{Name: "mean", Tensor: of([]float64{0.5}, 1)}},
			func(v float32, _ int) float32 { return v/255 - 0.5 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := must(NewDataset(append(tensor.Arrays{{Name: "x", Tensor: x}}, c.arrays...)))
			var want []float32
			for i, v := range x.Uint8s() {
				want = append(want, c.want(float32(v), i/2%2))
			}
			for _, size := range []int{1, 2, 3} {
				var got []float32
				for in, err := range d.Batches(g, size) {
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, in[0].Contiguous().Float32s()...)
				}
				if !slices.Equal(got, want) {
					t.Errorf("batches of %d: got %v, want %v", size, got, want)
				}
			}
		})
	}
}

func TestDatasetInputs(t *testing.T) {
	ids := of([]int64{1, 2, 3, 4}, 2, 2)
	mask := of([]int32{5, 6, 7, 8}, 2, 2)
	d := must(NewDataset(tensor.Arrays{{Name: "ids", Tensor: ids}, {Name: "mask", Tensor: mask}, {Name: "y", Tensor: of([]int32{3, 4}, 2)}}))
	if d.Len() != 2 || !slices.Equal(d.Labels(), []int64{3, 4}) {
		t.Fatalf("%d samples with labels %v", d.Len(), d.Labels())
	}
	g := model(t, graphInput{"mask", tensor.Int64, []int{1, 2}}, graphInput{"ids", tensor.Int64, []int{1, 2}})
	in := must(d.Batch(g, 1, 2))
	if got := append(slices.Clone(in[0].Contiguous().Int64s()), in[1].Contiguous().Int64s()...); !slices.Equal(got, []int64{7, 8, 3, 4}) {
		t.Errorf("by name: got %v", got)
	}
	g = model(t, graphInput{"a", tensor.Int64, []int{1, 2}}, graphInput{"b", tensor.Int64, []int{1, 2}})
	in = must(d.Inputs(g))
	if in[0].Int64s()[0] != 1 || in[1].Int64s()[0] != 5 {
		t.Errorf("by order: got %v and %v", in[0].Int64s(), in[1].Int64s())
	}
}

func TestDatasetRejects(t *testing.T) {
	image := graphInput{"input", tensor.Float32, []int{1, 2, 1, 2}}
	x := tensor.Named{Name: "x", Tensor: of(make([]uint8, 8), 2, 2, 1, 2)}
	for _, c := range []struct {
		name   string
		arrays tensor.Arrays
		input  graphInput
		reason string
	}{
		{"labels of another number", tensor.Arrays{x, {Name: "y", Tensor: of([]int64{1, 2, 3}, 3)}}, image, "3 labels for 2 samples"},
		{"labels that are floats", tensor.Arrays{x, {Name: "y", Tensor: of([]float32{1, 2}, 2)}}, image, "integer labels"},
		{"a std of zero", tensor.Arrays{x, {Name: "std", Tensor: of([]float32{1, 0}, 2)}}, image, "channel 1"},
		{"mean of other channels", tensor.Arrays{x, {Name: "mean", Tensor: of([]float32{1, 2, 3}, 3)}}, image, "3 channels"},
		{"mean and std of two numbers", tensor.Arrays{x, {Name: "mean", Tensor: of([]float32{1, 2}, 2)}, {Name: "std", Tensor: of([]float32{1, 2, 3}, 3)}}, image, "3 channels"},
		{"another rank", tensor.Arrays{{Name: "x", Tensor: of(make([]float32, 4), 2, 2)}}, image, "4 dimensions"},
		{"another type", tensor.Arrays{{Name: "x", Tensor: of(make([]int64, 8), 2, 2, 1, 2)}}, image, "takes float32"},
		{"nothing", nil, image, `no array for the model's input "input"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := NewDataset(c.arrays)
			if err == nil {
				_, err = d.Inputs(model(t, c.input))
			}
			var fe *tensor.FileError
			if !errors.As(err, &fe) || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("got %v, want a FileError with %q", err, c.reason)
			}
		})
	}
}

func TestOpenDatasetNamesFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.npz")
	arrays := []tensor.Named{{Name: "x", Tensor: of(make([]float32, 8), 2, 4)}, {Name: "y", Tensor: of([]int64{1}, 1)}}
	if err := tensor.WriteNPZ(path, arrays); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDataset(path); err == nil || !strings.HasPrefix(err.Error(), path) {
		t.Errorf("got %v, want it to begin with %s", err, path)
	}
	if _, err := OpenDataset(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: got %v", err)
	}
}

// TestSelect checks the samples of indices in any order, with repetitions, and that what is returned belongs to the caller.
func TestSelect(t *testing.T) {
	floats, bytes, ids := make([]float32, 5*3), make([]uint8, 5*2*2), make([]int64, 5)
	for i := range floats {
		floats[i] = float32(i)
	}
	for i := range bytes {
		bytes[i] = uint8(10 * i)
	}
	for i := range ids {
		ids[i] = int64(-i)
	}
	d := must(NewDataset(tensor.Arrays{
		{Name: "f", Tensor: of(floats, 5, 3)}, {Name: "b", Tensor: of(bytes, 5, 2, 2)}, {Name: "i", Tensor: of(ids, 5)},
		{Name: "y", Tensor: of([]int32{7, 6, 5, 4, 3}, 5)},
		{Name: "mean", Tensor: of([]float32{0, 0.5}, 2)}, {Name: "std", Tensor: of([]float32{1, 2}, 2)},
	}))
	// Inputs are found by their names, in another order than that of the arrays.
	g := model(t, graphInput{"i", tensor.Int64, []int{1}}, graphInput{"b", tensor.Float32, []int{1, 2, 2}}, graphInput{"f", tensor.Float32, []int{1, 3}})
	check := func(samples []int, in []*tensor.Tensor, labels *tensor.Tensor) {
		t.Helper()
		var wantF, wantB []float32
		var wantI, wantY []int64
		for _, k := range samples {
			wantF = append(wantF, floats[3*k:3*k+3]...)
			for i, v := range bytes[4*k : 4*k+4] {
				wantB = append(wantB, (float32(v)/255-[2]float32{0, 0.5}[i/2])/[2]float32{1, 2}[i/2])
			}
			wantI, wantY = append(wantI, int64(-k)), append(wantY, int64(7-k))
		}
		n := len(samples)
		for i, shape := range []tensor.Shape{{n}, {n, 2, 2}, {n, 3}} {
			if !in[i].Shape().Equal(shape) {
				t.Fatalf("%v: input %d is %v, want %v", samples, i, in[i], shape)
			}
		}
		if !slices.Equal(in[0].Int64s(), wantI) || !slices.Equal(in[1].Float32s(), wantB) || !slices.Equal(in[2].Float32s(), wantF) {
			t.Errorf("%v: inputs %v, %v and %v", samples, in[0].Int64s(), in[1].Float32s(), in[2].Float32s())
		}
		if !labels.Shape().Equal(tensor.Shape{n}) || !slices.Equal(labels.Int64s(), wantY) {
			t.Errorf("%v: labels %v, want %v", samples, labels.Int64s(), wantY)
		}
	}
	for _, samples := range [][]int{{4, 0, 2}, {1, 1, 3, 1}, {0, 1, 2, 3, 4}, {2}, {}} {
		in, labels, err := d.Select(g, samples)
		if err != nil {
			t.Fatal(err)
		}
		check(samples, in, labels)
	}

	// A batch that is kept is not touched by the next, and writing to one changes no sample.
	first, firstLabels, err := d.Select(g, []int{3, 2})
	if err != nil {
		t.Fatal(err)
	}
	second, secondLabels, err := d.Select(g, []int{1, 0})
	if err != nil {
		t.Fatal(err)
	}
	check([]int{3, 2}, first, firstLabels)
	for _, x := range append(second, secondLabels) {
		clear(x.Bytes())
	}
	again, againLabels, err := d.Select(g, []int{1, 0})
	if err != nil {
		t.Fatal(err)
	}
	check([]int{1, 0}, again, againLabels)
}

func TestSelectRejects(t *testing.T) {
	x := tensor.Named{Name: "x", Tensor: of(make([]float32, 8), 2, 4)}
	labelled := must(NewDataset(tensor.Arrays{x, {Name: "y", Tensor: of([]int64{1, 2}, 2)}}))
	g := model(t, graphInput{"x", tensor.Float32, []int{1, 4}})
	for _, samples := range [][]int{{2}, {-1}, {0, 1, math.MaxInt/2 + 1}} {
		// A graph without inputs takes labels only.
		for _, g := range []*graph.Graph{g, model(t)} {
			var index *IndexError
			in, labels, err := labelled.Select(g, samples)
			if !errors.As(err, &index) || index.Index != samples[len(samples)-1] || index.N != 2 || in != nil || labels != nil {
				t.Errorf("%v: got %v, %v and %v", samples, in, labels, err)
			}
		}
	}
	if _, labels, err := must(NewDataset(tensor.Arrays{x})).Select(g, []int{1}); err != nil || labels != nil {
		t.Errorf("without labels: %v and %v", labels, err)
	}
	var file *tensor.FileError
	uneven := must(NewDataset(tensor.Arrays{{Name: "x", Tensor: of(make([]float32, 4), 1, 4)}, {Name: "b", Tensor: of(make([]float32, 8), 2, 4)}}))
	both := model(t, graphInput{"x", tensor.Float32, []int{1, 4}}, graphInput{"b", tensor.Float32, []int{1, 4}})
	if _, _, err := uneven.Select(both, []int{0}); !errors.As(err, &file) || file.Record != "b" {
		t.Errorf("arrays of other numbers of samples: %v", err)
	}
}
