// Package digits is a small convolutional network for handwritten digits, as
// trained in PyTorch by train.py, with images to calibrate and to test it: an
// architecture of one's own, written in Go.
package digits

import (
	"bytes"
	_ "embed" // for the files below

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

var (
	//go:embed digits.pth
	weights []byte
	//go:embed calib.npz
	calib []byte
	//go:embed test.npz
	test []byte
)

// Architecture is the class Digits of train.py; its parameters have the same names.
func Architecture() nn.Architecture {
	return nn.Architecture{
		Name:   "digits",
		Inputs: []nn.Input{{Name: "input", DType: tensor.Float32, Shape: []int{1, 1, 8, 8}}},
		Root:   network{},
	}
}

type network struct{}

func (network) Class() string { return "digits.Digits" }

func (network) Forward(c *nn.Context, x ...*graph.Value) *graph.Value {
	v := c.Call("conv1", nn.Conv2d{In: 1, Out: 32, Kernel: 3, Padding: 1, NoBias: true}, x[0])
	v = c.Call("bn1", nn.BatchNorm2d{Features: 32}, v)
	v = c.Apply(ops.Unary{Fn: ops.ReLU}, v)
	v = c.Call("block", block{32}, v)
	v = c.Call("pool", nn.MaxPool2d{Kernel: 2}, v)
	v = c.Call("conv2", nn.Conv2d{In: 32, Out: 64, Kernel: 3, Padding: 1, NoBias: true}, v)
	v = c.Call("bn2", nn.BatchNorm2d{Features: 64}, v)
	v = c.Apply(ops.Unary{Fn: ops.ReLU}, v)
	v = c.Call("avgpool", nn.AdaptiveAvgPool2d{Size: 1}, v)
	v = c.Apply(ops.Flatten{Start: 1, End: -1}, v)
	return c.Call("fc", nn.Linear{In: 64, Out: 10}, v)
}

// block is the class Block of train.py.
type block struct{ channels int }

func (block) Class() string { return "digits.Block" }

func (b block) Forward(c *nn.Context, x ...*graph.Value) *graph.Value {
	conv := nn.Conv2d{In: b.channels, Out: b.channels, Kernel: 3, Padding: 1, NoBias: true}
	norm := nn.BatchNorm2d{Features: b.channels}
	v := c.Call("conv1", conv, x[0])
	v = c.Call("bn1", norm, v)
	v = c.Apply(ops.Unary{Fn: ops.ReLU}, v)
	v = c.Call("conv2", conv, v)
	v = c.Call("bn2", norm, v)
	v = c.Apply(ops.Binary{Fn: ops.Add}, v, x[0])
	return c.Apply(ops.Unary{Fn: ops.ReLU}, v)
}

// Load returns the trained network.
func Load() (*graph.Graph, error) {
	sd, err := loader.StateDictFrom(bytes.NewReader(weights), int64(len(weights)))
	if err != nil {
		return nil, err
	}
	return nn.Build(Architecture(), sd)
}

// Calib returns the 256 images to calibrate with and Test the 512 to test with,
// neither of which the network was trained on: x uint8 [N, 1, 8, 8], y int64
// [N], and the mean and standard deviation to normalize with.
func Calib() (tensor.Arrays, error) { return read(calib) }

// Test is described at Calib.
func Test() (tensor.Arrays, error) { return read(test) }

func read(npz []byte) (tensor.Arrays, error) {
	return tensor.ReadNPZFrom(bytes.NewReader(npz), int64(len(npz)), 0)
}
