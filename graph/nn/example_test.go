package nn_test

import (
	"errors"
	"fmt"
	"log"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/tensor"
)

// perceptron is a module of torch.nn written in Go: its layers have the names of the state_dict.
type perceptron struct{}

func (perceptron) Class() string { return "example.Perceptron" }

func (perceptron) Forward(c *nn.Context, x ...*graph.Value) *graph.Value {
	h := c.Call("hidden", nn.Linear{In: 4, Out: 8}, x[0])
	return c.Call("out", nn.Linear{In: 8, Out: 2}, c.Call("act", nn.ReLU{}, h))
}

func architecture() nn.Architecture {
	return nn.Architecture{Name: "perceptron", Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, 4}}}, Root: perceptron{}}
}

// An architecture of one's own, with random weights.
func ExampleBuildRandom() {
	g, err := nn.BuildRandom(architecture(), 1)
	if err != nil {
		log.Fatal(err)
	}
	for _, v := range g.Constants() {
		fmt.Println(v.Name, v.Type.Shape)
	}
	// Unordered output:
	// hidden.weight [8, 4]
	// hidden.bias [8]
	// out.weight [2, 8]
	// out.bias [2]
}

type noWeights struct{}

func (noWeights) Names() []string           { return []string{"fc.weight"} }
func (noWeights) Get(string) *tensor.Tensor { return nil }

// A state_dict that does not fit says everything that is wrong at once.
func ExampleBuild() {
	_, err := nn.Build(architecture(), noWeights{})
	if e, ok := errors.AsType[*nn.BindError](err); ok {
		fmt.Println("missing:", e.Missing)
		fmt.Println("unexpected:", e.Unexpected)
	}
	// Output:
	// missing: [hidden.weight hidden.bias out.weight out.bias]
	// unexpected: [fc.weight]
}
