package quantize_test

import (
	"context"
	"fmt"
	"log"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/digits"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// calibrated returns a model and a quantizer that has seen what its activations are.
func calibrated(o quantize.Options) (*graph.Graph, *quantize.Quantizer) {
	model, err := digits.Load()
	if err != nil {
		log.Fatal(err)
	}
	arrays, err := digits.Calib()
	if err != nil {
		log.Fatal(err)
	}
	samples, err := data.NewDataset(arrays)
	if err != nil {
		log.Fatal(err)
	}
	q := quantize.New(o)
	if err := q.Calibrate(context.Background(), model, samples.Batches(model, 32)); err != nil {
		log.Fatal(err)
	}
	return model, q
}

// A model is calibrated on samples, and converted.
func Example() {
	model, q := calibrated(quantize.Options{})
	int8, err := q.Quantize(model)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(int8.Inputs), "input,", len(int8.Outputs), "output")
	for _, l := range q.Report().Layers {
		if l.Precision != "int8" {
			fmt.Println(l.Name, "is not in int8:", l.Reason)
		}
	}
	// Output: 1 input, 1 output
}

// A filter leaves modules in float32, and the report says why.
func ExampleFilter() {
	model, q := calibrated(quantize.Options{Filter: quantize.Filter{ExcludeNames: []string{"fc"}}})
	if _, err := q.Quantize(model); err != nil {
		log.Fatal(err)
	}
	for _, l := range q.Report().Layers {
		if l.Name == "fc" {
			fmt.Println(l.Precision, "since it is", l.Reason)
		}
	}
	// Output: float32 since it is excluded by name "fc"
}

// Overrides hold from one call on, for this and what follows.
func ExampleOverride() {
	model, q := calibrated(quantize.Options{})
	symmetric := quantize.Spec{DType: tensor.Int8, Scheme: tensor.PerTensorSymmetric}
	int8, err := q.Quantize(model,
		quantize.WithWeight(quantize.ObserverConfig{Kind: quantize.MinMax, Spec: symmetric}),
		quantize.WithBias(quantize.Spec{DType: tensor.Int32, Scheme: tensor.PerTensorSymmetric, Min: -1 << 20, Max: 1 << 20}))
	if err != nil {
		log.Fatal(err)
	}
	for _, v := range int8.Constants() {
		if v.Name == "fc.weight" {
			fmt.Println(v.Type.Q.Scheme)
		}
	}
	// An activation's override is of what is observed: of calibration.
	calibration, err := q.Calib(model, quantize.WithActivation(quantize.ObserverConfig{Kind: quantize.Histogram, Spec: symmetric}))
	if err != nil {
		log.Fatal(err)
	}
	calibration.Close()
	// Output: per_tensor_symmetric
}

// Tune finds which modules stay in float32 for an accuracy that may be a little less: here the share of samples that keep their class.
func ExampleQuantizer_Tune() {
	model, q := calibrated(quantize.Options{})
	arrays, err := digits.Test()
	if err != nil {
		log.Fatal(err)
	}
	samples, err := data.NewDataset(arrays)
	if err != nil {
		log.Fatal(err)
	}
	all := samples.Batches(model, 64)
	tuned, err := q.Tune(context.Background(), model, quantize.Target{
		Accuracy: quantize.Agreement(model, all, graph.Options{}), MaxDrop: 0.02, Data: all, Cost: quantize.UnitCost,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tuned.Accuracy >= tuned.Target, len(tuned.Fallback))
	right, err := quantize.Labelled(all, arrays.Get("y"), graph.Options{})(context.Background(), model)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(right > 0.95)
	// Output:
	// true 0
	// true
}

// A backend of one's own is known by its name once it is registered: saved states have the name.
func ExampleRegister() {
	stem := quantize.Rule{Modules: []string{"conv1"}, Precision: quantize.Float32}
	if err := quantize.Register(quantize.Native.With("example", stem)); err != nil {
		log.Fatal(err)
	}
	b, err := quantize.ParseBackend("example")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(b.Name)
	// Output: example
}

// The proxy that is trained computes with integers, or rounds floats to them as PyTorch's does.
func ExampleWithForward() {
	model, q := calibrated(quantize.Options{})
	for _, forward := range []quantize.Forward{quantize.IntegerArithmetic, quantize.FakeQuantized} {
		proxy, err := q.QAT(model, quantize.WithForward(forward))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(proxy.Inputs(), "input,", len(proxy.Parameters()) > 20)
		proxy.Close()
	}
	// Output:
	// 1 input, true
	// 1 input, true
}
