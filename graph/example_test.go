package graph_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// doubled is a graph of relu(x + x) for x of any number of rows of three.
func doubled() *graph.Graph {
	g := graph.New()
	x := g.Input("x", tensor.Float32, 1, 3)
	sum, err := g.Add1(graph.Scope{}, ops.Binary{Fn: ops.Add}, x, x)
	if err != nil {
		log.Fatal(err)
	}
	y, err := g.Add1(graph.Scope{}, ops.Unary{Fn: ops.ReLU}, sum)
	if err != nil {
		log.Fatal(err)
	}
	g.SetOutputs(y)
	return g
}

// A graph is compiled once and run from any number of goroutines, with any batch.
func Example() {
	s, err := doubled().Compile(graph.Options{Threads: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	x, err := tensor.FromSlice([]float32{1, -2, 3, -4, 5, -6}, 2, 3)
	if err != nil {
		log.Fatal(err)
	}
	y, err := s.Run(context.Background(), x)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y[0].Shape(), y[0].Float32s())
	// Output: [2, 3] [2 0 6 0 10 0]
}

// Inputs that do not fit are an error that says which, and what the model takes.
func ExampleInputError() {
	s, err := doubled().Compile(graph.Options{Threads: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	x, err := tensor.FromSlice([]int64{1, 2, 3}, 1, 3)
	if err != nil {
		log.Fatal(err)
	}
	_, err = s.Run(context.Background(), x)
	if e, ok := errors.AsType[*graph.InputError](err); ok {
		fmt.Println(e.Name, "is", e.Got, "where the model takes", e.Want)
	}
	// Output: x is i64[1, 3] where the model takes f32[1, 3]
}

// RunInto writes to tensors of the caller, and allocates nothing once a shape has been run.
func ExampleSession_RunInto() {
	s, err := doubled().Compile(graph.Options{Threads: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	x, err := tensor.FromSlice([]float32{1, 2, 3}, 1, 3)
	if err != nil {
		log.Fatal(err)
	}
	y, err := tensor.New(tensor.Float32, 1, 3)
	if err != nil {
		log.Fatal(err)
	}
	if err := s.RunInto(context.Background(), []*tensor.Tensor{y}, []*tensor.Tensor{x}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(y.Float32s())
	// Output: [2 4 6]
}

// Inputs and outputs go by their names, in any order.
func ExampleSession_RunNamed() {
	s, err := doubled().Compile(graph.Options{Threads: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	x, err := tensor.FromSlice([]float32{1, 2, 3}, 1, 3)
	if err != nil {
		log.Fatal(err)
	}
	y, err := s.RunNamed(context.Background(), tensor.Named{Name: "x", Tensor: x})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y.Names(), y.Get("output0").Float32s())
	// Output: [output0] [2 4 6]
}

// The passes that Compile runs have names, by which Options.MaxPatches bisects what one does.
func ExampleOptimizations() {
	for _, p := range graph.Optimizations[:2] {
		fmt.Println(p.Name != "")
	}
	// Output:
	// true
	// true
}
