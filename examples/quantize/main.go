// Command quantize turns a float model into an int8 one, saves it, and compares
// the two:
//
//	quantize resnet20-cifar resnet20.th calib.npz test.npz resnet20.int8.safetensors
//
// The .npz files have x, y, mean and std; see data.OpenDataset.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/quantize"
)

func main() {
	if len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, "usage: quantize ARCH WEIGHTS CALIB TEST OUT")
		os.Exit(2)
	}
	arch, err := nn.ByName(os.Args[1])
	if err == nil {
		err = convert(os.Stdout, arch, os.Args[2], os.Args[3], os.Args[4], os.Args[5])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "quantize:", err)
		os.Exit(1)
	}
}

func convert(w io.Writer, arch nn.Architecture, weights, calib, test, out string) error {
	ctx := context.Background()
	m, err := loader.Build(weights, arch)
	if err != nil {
		return err
	}

	// Observe the range of every activation on the calibration images.
	q := quantize.New(quantize.Options{Backend: quantize.Native})
	images, err := data.OpenDataset(calib)
	if err != nil {
		return err
	}
	if err := q.Calibrate(ctx, m, images.Batches(m, 64)); err != nil {
		return err
	}

	// Convert, save, and load again as a program that serves the model would.
	int8, err := q.Quantize(m)
	if err != nil {
		return err
	}
	if err := loader.Save(out, int8); err != nil {
		return err
	}
	if int8, err = loader.Load(out); err != nil {
		return err
	}

	if images, err = data.OpenDataset(test); err != nil {
		return err
	}
	for _, g := range []*graph.Graph{m, int8} {
		s, err := g.Compile(graph.Options{})
		if err != nil {
			return err
		}
		defer s.Close()
		e, err := bench.Evaluate(ctx, s, images, 64, nil)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s: %d of %d right\n", bench.Precision(g), e.Right, e.N)
	}
	return nil
}
