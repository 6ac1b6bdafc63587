package loader_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// images returns the normalised float32 images and the labels of a data file.
func images(t *testing.T, name string) (*tensor.Tensor, []int64) {
	t.Helper()
	data, err := tensor.ReadNPZ(shareddata.Path(t, "data", "cifar10", name), 1<<28)
	if err != nil {
		t.Fatal(err)
	}
	get := func(key string) *tensor.Tensor {
		a := data.Get(key)
		if a == nil {
			t.Fatalf("%s has no array %q", name, key)
		}
		return a
	}
	u8 := get("x").Contiguous()
	mean, std := floats(t, get("mean")), floats(t, get("std"))
	x, err := tensor.New(tensor.Float32, u8.Shape()...)
	if err != nil {
		t.Fatal(err)
	}
	dst, plane := x.Float32s(), u8.Dim(2)*u8.Dim(3)
	for i, v := range u8.Uint8s() {
		c := i / plane % 3
		dst[i] = (float32(v)/255 - mean[c]) / std[c]
	}
	return x, get("y").Contiguous().Int64s()
}

func floats(t *testing.T, x *tensor.Tensor) []float32 {
	t.Helper()
	f, err := x.To(tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	return f.Contiguous().Float32s()
}

// logits runs the model over all images in batches.
func logits(t *testing.T, g *graph.Graph, opts graph.Options, x *tensor.Tensor, batch int) []float32 {
	t.Helper()
	s, err := g.Compile(opts)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var all []float32
	for i := 0; i < x.Dim(0); i += batch {
		part, err := x.Slice(0, i, i+batch, 1)
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.Run(context.Background(), part)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, out[0].Float32s()...)
	}
	return all
}

func classes(logits []float32, n int) []int64 {
	var out []int64
	for ; len(logits) > 0; logits = logits[n:] {
		best := 0
		for i, v := range logits[:n] {
			if v > logits[best] {
				best = i
			}
		}
		out = append(out, int64(best))
	}
	return out
}

func count(a, b []int64) int {
	n := 0
	for i := range a {
		if a[i] == b[i] {
			n++
		}
	}
	return n
}

// TestCIFAR takes the checkpoint its author saved through the whole workflow:
// float accuracy as in PyTorch, calibration, int8 accuracy, and the same int8
// bits on every tier, for one and two threads and any batch.
func TestCIFAR(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole data set")
	}
	sd, err := loader.StateDict(shareddata.Path(t, "data", "cifar10", "resnet20.th"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := nn.Build(nn.ResNet20CIFAR(), sd)
	if err != nil {
		t.Fatal(err)
	}
	x, labels := images(t, "test.npz")
	float := logits(t, m, graph.Options{}, x, 64)
	recorded, err := tensor.ReadNPZ(shareddata.Path(t, "data", "cifar10", "resnet20_logits.npz"), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	ref := recorded.Get("logits")
	want := floats(t, ref)
	worst := 0.0
	for i := range want {
		worst = max(worst, math.Abs(float64(want[i]-float[i])))
	}
	floatClasses := classes(float, 10)
	t.Logf("float32: %d right, %d classes as in PyTorch, logits within %.2g", count(floatClasses, labels), count(floatClasses, classes(want, 10)), worst)
	if n := count(floatClasses, labels); n != 932 {
		t.Errorf("float32: %d right, want 932", n)
	}
	if n := count(floatClasses, classes(want, 10)); n != 1017 || worst > 1e-4 {
		t.Errorf("float32: %d of 1017 classes as in PyTorch, logits within %g", n, worst)
	}

	q := quantize.New(quantize.Options{})
	calib, err := q.Calib(m)
	if err != nil {
		t.Fatal(err)
	}
	defer calib.Close()
	samples, _ := images(t, "calib.npz")
	floatSession, err := m.Compile(graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer floatSession.Close()
	for i := 0; i < samples.Dim(0); i += 64 {
		part, err := samples.Slice(0, i, i+64, 1)
		if err != nil {
			t.Fatal(err)
		}
		out, err := calib.Run(context.Background(), part)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := floatSession.Run(context.Background(), part)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(out[0].Float32s(), plain[0].Float32s()) {
			t.Fatal("the calibration proxy's outputs are not the float model's")
		}
	}
	m8, err := q.Quantize(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range q.Report().Layers {
		if l.Precision != "int8" {
			t.Errorf("%s (%s) runs %s: %s", l.Name, l.Op, l.Precision, l.Reason)
		}
	}
	int8 := logits(t, m8, graph.Options{}, x, 64)
	right, same := count(classes(int8, 10), labels), count(classes(int8, 10), floatClasses)
	t.Logf("int8: %d right, %.2f %% of the classes as in float", right, 100*float64(same)/1017)
	if right < 927 || float64(same) < 0.985*1017 {
		t.Errorf("int8: %d right, %d classes as in float", right, same)
	}
	for _, tier := range asm.Supported() {
		n := 70
		if tier == asm.Generic { // plain Go takes a hundred times as long
			n = 6
		}
		few, err := x.Slice(0, 0, n, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, threads := range []int{1, 2} {
			for _, batch := range []int{1, 64} {
				got := logits(t, m8, graph.Options{CPU: tier.String(), Threads: threads}, few, batch)
				if !slices.Equal(got, int8[:len(got)]) {
					t.Errorf("%v, %d threads, batch %d: other bits", tier, threads, batch)
				}
			}
		}
	}
}
