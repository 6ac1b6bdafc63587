package data

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// TestFilledBatchCalibration calibrates a model that takes batches of 4, the last of which is filled up, on 1 to 6 samples: what
// is observed has the bits of a calibration of the same model without a fixed batch. Each observer is given the same batches,
// and those that do not depend on how samples are put together single samples too.
func TestFilledBatchCalibration(t *testing.T) {
	for _, kind := range quantize.Kinds() {
		for n := 1; n <= 6; n++ {
			fixed := activationsOf(t, kind, n, 4, true)
			if free := activationsOf(t, kind, n, 4, false); !reflect.DeepEqual(fixed, free) {
				t.Errorf("%s, %d samples: %v, and in free batches %v", kind, n, fixed, free)
			}
			if kind == quantize.MovingAverage || kind == quantize.Histogram && n > 1 {
				continue
			}
			if single := activationsOf(t, kind, n, 1, false); !reflect.DeepEqual(fixed, single) {
				t.Errorf("%s, %d samples: %v, and one at a time %v", kind, n, fixed, single)
			}
		}
	}
}

// TestFilledBatchMoments is the same of what learned rounding and bias correction take from the inputs of layers: the
// quantized models have the same constants.
func TestFilledBatchMoments(t *testing.T) {
	for n := 1; n <= 6; n++ {
		var models [2][][]byte
		for i := range models {
			q, g := calibratedOn(t, quantize.MinMax, n, 4, i == 0)
			for _, v := range must(q.Quantize(g)).Constants() {
				models[i] = append(models[i], v.Const.Contiguous().Bytes())
			}
		}
		if !reflect.DeepEqual(models[0], models[1]) {
			t.Errorf("%d samples: other constants than those of free batches", n)
		}
	}
}

// TestFilledBatchComparison is the same of what Compare and AMP say of the layers and the values.
func TestFilledBatchComparison(t *testing.T) {
	type found struct {
		noise  []quantize.ModuleNoise
		report *quantize.Report
	}
	for n := 1; n <= 6; n++ {
		var all [2]found
		for i := range all {
			q, g := calibratedOn(t, quantize.MinMax, n, 4, i == 0)
			c, amp := must(q.Compare(g)), must(q.AMP(g))
			for x, err := range samplesOf(n).Batches(g, 4) {
				if err != nil {
					t.Fatal(err)
				}
				if _, _, err := c.Run(t.Context(), x...); err != nil {
					t.Fatal(err)
				}
				must(amp.Run(t.Context(), x...))
			}
			all[i] = found{amp.Noise(), c.Report()}
			c.Close()
			amp.Close()
		}
		if len(all[0].noise) != 4 || all[0].report.Layers[0].Measured.Elements != int64(64*n) {
			t.Fatalf("%d samples: %+v", n, all[0].report.Layers[0])
		}
		if !reflect.DeepEqual(all[0], all[1]) {
			t.Errorf("%d samples: %+v, and in free batches %+v", n, all[0], all[1])
		}
	}
}

// samplesOf returns a data set of n samples.
func samplesOf(n int) *Dataset {
	rng := rand.New(rand.NewPCG(2, uint64(n)))
	return must(NewDataset(tensor.Arrays{{Name: "x", Tensor: normal(rng, n, 2, 4, 4)}}))
}

// activationsOf returns the parameters of the activations after a calibration on n samples.
func activationsOf(t *testing.T, kind quantize.Kind, n, batch int, fixed bool) map[string]*tensor.QParams {
	t.Helper()
	q, g := calibratedOn(t, kind, n, batch, fixed)
	p := must(q.Parameters(g)).Activations
	if len(p) < 5 {
		t.Fatalf("parameters of %d activations", len(p))
	}
	return p
}

// calibratedOn calibrates on n samples in batches.
func calibratedOn(t *testing.T, kind quantize.Kind, n, batch int, fixed bool) (*quantize.Quantizer, *graph.Graph) {
	t.Helper()
	g := layersOfSamples(fixed)
	o := must(quantize.Options{Backend: quantize.Native}.Observers()).Activation
	o.Kind = kind
	q := quantize.New(quantize.Options{Activation: &o, CorrectBias: true, Rounding: quantize.Learned, Session: graph.Options{Threads: 2}})
	if err := q.Calibrate(t.Context(), g, samplesOf(n).Batches(g, batch)); err != nil {
		t.Fatal(err)
	}
	return q, g
}

// normal returns random values.
func normal(rng *rand.Rand, shape ...int) *tensor.Tensor {
	v := make([]float32, must(tensor.Shape(shape).Numel()))
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return of(v, shape...)
}

// layersOfSamples returns a model whose activations have the samples in dimension 0, alone, with others, and behind a change of their order.
func layersOfSamples(fixed bool) *graph.Graph {
	g, batch := graph.New(), -1
	x := g.Input("x", tensor.Float32, 4, 2, 4, 4)
	if fixed {
		batch = 4
		x.Guard = &graph.Guard{Shape: []int{4, 2, 4, 4}}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	weight := func(shape ...int) *graph.Value { return g.Const("", normal(rng, shape...)) }
	add := func(op ops.Op, in ...*graph.Value) *graph.Value {
		return must(g.Add1(graph.Scope{}, op, in...))
	}
	conv := ops.Conv{Stride: []int{1, 1}, Padding: []int{1, 1}, Dilation: []int{1, 1}, Groups: 1, HasBias: true}
	y := add(ops.Unary{Fn: ops.ReLU}, add(conv, x, weight(4, 2, 3, 3), weight(4)))
	y = add(conv, y, weight(4, 4, 3, 3), weight(4))
	y = add(ops.Permute{Order: []int{0, 2, 1}}, add(ops.Reshape{Shape: []int{batch, 4, 16}}, y))
	rows := 4 * batch
	if batch < 0 {
		rows = -1
	}
	y = add(ops.Reshape{Shape: []int{rows, 16}}, y)
	y = add(ops.Linear{HasBias: true}, y, weight(6, 16), weight(6))
	y = add(ops.Unary{Fn: ops.Tanh}, y)
	y = add(ops.Linear{}, add(ops.Reshape{Shape: []int{batch, 24}}, y), weight(3, 24))
	g.SetOutputs(y)
	return g
}
