package nn

import (
	"math"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// ResNet20CIFAR is the 20-layer ResNet for 32x32 images of He et al. (2015),
// section 4.2, with parameter-free shortcuts (option A), named as in
// akamaster/pytorch_resnet_cifar10.
func ResNet20CIFAR() Architecture { return resNetCIFAR("resnet20-cifar", 3) }

// ResNet32CIFAR is the 32-layer one.
func ResNet32CIFAR() Architecture { return resNetCIFAR("resnet32-cifar", 5) }

// ResNet44CIFAR is the 44-layer one.
func ResNet44CIFAR() Architecture { return resNetCIFAR("resnet44-cifar", 7) }

// ResNet56CIFAR is the 56-layer one.
func ResNet56CIFAR() Architecture { return resNetCIFAR("resnet56-cifar", 9) }

func resNetCIFAR(name string, blocks int) Architecture {
	return Architecture{
		Name:   name,
		Inputs: []Input{{Name: "input", DType: tensor.Float32, Shape: []int{1, 3, 32, 32}}},
		Root:   resNetCIFARModule{blocks},
	}
}

type resNetCIFARModule struct{ blocks int }

func (resNetCIFARModule) Class() string { return "resnet.ResNet" }

func (m resNetCIFARModule) Forward(c *Context, x ...*graph.Value) *graph.Value {
	v := c.Call("conv1", Conv2d{In: 3, Out: 16, Kernel: 3, Padding: 1, NoBias: true}, x[0])
	v = c.Call("bn1", BatchNorm2d{Features: 16}, v)
	v = c.Apply(ops.Unary{Fn: ops.ReLU}, v)
	in := 16
	for i, width := range []int{16, 32, 64} {
		stride := 2
		if i == 0 {
			stride = 1
		}
		var layer Sequential
		for range m.blocks {
			layer = append(layer, cifarBlock{in, width, stride})
			in, stride = width, 1
		}
		v = c.Call("layer"+string(rune('1'+i)), layer, v)
	}
	v = c.Apply(ops.AdaptiveAvgPool{Size: []int{1, 1}}, v)
	v = c.Apply(ops.Flatten{Start: 1, End: -1}, v)
	return c.Call("linear", Linear{In: 64, Out: 10}, v)
}

type cifarBlock struct{ in, width, stride int }

func (cifarBlock) Class() string { return "resnet.BasicBlock" }

func (m cifarBlock) Forward(c *Context, x ...*graph.Value) *graph.Value {
	v := c.Call("conv1", Conv2d{In: m.in, Out: m.width, Kernel: 3, Stride: m.stride, Padding: 1, NoBias: true}, x[0])
	v = c.Call("bn1", BatchNorm2d{Features: m.width}, v)
	v = c.Apply(ops.Unary{Fn: ops.ReLU}, v)
	v = c.Call("conv2", Conv2d{In: m.width, Out: m.width, Kernel: 3, Padding: 1, NoBias: true}, v)
	v = c.Call("bn2", BatchNorm2d{Features: m.width}, v)
	shortcut := x[0]
	if m.stride != 1 || m.in != m.width {
		shortcut = c.Call("shortcut", optionA{m.width / 4}, x[0])
	}
	v = c.Apply(ops.Binary{Fn: ops.Add}, v, shortcut)
	return c.Apply(ops.Unary{Fn: ops.ReLU}, v)
}

// optionA is x[:, :, ::2, ::2] with zero channels added on both sides.
type optionA struct{ pad int }

func (optionA) Class() string { return "resnet.LambdaLayer" }

func (m optionA) Forward(c *Context, x ...*graph.Value) *graph.Value {
	v := c.Apply(ops.Slice{Axis: 2, End: math.MaxInt, Step: 2}, x[0])
	v = c.Apply(ops.Slice{Axis: 3, End: math.MaxInt, Step: 2}, v)
	side := []int{0, m.pad, 0, 0}
	return c.Apply(ops.Pad{Before: side, After: side}, v)
}
