package quantize

import (
	"context"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/metric"
	"github.com/octet-ml/octet/tensor"
)

// skipLong skips a test over whole data sets with -short, which CI sets where plain Go or
// the race detector would take minutes; other steps of it run them on every tier of assembly.
func skipLong(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("a test over whole data sets, left out with -short")
	}
}

// dataset is labelled data for a model, batched.
type dataset struct {
	batches [][]*tensor.Tensor // inputs of the model
	labels  []int64
}

func (d *dataset) add(t testing.TB, batch int, labels []int64, inputs ...*tensor.Tensor) {
	t.Helper()
	n := inputs[0].Dim(0)
	for i := 0; i < n; i += batch {
		var part []*tensor.Tensor
		for _, x := range inputs {
			p, err := x.Slice(0, i, min(i+batch, n), 1)
			if err != nil {
				t.Fatal(err)
			}
			part = append(part, p.Contiguous())
		}
		d.batches = append(d.batches, part)
	}
	d.labels = labels
}

// cifar reads images as the float32 inputs that ResNet-20 takes.
func cifar(t testing.TB, name string, batch int) *dataset {
	t.Helper()
	data, err := tensor.ReadNPZ(shareddata.Path(t, "data", "cifar10", name), 1<<28)
	if err != nil {
		t.Fatal(err)
	}
	float := func(key string) []float32 {
		f, err := data.Get(key).To(tensor.Float32)
		if err != nil {
			t.Fatal(err)
		}
		return f.Contiguous().Float32s()
	}
	u8 := data.Get("x").Contiguous()
	mean, std := float("mean"), float("std")
	x, err := tensor.New(tensor.Float32, u8.Shape()...)
	if err != nil {
		t.Fatal(err)
	}
	dst, plane := x.Float32s(), u8.Dim(2)*u8.Dim(3)
	for i, v := range u8.Uint8s() {
		c := i / plane % 3
		dst[i] = (float32(v)/255 - mean[c]) / std[c]
	}
	d := &dataset{}
	d.add(t, batch, data.Get("y").Contiguous().Int64s(), x)
	return d
}

func resnet20(t testing.TB) *graph.Graph {
	t.Helper()
	m, err := loader.Build(shareddata.Path(t, "data", "cifar10", "resnet20.th"), nn.ResNet20CIFAR())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// classes returns the most likely class of each sample.
func classes(t testing.TB, g *graph.Graph, d *dataset) []int64 {
	t.Helper()
	s, err := g.Compile(graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out []int64
	for _, b := range d.batches {
		y, err := s.Run(context.Background(), b...)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, argmax(y[0])...)
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

func calibrate(t testing.TB, q *Quantizer, m *graph.Graph, d *dataset, overrides ...Override) {
	t.Helper()
	data := func(yield func([]*tensor.Tensor, error) bool) {
		for _, b := range d.batches {
			if !yield(b, nil) {
				return
			}
		}
	}
	if err := q.Calibrate(context.Background(), m, data, overrides...); err != nil {
		t.Fatal(err)
	}
}

func quantized(t testing.TB, q *Quantizer, m *graph.Graph, overrides ...Override) *graph.Graph {
	t.Helper()
	g, err := q.Quantize(m, overrides...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestResNet20 checks the accuracy of every backend on CIFAR-10 against what
// PyTorch and the reference toolkit reach: 936, 927 and 928 of the backends
// Reference, DISC and FBGEMM.
func TestResNet20(t *testing.T) {
	skipLong(t)
	m, test, calib := resnet20(t), cifar(t, "test.npz", 64), cifar(t, "calib.npz", 64)
	float := classes(t, m, test)
	if n := count(float, test.labels); n != 932 {
		t.Errorf("float32: %d right, want 932", n)
	}
	for _, c := range []struct {
		backend  *Backend
		from, to int // right
	}{{Native, 929, 1017}, {Reference, 933, 939}, {DISC, 924, 930}, {FBGEMM, 925, 931}} {
		q := New(Options{Backend: c.backend, Device: X86})
		calibrate(t, q, m, calib)
		got := classes(t, quantized(t, q, m), test)
		right := count(got, test.labels)
		t.Logf("%v: %d right, %d as in float", c.backend, right, count(got, float))
		if right < c.from || right > c.to {
			t.Errorf("%v: %d right, want %d to %d", c.backend, right, c.from, c.to)
		}
	}
}

// argmax returns the index of the greatest element of each row of [N, classes].
func argmax(x *tensor.Tensor) []int64 {
	classes, err := metric.Classes(x, 1)
	if err != nil {
		panic(err)
	}
	out := make([]int64, len(classes))
	for i, c := range classes {
		out[i] = int64(c)
	}
	return out
}
