// Runs one model once, on one thread, and prints a line for each of its kernels: module, operator, output, multiply-accumulates, choice.
// Before and behind each kernel it calls the function mark, which whoever follows the program's instructions can see.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

func main() {
	err := fmt.Errorf("usage: layers make ARCH DIR | layers run FILE TIER")
	switch {
	case len(os.Args) == 4 && os.Args[1] == "make":
		err = makeModels(os.Args[2], os.Args[3])
	case len(os.Args) == 4 && os.Args[1] == "run":
		err = run(os.Args[2], os.Args[3])
	}
	if err != nil {
		log.Fatal(err)
	}
}

// image returns random inputs of one image.
func image() ([]*tensor.Tensor, error) {
	return bench.RandomInputs([]ops.Type{ops.F32(1, 3, 224, 224)}, 1)
}

// makeModels writes an architecture with random weights, in float32 and in int8.
func makeModels(arch, dir string) error {
	built, err := nn.ByName(arch)
	if err != nil {
		return err
	}
	float, err := nn.BuildRandom(built, 1)
	if err != nil {
		return err
	}
	if err := loader.Save(dir+"/float32.safetensors", float); err != nil {
		return err
	}
	q := quantize.New(quantize.Options{})
	calib, err := q.Calib(float)
	if err != nil {
		return err
	}
	defer calib.Close()
	in, err := image()
	if err != nil {
		return err
	}
	if _, err := calib.Run(context.Background(), in...); err != nil {
		return err
	}
	int8, err := q.Quantize(float)
	if err != nil {
		return err
	}
	return loader.Save(dir+"/int8.safetensors", int8)
}

func run(file, tier string) error {
	g, err := loader.Load(file)
	if err != nil {
		return err
	}
	in, err := image()
	if err != nil {
		return err
	}
	var lines []string
	s, err := g.Compile(graph.Options{Threads: 1, CPU: tier, Trace: func(t graph.StepTrace) {
		mark()
		op, work := t.Node.Op, ops.WorkOf(t.Node.Op, t.In, t.Out)
		lines = append(lines, fmt.Sprintf("%s\t%T\t%v\t%d\t%s", t.Node.Scope.Path, op, t.Out[0].Shape, work.MACs+work.Int8MACs, t.Choice))
		mark()
	}})
	if err != nil {
		return err
	}
	defer s.Close()
	mark()
	if _, err := s.Run(context.Background(), in...); err != nil {
		return err
	}
	fmt.Println(strings.Join(lines, "\n"))
	return nil
}

//go:noinline
func mark() { marks++ }

var marks int
