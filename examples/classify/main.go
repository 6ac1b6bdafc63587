// Command classify runs an image through a classifier that PyTorch trained:
//
//	classify resnet18 resnet18.pth cat.jpg
//
// The weights are a state_dict as torchvision's models have it.
package main

import (
	"context"
	"fmt"
	"image"
	_ "image/jpeg" // formats that image.Decode reads
	_ "image/png"
	"os"
	"slices"

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
	var classes []class
	for i, v := range y[0].Float32s() {
		classes = append(classes, class{i, v})
	}
	slices.SortStableFunc(classes, func(a, b class) int {
		switch {
		case a.logit > b.logit:
			return -1
		case a.logit < b.logit:
			return 1
		}
		return 0
	})
	return classes, nil
}

// Mean and standard deviation of the channels of ImageNet, which torchvision's
// models are trained with.
var (
	mean = [3]float32{0.485, 0.456, 0.406}
	std  = [3]float32{0.229, 0.224, 0.225}
)

// readImage returns the image scaled to height x width, normalized: float32 [1, 3, height, width].
func readImage(path string, height, width int) (*tensor.Tensor, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	x, err := tensor.New(tensor.Float32, 1, 3, height, width)
	if err != nil {
		return nil, err
	}
	v, b := x.Float32s(), img.Bounds()
	for i := range height {
		for j := range width {
			r, g, bl, _ := img.At(b.Min.X+(2*j+1)*b.Dx()/(2*width), b.Min.Y+(2*i+1)*b.Dy()/(2*height)).RGBA()
			for c, p := range [3]uint32{r, g, bl} {
				v[(c*height+i)*width+j] = (float32(p)/0xffff - mean[c]) / std[c]
			}
		}
	}
	return x, nil
}
