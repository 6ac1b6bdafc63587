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

// A convolution that pads with what lies at the other end, as of a torus, and keeps the extents.
func ExampleConv2d() {
	g, err := nn.BuildRandom(nn.Architecture{
		Name:   "torus",
		Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, 3, 5, 8}}},
		Root:   nn.Conv2d{In: 3, Out: 4, Kernel: 3, Same: true, PaddingMode: nn.PadCircular},
	}, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(g.Outputs[0].Type.Shape)
	// Output: [1, 4, 5, 8]
}

// twoHeads gives two outputs, by name.
type twoHeads struct{ nn.Container }

func (m twoHeads) Outputs(c *nn.Context, x ...*graph.Value) []nn.Output {
	states := m.Forward(c, x...)
	return []nn.Output{{Name: "states", Value: states}, {Name: "class", Value: c.Call("head", nn.Linear{In: 8, Out: 2}, states)}}
}

func ExampleOutput() {
	g, err := nn.BuildRandom(nn.Architecture{
		Name:   "two heads",
		Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, 4}}},
		Root:   twoHeads{nn.Container{{Name: "body", Module: nn.Linear{In: 4, Out: 8}}}},
	}, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(g.OutputNames())
	// Output: [states class]
}

// The built-in architectures, which ByName finds too.
func ExampleByName() {
	for _, a := range []nn.Architecture{
		nn.BERTBase(), nn.MobileNetV2(), nn.ResNet18(), nn.ResNet34(), nn.ResNet50(), nn.ResNet20CIFAR(), nn.ResNet32CIFAR(), nn.ResNet44CIFAR(),
		nn.ResNet56CIFAR(), nn.VGG11(), nn.VGG16(),
	} {
		fmt.Println(a.Name, a.Inputs[0].Shape)
	}
	// Output:
	// bert [1 128]
	// mobilenet_v2 [1 3 224 224]
	// resnet18 [1 3 224 224]
	// resnet34 [1 3 224 224]
	// resnet50 [1 3 224 224]
	// resnet20-cifar [1 3 32 32]
	// resnet32-cifar [1 3 32 32]
	// resnet44-cifar [1 3 32 32]
	// resnet56-cifar [1 3 32 32]
	// vgg11 [1 3 224 224]
	// vgg16 [1 3 224 224]
}

// Rows of a table, added up: the indices of each bag are a row.
func ExampleEmbeddingBag() {
	g, err := nn.BuildRandom(nn.Architecture{
		Name:   "bag",
		Inputs: []nn.Input{{Name: "indices", DType: tensor.Int64, Shape: []int{2, 3}}},
		Root:   nn.EmbeddingBag{Num: 10, Dim: 4, Mode: nn.BagSum},
	}, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(g.Outputs[0].Type.Shape)
	// Output: [2, 4]
}
