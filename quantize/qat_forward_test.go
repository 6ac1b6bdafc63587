package quantize

import (
	"bytes"
	"context"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/graph/train"
	"github.com/octet-ml/octet/ops"
)

// TestDeployedForward checks, for every kind of layer and backend, that the proxy with the deployed forward
// gives the bits of the converted model, before and after training steps large enough to move scales and
// zero points, and that its gradients are close to those of the fake-quantized one.
func TestDeployedForward(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(goldenModels)) {
		r := goldenModel(t, name)
		for _, backend := range []*Backend{Native, Reference, DISC, FBGEMM} {
			t.Run(name+"/"+backend.String(), func(t *testing.T) { testDeployedForward(t, r, backend) })
			if backend != Reference {
				t.Run(name+"/"+backend.String()+", pair-safe", func(t *testing.T) { testDeployedForward(t, r, backend, WithPairSafeWeights()) })
			}
		}
	}
}

func testDeployedForward(t *testing.T, r goldenRun, backend *Backend, overrides ...Override) {
	ctx := context.Background()
	q := New(Options{Backend: backend, Device: X86, Session: graph.Options{Threads: 2}})
	calib, err := q.Calib(r.model, overrides...)
	if err != nil {
		t.Fatal(err)
	}
	defer calib.Close()
	r.calibrate(t, calib.Run)
	qat, err := q.QAT(r.model, WithForward(IntegerArithmetic))
	if err != nil {
		t.Fatal(err)
	}
	defer qat.Close()
	trainer, err := train.New(qat, train.Options{Loss: train.MeanSquaredError, Optimizer: train.SGD{LR: 0.01}, Session: graph.Options{Threads: 2}})
	if err != nil {
		t.Fatal(err)
	}
	defer trainer.Close()
	x := r.tensor(t, "test").Contiguous()
	target := r.tensor(t, "float").Contiguous().Clone()
	for i := range target.Float32s() {
		target.Float32s()[i] += float32(math.Sin(float64(i)))
	}
	check := func(when string) {
		t.Helper()
		m, err := q.Quantize(r.model)
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.Compile(graph.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		got, want := mustRun(t, qat.Run, x), mustRun(t, s.Run, x)
		if !bytes.Equal(got.Contiguous().Bytes(), want.Contiguous().Bytes()) {
			t.Errorf("%s: the proxy gives %v, the converted model %v", when, got.Contiguous().Float32s()[:3], want.Contiguous().Float32s()[:3])
		}
		if exceeded, at := modelPairs(t, m, 255); q.observers.Weight.Spec.PairSafe && (exceeded != 0 || at == 0) {
			t.Errorf("%s: %d pairs exceed 16 bits, %d are at the limit", when, exceeded, at)
		}
	}
	check("before training")
	_, grads, err := trainer.Gradients(ctx, x, target)
	if err != nil {
		t.Fatal(err)
	}
	qat.deployed = false
	_, fake, err := trainer.Gradients(ctx, x, target)
	if err != nil {
		t.Fatal(err)
	}
	qat.deployed = true
	if !slices.Equal(slices.Sorted(maps.Keys(grads)), slices.Sorted(maps.Keys(fake))) {
		t.Errorf("gradients of %v, fake-quantized of %v", slices.Sorted(maps.Keys(grads)), slices.Sorted(maps.Keys(fake)))
	}
	for _, p := range qat.params {
		if g, f := grads[p.Name], fake[p.Name]; g != nil && f != nil && p.Kind == train.Weight {
			// Roundings that fall the other way change single terms, not the direction.
			if c := sumsOf(g.Float32s(), f.Float32s()).cosine(); c < 0.99 {
				t.Errorf("the gradient of %s and the fake-quantized one have the cosine %v", p.Name, c)
			}
		}
	}
	for range 3 {
		if _, err := trainer.Step(ctx, x, target); err != nil {
			t.Fatal(err)
		}
	}
	check("after training")
}

// manyForms has what mobile has not: a mean without its dimensions, padding with a number, and a residual
// behind a layer that gives float32.
func manyForms(c *nn.Context, x *graph.Value) *graph.Value {
	v := c.Call("stem", nn.Conv2d{In: 3, Out: 8, Kernel: 3, Padding: 1}, x)
	v = c.Apply(ops.Pad{Before: []int{0, 0, 1, 0}, After: []int{0, 0, 0, 2}, Value: 0.3}, v)
	v = c.Call("conv", nn.Conv2d{In: 8, Out: 12, Kernel: 3, Stride: 2}, v)
	v = c.Apply(ops.Unary{Fn: ops.GELU}, v)
	v = c.Call("conv2", nn.Conv2d{In: 12, Out: 12, Kernel: 1}, v)
	v = c.Apply(ops.Reduce{Fn: ops.Mean, Axes: []int{2, 3}}, v)
	y := c.Call("fc1", nn.Linear{In: 12, Out: 12}, v)
	y = c.Call("fc2", nn.Linear{In: 12, Out: 12}, c.Call("act", nn.ReLU{}, y))
	return c.Apply(ops.Binary{Fn: ops.Add}, y, v)
}

// combined has operators of two values and ones that move them.
func combined(c *nn.Context, x *graph.Value) *graph.Value {
	a := c.Call("a", nn.Conv2d{In: 3, Out: 16, Kernel: 3, Padding: 1}, x)
	b := c.Call("b", nn.Conv2d{In: 3, Out: 16, Kernel: 1}, x)
	v := c.Apply(ops.Binary{Fn: ops.Sub}, a, b)
	v = c.Apply(ops.Binary{Fn: ops.Max}, v, b)
	v = c.Apply(ops.Binary{Fn: ops.Min}, v, a)
	v = c.Apply(ops.Concat{Axis: 1}, v, b)
	v = c.Apply(ops.Interpolate{Mode: ops.Linearly, Scales: []float64{2, 2}}, v)
	v = c.Apply(ops.PixelShuffle{Factor: 2}, c.Apply(ops.ChannelShuffle{Groups: 2}, v))
	v = c.Call("d", nn.Conv2d{In: 8, Out: 8, Kernel: 3}, v)
	return c.Call("e", nn.Conv2d{In: 32, Out: 4, Kernel: 1}, c.Apply(ops.PixelShuffle{Factor: 2, Reverse: true}, v))
}

// TestDeployedForms is TestDeployedForward for the other operators of Native.
func TestDeployedForms(t *testing.T) {
	for name, forward := range map[string]root{"many forms": manyForms, "combined": combined} {
		m := build(t, []int{2, 3, 16, 16}, forward)
		x := randomInput(t, 1, 2, 3, 16, 16)
		q := New(Options{Session: graph.Options{Threads: 2}})
		calib, err := q.Calib(m)
		if err != nil {
			t.Fatal(err)
		}
		defer calib.Close()
		if _, err := calib.Run(context.Background(), x); err != nil {
			t.Fatal(err)
		}
		qat, err := q.QAT(m)
		if err != nil {
			t.Fatal(err)
		}
		defer qat.Close()
		trainer, err := train.New(qat, train.Options{Loss: train.MeanSquaredError, Optimizer: train.SGD{LR: 1e-3}, Groups: []train.Group{scales}})
		if err != nil {
			t.Fatal(err)
		}
		defer trainer.Close()
		check := func(when string) {
			t.Helper()
			got, want := mustRun(t, qat.Run, x), run(t, quantized(t, q, m), x)[0]
			if !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Errorf("%s, %s: the proxy gives %v, the converted model %v", name, when, got.Float32s()[:4], want.Float32s()[:4])
			}
		}
		check("before training")
		for _, l := range q.Report().Layers {
			if l.Precision != "int8" && name != "many forms" { // which ends with float layers
				t.Errorf("%s: %s is %s: %s", name, l.Op, l.Precision, l.Reason)
			}
		}
		target := run(t, m, x)[0]
		for range 3 {
			if _, err := trainer.Step(context.Background(), x, target); err != nil {
				t.Fatal(err)
			}
		}
		check("after training")
	}
}
