package bench_test

import (
	"context"
	"fmt"
	"log"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/digits"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// The accuracy of a model on labelled samples.
func ExampleEvaluate() {
	model, err := digits.Load()
	if err != nil {
		log.Fatal(err)
	}
	s, err := model.Compile(graph.Options{Threads: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	d, err := data.OpenDataset("../digits/test.npz")
	if err != nil {
		log.Fatal(err)
	}
	e, err := bench.Evaluate(context.Background(), s, d, 64, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %d of %d\n", e.Metric.Name, e.Right, e.N)
	// Output: top1: 507 of 512
}

// Two models agree on a sample where their greatest output is the same.
func ExampleCompare() {
	a, err := tensor.FromSlice([]float32{1, 0, 0, 1}, 2, 2)
	if err != nil {
		log.Fatal(err)
	}
	b, err := tensor.FromSlice([]float32{1, 0.25, 2, 1}, 2, 2)
	if err != nil {
		log.Fatal(err)
	}
	agreement, err := bench.Compare(a, b)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(agreement.SameClass, "of", agreement.N, "and at most", agreement.MaxAbsDiff, "apart")
	// Output: 1 of 2 and at most 2 apart
}

// How many parameters and multiply-accumulates a model has.
func ExampleSummarize() {
	model, err := digits.Load()
	if err != nil {
		log.Fatal(err)
	}
	s, err := bench.Summarize(model, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Parameters, s.MACs, s.Precision)
	// Output: 38442 1493632 float32
}
