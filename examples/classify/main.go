// Command classify runs an image through a classifier that PyTorch trained:
//
//	classify resnet18 resnet18.pth cat.jpg
//
// The weights are a state_dict as torchvision's models have it.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/tensor"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: classify ARCH WEIGHTS IMAGE")
		os.Exit(2)
	}
	classes, err := classify(os.Args[1], os.Args[2], os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, "classify:", err)
		os.Exit(1)
	}
	for _, c := range classes[:min(5, len(classes))] {
		fmt.Printf("class %d: %.3f\n", c.index, c.logit)
	}
}

type class struct {
	index int
	logit float32
}

// classify returns the classes of an image, the likeliest first.
func classify(arch, weights, picture string) ([]class, error) {
	a, err := nn.ByName(arch)
	if err != nil {
		return nil, err
	}
	m, err := loader.Build(weights, a)
	if err != nil {
		return nil, err
	}
	s, err := m.Compile(graph.Options{})
	if err != nil {
		return nil, err
	}
	defer s.Close()

	shape := a.Inputs[0].Shape
	x, err := readImage(picture, shape[2], shape[3])
	if err != nil {
		return nil, err
	}
	y, err := s.Run(context.Background(), x)
	if err != nil {
		return nil, err
	}
	values, indices, err := tensor.TopK(y[0], y[0].Dim(-1))
	if err != nil {
		return nil, err
	}
	var classes []class
	for i, index := range indices.Int64s() {
		classes = append(classes, class{int(index), values.Float32s()[i]})
	}
	return classes, nil
}

// readImage returns the picture at path as torchvision's models are trained with: the middle of it, of height and width, where the shorter
// edge of all but small ones was made an eighth longer than that, normalized.
func readImage(path string, height, width int) (*tensor.Tensor, error) {
	encoded, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := data.Preprocessing{
		Size: []int{max(height, width)}, Crop: []int{height, width},
		Mean: []float32{0.485, 0.456, 0.406}, Std: []float32{0.229, 0.224, 0.225}, // of ImageNet
	}
	if p.Size[0] >= 224 {
		p.Size[0] = p.Size[0] * 256 / 224
	}
	x, err := p.Input(encoded)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return x, nil
}
