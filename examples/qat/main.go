// Command qat trains a model with 4-bit quantization in the loop, its float form
// being the teacher, and saves the int8 model:
//
//	qat resnet20-cifar resnet20.th calib.npz train.npz resnet20.int8.safetensors
//
// The .npz files have x, mean and std; see data.OpenDataset.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/graph/train"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/quantize"
)

func main() {
	if len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, "usage: qat ARCH WEIGHTS CALIB TRAIN OUT")
		os.Exit(2)
	}
	arch, err := nn.ByName(os.Args[1])
	if err == nil {
		err = fit(os.Stdout, arch, os.Args[2], os.Args[3], os.Args[4], os.Args[5], 32, 10)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "qat:", err)
		os.Exit(1)
	}
}

func fit(w io.Writer, arch nn.Architecture, weights, calib, samples, out string, batch, epochs int) error {
	ctx := context.Background()
	m, err := loader.Build(weights, arch)
	if err != nil {
		return err
	}

	// Observe the range of every activation; what is quantized has 4 bits.
	images, err := data.OpenDataset(calib)
	if err != nil {
		return err
	}
	q := quantize.New(quantize.Options{})
	if err := q.Calibrate(ctx, m, images.Batches(m, batch), quantize.WithBits(4, 4)); err != nil {
		return err
	}

	// Train weights and scales towards what the float model answers.
	if images, err = data.OpenDataset(samples); err != nil {
		return err
	}
	order, err := train.NewSampler(1, images.Len(), batch)
	if err != nil {
		return err
	}
	student, err := q.QAT(m)
	if err != nil {
		return err
	}
	defer student.Close()
	teacher, err := m.Compile(graph.Options{})
	if err != nil {
		return err
	}
	defer teacher.Close()
	t, err := train.New(student, train.Options{
		Loss: train.Distill(4), Optimizer: train.Adam{LR: 0.0003}, Schedule: train.Cosine(epochs*order.PerEpoch(), 0),
		Groups: []train.Group{{Match: train.OfKind(train.Scale), Rate: 10, Relative: true}},
	})
	if err != nil {
		return err
	}
	defer t.Close()
	for order.Epoch() < epochs {
		x, _, err := images.Select(m, order.Next())
		if err != nil {
			return err
		}
		loss, err := t.StepToward(ctx, teacher, x...)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "step %d: loss %.3f\n", t.Steps(), loss)
	}

	int8, err := q.Quantize(m)
	if err != nil {
		return err
	}
	return loader.Save(out, int8)
}
