// Command backend quantizes a model for a target that octet does not know, in a module of its own: one with symmetric activations,
// whose first layer stays float32, whose head has a scale per tensor, and whose last activation has parameters that the target fixes.
package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// backend is Native with the rules of the target. Later rules win.
func backend() *quantize.Backend {
	symmetric := quantize.Spec{DType: tensor.Int8, Scheme: tensor.PerTensorSymmetric}
	b := quantize.Native.With("example",
		quantize.Rule{Modules: []string{"stem"}, Precision: quantize.Float32},
		quantize.Rule{Modules: []string{"head"}, Weight: &quantize.ObserverConfig{Kind: quantize.MinMax, Spec: symmetric}},
		quantize.Rule{Values: []string{"act"}, Activation: &quantize.Edge{Fixed: tensor.PerTensor(tensor.Uint8, 1.0/64, 12)}},
	)
	b.Activation = quantize.ObserverConfig{Kind: quantize.MinMax, Spec: symmetric}
	return b
}

// model is three layers with random weights.
func model() (*graph.Graph, error) {
	forward := func(c *nn.Context, x ...*graph.Value) *graph.Value {
		v := c.Call("stem", nn.Linear{In: 32, Out: 64}, x[0])
		v = c.Call("act", nn.GELU{}, c.Call("body", nn.Linear{In: 64, Out: 64}, v))
		return c.Call("head", nn.Linear{In: 64, Out: 8}, v)
	}
	return nn.BuildRandom(nn.Architecture{
		Name: "example", Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, 32}}}, Root: module(forward),
	}, 1)
}

type module func(c *nn.Context, x ...*graph.Value) *graph.Value

func (module) Class() string { return "example.Net" }

func (m module) Forward(c *nn.Context, x ...*graph.Value) *graph.Value { return m(c, x...) }

func run() error {
	m, err := model()
	if err != nil {
		return err
	}
	x, err := tensor.New(tensor.Float32, 64, 32)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(rng.NormFloat64())
	}
	q := quantize.New(quantize.Options{Backend: backend()})
	samples := func(yield func([]*tensor.Tensor, error) bool) { yield([]*tensor.Tensor{x}, nil) }
	if err := q.Calibrate(context.Background(), m, samples); err != nil {
		return err
	}
	if _, err := q.Quantize(m); err != nil {
		return err
	}
	for _, l := range q.Report().Layers {
		fmt.Printf("%-6s %-8s %s\n", l.Name, l.Op, l.Precision)
	}
	p, err := q.Parameters(m)
	if err != nil {
		return err
	}
	fmt.Println("act ", p.Activations["act"])
	fmt.Println("body", p.Weights["body"].Scheme)
	fmt.Println("head", p.Weights["head"].Scheme)
	return nil
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}
