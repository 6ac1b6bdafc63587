// Command models writes a model to measure the server with: models NAME FILE.
//
//	linears   three linear layers of 2048 to 2048 with random weights, which do not fit the cache: joining requests is worthwhile
//	resnet18  ResNet-18 in int8 with random weights, whose run takes many times what the server adds to it
//	pool      the mean of each channel of a picture of CIFAR, which hardly computes: what a request takes is the server's
package main

import (
	"context"
	"log"
	"os"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

const width = 2048

var models = map[string]nn.Architecture{
	"resnet18": nn.ResNet18(),
	"linears":  {Name: "linears", Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, width}}}, Root: linears{}},
	"pool":     {Name: "pool", Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, 3, 32, 32}}}, Root: pool{}},
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: models NAME FILE")
	}
	architecture, ok := models[os.Args[1]]
	if !ok {
		log.Fatalf("there is no model %q", os.Args[1])
	}
	g, err := nn.BuildRandom(architecture, 1)
	if err != nil {
		log.Fatal(err)
	}
	if architecture.Name == "resnet18" {
		if g, err = quantized(g); err != nil {
			log.Fatal(err)
		}
	}
	if err := loader.Save(os.Args[2], g); err != nil {
		log.Fatal(err)
	}
}

// quantized returns a model in int8, calibrated on a random picture.
func quantized(g *graph.Graph) (*graph.Graph, error) {
	q := quantize.New(quantize.Options{Backend: quantize.Native})
	calib, err := q.Calib(g)
	if err != nil {
		return nil, err
	}
	defer calib.Close()
	inputs, err := bench.RandomInputs([]ops.Type{g.Inputs[0].Type}, 1)
	if err != nil {
		return nil, err
	}
	if _, err := calib.Run(context.Background(), inputs...); err != nil {
		return nil, err
	}
	return q.Quantize(g)
}

// linears is the model of that name.
type linears struct{}

func (linears) Class() string { return "Linears" }

func (linears) Forward(c *nn.Context, in ...*graph.Value) *graph.Value {
	x := in[0]
	for _, name := range []string{"a", "b", "c"} {
		x = c.Call(name, nn.Linear{In: width, Out: width}, x)
	}
	return x
}

// pool is the model of that name.
type pool struct{}

func (pool) Class() string { return "Pool" }

func (pool) Forward(c *nn.Context, in ...*graph.Value) *graph.Value {
	return c.Call("flatten", nn.Flatten{}, c.Call("mean", nn.AdaptiveAvgPool2d{Size: 1}, in[0]))
}
