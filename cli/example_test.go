package cli_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/octet-ml/octet/cli"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/tensor"
)

// scorer is an architecture of one's own.
func scorer() nn.Architecture {
	return nn.Architecture{
		Name:   "scorer",
		Inputs: []nn.Input{{Name: "x", DType: tensor.Float32, Shape: []int{1, 2}}},
		Root:   nn.Container{{Name: "fc", Module: nn.Linear{In: 2, Out: 1}}, {Name: "act", Module: nn.Sigmoid{}}},
	}
}

// weights writes a state_dict of the scorer, as safetensors has it.
func weights(path string) error {
	w, err := tensor.FromSlice([]float32{1, -1}, 1, 2)
	if err != nil {
		return err
	}
	b, err := tensor.FromSlice([]float32{0.5}, 1)
	if err != nil {
		return err
	}
	return loader.WriteSafetensors(path, nil, []loader.Named{{Name: "fc.weight", Tensor: w}, {Name: "fc.bias", Tensor: b}})
}

// A program with all of octet's commands over an architecture of its own: func main() { cli.Main(scorer()) } is all of it.
func Example() {
	dir, err := os.MkdirTemp("", "octet")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file, model := filepath.Join(dir, "weights.safetensors"), filepath.Join(dir, "scorer.safetensors")
	if err := weights(file); err != nil {
		log.Fatal(err)
	}
	program := cli.Program{Name: "score", Architectures: []nn.Architecture{scorer()}}
	code := program.Run(context.Background(), []string{"convert", file, "--arch", "scorer", "-o", model}, io.Discard, os.Stderr)
	fmt.Println("exit code", code)

	g, err := loader.Load(model)
	if err != nil {
		log.Fatal(err)
	}
	s, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	x, err := tensor.FromSlice([]float32{1, 1.5}, 1, 2)
	if err != nil {
		log.Fatal(err)
	}
	y, err := s.Run(context.Background(), x)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y[0].Float32s())
	// Output:
	// exit code 0
	// [0.5]
}

// Messages have the program's name, and name its architectures.
func ExampleProgram_Run() {
	program := cli.Program{Name: "score", Architectures: []nn.Architecture{scorer()}}
	code := program.Run(context.Background(), []string{"bench", "--arch", "scorr"}, io.Discard, os.Stdout)
	fmt.Println("exit code", code)
	// Output:
	// score: unknown architecture "scorr": use one of bert_base, mobilenet_v2, resnet18, resnet20-cifar, resnet32-cifar, resnet34, resnet44-cifar, resnet50, resnet56-cifar, vgg11, vgg16, digits, scorer (did you mean scorer?)
	// Run "score help" or "score help COMMAND".
	// exit code 2
}
