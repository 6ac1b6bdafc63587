package data

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
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
	f := tensor.Named{Name: "x", Tensor: of(make([]float32, 8), 2, 2, 1, 2)}
	mean := tensor.Named{Name: "mean", Tensor: of([]float32{0}, 1)}
	for _, c := range []struct {
		name   string
		arrays tensor.Arrays
		input  graphInput
		reason string
	}{
		{"labels of another number", tensor.Arrays{f, {Name: "y", Tensor: of([]int64{1, 2, 3}, 3)}}, image, "3 labels for 2 samples"},
		{"labels that are not finite", tensor.Arrays{f, {Name: "y", Tensor: of([]float32{1, float32(math.NaN())}, 2)}}, image, "the label at place 1 is NaN"},
		{"a label for all", tensor.Arrays{f, {Name: "y", Tensor: of([]int64{1})}}, image, "samples first"},
		{"no samples", tensor.Arrays{{Name: "x", Tensor: of([]float32{}, 0, 2, 1, 2)}}, image, "no samples"},
		{"bytes that nothing makes floats of", tensor.Arrays{x}, image, "uint8[1, 2, 1, 2] where the model takes float32; array x is uint8"},
		{"a std of zero", tensor.Arrays{x, mean, {Name: "std", Tensor: of([]float32{1, 0}, 2)}}, image, "channel 1"},
		{"a std that is infinite", tensor.Arrays{x, mean, {Name: "std", Tensor: of([]float32{float32(math.Inf(1))}, 1)}}, image, "finite"},
		{"a std without mean", tensor.Arrays{x, {Name: "std", Tensor: of([]float32{1}, 1)}}, image, "without mean"},
		{"a mean of bytes", tensor.Arrays{x, {Name: "mean", Tensor: of([]float32{0.5, 127.5}, 2)}}, image, "divide both by 255"},
		{"a std of bytes", tensor.Arrays{x, mean, {Name: "std", Tensor: of([]float32{255}, 1)}}, image, "divide both by 255"},
		{"mean of other channels", tensor.Arrays{x, {Name: "mean", Tensor: of([]float32{1, 1, 1}, 3)}}, image, "3 channels"},
		{"an array too many", tensor.Arrays{{Name: "a", Tensor: f.Tensor}, {Name: "b", Tensor: f.Tensor}}, image, "it has [a b]"},
		{"another input", tensor.Arrays{{Name: "a", Tensor: f.Tensor}, {Name: "inputs", Tensor: f.Tensor}}, graphInput{"inputs", tensor.Float32, []int{1, 3, 2}}, "3 dimensions"},
		{"mean and std of two numbers", tensor.Arrays{x, {Name: "mean", Tensor: of([]float32{1, 1}, 2)}, {Name: "std", Tensor: of([]float32{1, 2, 3}, 3)}}, image, "3 channels"},
		{"another rank", tensor.Arrays{{Name: "x", Tensor: of(make([]float32, 4), 2, 2)}}, image, "4 dimensions"},
		{"another type", tensor.Arrays{{Name: "x", Tensor: of(make([]int64, 8), 2, 2, 1, 2)}}, image, "takes float32"},
		{"nothing", nil, image, `no array for the model's input "input"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := NewDataset(c.arrays)
			if err == nil {
				_, err = d.Batch(model(t, c.input), 0, 1)
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
	if _, err := must(OpenDataset(path)).Batch(model(t, graphInput{"x", tensor.Float32, []int{1, 4}}), 0, 1); err == nil || !strings.HasPrefix(err.Error(), path) {
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
	for _, span := range [][2]int{{-1, 1}, {0, 3}, {0, 1 << 30}} { // nothing of that size is made before
		var index *IndexError
		if _, err := labelled.Batch(g, span[0], span[1]); !errors.As(err, &index) || index.Index != -1 && index.Index != 2 {
			t.Errorf("samples %v: error %v", span, err)
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

// TestDatasetRoles checks what arrays are: an input if the model has one of that name, else what their names say.
func TestDatasetRoles(t *testing.T) {
	one, two := of([]float32{1, 2, 3, 4}, 2, 2), of([]float32{5, 6, 7, 8}, 2, 2)
	classes := of([]int32{3, 4}, 2)
	xy := model(t, graphInput{"x", tensor.Float32, []int{1, 2}}, graphInput{"y", tensor.Float32, []int{1, 2}})
	d := must(NewDataset(tensor.Arrays{{Name: "x", Tensor: one}, {Name: "y", Tensor: two}, {Name: "labels", Tensor: classes}, {Name: "id", Tensor: classes}}))
	in, y, err := d.Select(xy, []int{1})
	if err != nil || len(in) != 2 || !slices.Equal(in[1].Float32s(), []float32{7, 8}) || !slices.Equal(y.Int64s(), []int64{4}) {
		t.Errorf("an input y: %v, labels %v, %v", in, y, err)
	}
	if got := d.Unused(xy, false); !slices.Equal(got, []string{"id"}) {
		t.Errorf("not used: %v", got)
	}
	if got := d.Unused(xy, true); !slices.Equal(got, []string{"labels", "id"}) {
		t.Errorf("not used by one run: %v", got)
	}
	// The labels of a regression, and of pixels.
	x := model(t, graphInput{"x", tensor.Float32, []int{1, 2}})
	if y := must(d.Targets(x)); y.DType() != tensor.Float32 || !y.Shape().Equal(tensor.Shape{2, 2}) {
		t.Errorf("labels %v, want y", y)
	}
	// A number for all samples, and bytes of two kinds: only those of x are an image.
	image, mask := of([]uint8{0, 255, 51, 102}, 2, 2), of([]uint8{1, 0, 0, 1}, 2, 2)
	g := model(t, graphInput{"x", tensor.Float32, []int{1, 2}}, graphInput{"mask", tensor.Uint8, []int{1, 2}}, graphInput{"n", tensor.Int64, nil})
	d = must(NewDataset(tensor.Arrays{{Name: "x", Tensor: image}, {Name: "mask", Tensor: mask}, {Name: "n", Tensor: tensor.Scalar(int64(7))}}))
	d.ScaleBytes = true
	in = must(d.Batch(g, 1, 2))
	if !slices.Equal(in[0].Float32s(), []float32{0.2, 0.4}) || !slices.Equal(in[1].Uint8s(), []uint8{0, 1}) || in[2].Int64s()[0] != 7 {
		t.Errorf("bytes: got %v, %v and %v", in[0].Float32s(), in[1].Uint8s(), in[2])
	}
	// Every sample comes, once, and those of no data are an error.
	for range must(NewDataset(nil)).Batches(x, 4) {
		in = nil
	}
	if in != nil {
		t.Error("no data gives no batch and no error")
	}
}

// TestDatasetDoubles gives float64 samples to models: they become what the model takes.
func TestDatasetDoubles(t *testing.T) {
	d := must(NewDataset(tensor.Arrays{{Name: "x", Tensor: of([]float64{0.5, 0.25}, 1, 2)}}))
	for _, want := range []tensor.DType{tensor.Float32, tensor.Float64} {
		open := graph.NewOpen([]string{"x"}, onlyFloats{want})
		if in := must(d.Batch(open, 0, 1)); in[0].DType() != want {
			t.Errorf("a model that takes %v is given %v", want, in[0])
		}
	}
	closed := model(t, graphInput{"x", tensor.Float32, []int{1, 2}})
	if in := must(d.Batch(closed, 0, 1)); !slices.Equal(in[0].Float32s(), []float32{0.5, 0.25}) {
		t.Errorf("got %v", in[0])
	}
}

// onlyFloats is a program that takes one input of a type and gives it back.
type onlyFloats struct{ dtype tensor.DType }

func (p onlyFloats) Specialize(in []ops.Type, _ string) (*graph.Graph, error) {
	if in[0].DType != p.dtype {
		return nil, &graph.InputError{Name: "x", Reason: "another type"}
	}
	g := graph.New()
	g.SetOutputs(g.Input("x", in[0].DType, in[0].Shape...))
	return g, nil
}
