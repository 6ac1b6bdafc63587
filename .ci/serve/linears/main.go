// Command linears writes a model of three linear layers of 2048 to 2048 with random weights: linears FILE. Its weights do
// not fit the cache, which makes joining requests worthwhile.
package main

import (
	"log"
	"os"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/tensor"
)

const width = 2048

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: linears FILE")
	}
	g, err := nn.BuildRandom(nn.Architecture{
		Name:   "linears",
		Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, width}}},
		Root:   linears{},
	}, 1)
	if err != nil {
		log.Fatal(err)
	}
	if err := loader.Save(os.Args[1], g); err != nil {
		log.Fatal(err)
	}
}

// linears is the model.
type linears struct{}

func (linears) Class() string { return "Linears" }

func (linears) Forward(c *nn.Context, in ...*graph.Value) *graph.Value {
	x := in[0]
	for _, name := range []string{"a", "b", "c"} {
		x = c.Call(name, nn.Linear{In: width, Out: width}, x)
	}
	return x
}
