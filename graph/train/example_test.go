package train_test

import (
	"context"
	"fmt"
	"log"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/train"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// A line through points: y = weight x, trained to weight 3.
func Example() {
	g := graph.New()
	x := g.Input("x", tensor.Float32, 4, 1)
	w, err := tensor.FromSlice([]float32{0}, 1, 1)
	if err != nil {
		log.Fatal(err)
	}
	y, err := g.Add1(graph.Scope{}, ops.Linear{}, x, g.Const("weight", w))
	if err != nil {
		log.Fatal(err)
	}
	g.SetOutputs(y)

	model, err := train.FromGraph(g)
	if err != nil {
		log.Fatal(err)
	}
	t, err := train.New(model, train.Options{Loss: train.MeanSquaredError, Optimizer: train.SGD{LR: 0.1}, Session: graph.Options{Threads: 1}})
	if err != nil {
		log.Fatal(err)
	}
	defer t.Close()
	points, err := tensor.FromSlice([]float32{-1, 0, 1, 2}, 4, 1)
	if err != nil {
		log.Fatal(err)
	}
	want, err := tensor.FromSlice([]float32{-3, 0, 3, 6}, 4, 1)
	if err != nil {
		log.Fatal(err)
	}
	for range 60 {
		if _, err := t.Step(context.Background(), points, want); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Printf("%.3f after %d steps\n", t.Parameters()[0].Value.Float32s()[0], t.Steps())
	// Output: 3.000 after 60 steps
}

// The learning rate rises for ten steps, then falls along a cosine.
func ExampleSchedule() {
	s := train.WarmUp(10, train.Cosine(100, 0))
	fmt.Printf("%.2f %.2f %.2f\n", s(0), s(9), s(99))
	// Output: 0.09 0.91 0.03
}
