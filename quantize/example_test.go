package quantize_test

import (
	"context"
	"fmt"
	"log"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/digits"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/quantize"
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
