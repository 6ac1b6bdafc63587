package nn

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// image is the input of the ImageNet models.
var image = []Input{{Name: "input", DType: tensor.Float32, Shape: []int{1, 3, 224, 224}}}

// ResNet18 is torchvision's resnet18 (He et al., "Deep Residual Learning for
// Image Recognition", 2015).
func ResNet18() Architecture { return resNet("resnet18", false, 2, 2, 2, 2) }

// ResNet34 is torchvision's resnet34.
func ResNet34() Architecture { return resNet("resnet34", false, 3, 4, 6, 3) }

// ResNet50 is torchvision's resnet50, with the stride in the 3x3 convolution.
func ResNet50() Architecture { return resNet("resnet50", true, 3, 4, 6, 3) }

func resNet(name string, bottleneck bool, depths ...int) Architecture {
	return Architecture{Name: name, Inputs: image, Root: resNetModule{bottleneck, depths}}
}

type resNetModule struct {
	bottleneck bool
	depths     []int
}

func (resNetModule) Class() string { return "torchvision.models.resnet.ResNet" }

func (m resNetModule) Forward(c *Context, x ...*graph.Value) *graph.Value {
	v := c.Call("conv1", Conv2d{In: 3, Out: 64, Kernel: 7, Stride: 2, Padding: 3, NoBias: true}, x[0])
	v = c.Call("bn1", BatchNorm2d{Features: 64}, v)
	v = c.Call("relu", ReLU{}, v)
	v = c.Call("maxpool", MaxPool2d{Kernel: 3, Stride: 2, Padding: 1}, v)
	in := 64
	for i, depth := range m.depths {
		width, stride := 64<<i, 2
		if i == 0 {
			stride = 1
		}
		var layer Sequential
		for range depth {
			block := resNetBlock{in: in, width: width, stride: stride, bottleneck: m.bottleneck}
			layer = append(layer, block)
			in, stride = block.out(), 1
		}
		v = c.Call("layer"+string(rune('1'+i)), layer, v)
	}
	v = c.Call("avgpool", AdaptiveAvgPool2d{Size: 1}, v)
	v = c.Apply(ops.Flatten{Start: 1, End: -1}, v)
	return c.Call("fc", Linear{In: in, Out: 1000}, v)
}

// resNetBlock is torchvision's BasicBlock or Bottleneck.
type resNetBlock struct {
	in, width, stride int
	bottleneck        bool
}

func (m resNetBlock) out() int {
	if m.bottleneck {
		return 4 * m.width
	}
	return m.width
}

func (m resNetBlock) Class() string {
	if m.bottleneck {
		return "torchvision.models.resnet.Bottleneck"
	}
	return "torchvision.models.resnet.BasicBlock"
}

func (m resNetBlock) Forward(c *Context, x ...*graph.Value) *graph.Value {
	shortcut := x[0]
	var v *graph.Value
	if m.bottleneck {
		v = c.Call("conv1", Conv2d{In: m.in, Out: m.width, Kernel: 1, NoBias: true}, x[0])
		v = c.Call("relu", ReLU{}, c.Call("bn1", BatchNorm2d{Features: m.width}, v))
		v = c.Call("conv2", Conv2d{In: m.width, Out: m.width, Kernel: 3, Stride: m.stride, Padding: 1, NoBias: true}, v)
		v = c.Call("relu", ReLU{}, c.Call("bn2", BatchNorm2d{Features: m.width}, v))
		v = c.Call("conv3", Conv2d{In: m.width, Out: m.out(), Kernel: 1, NoBias: true}, v)
		v = c.Call("bn3", BatchNorm2d{Features: m.out()}, v)
	} else {
		v = c.Call("conv1", Conv2d{In: m.in, Out: m.width, Kernel: 3, Stride: m.stride, Padding: 1, NoBias: true}, x[0])
		v = c.Call("relu", ReLU{}, c.Call("bn1", BatchNorm2d{Features: m.width}, v))
		v = c.Call("conv2", Conv2d{In: m.width, Out: m.width, Kernel: 3, Padding: 1, NoBias: true}, v)
		v = c.Call("bn2", BatchNorm2d{Features: m.width}, v)
	}
	if m.stride != 1 || m.in != m.out() {
		shortcut = c.Call("downsample", Sequential{
			Conv2d{In: m.in, Out: m.out(), Kernel: 1, Stride: m.stride, NoBias: true},
			BatchNorm2d{Features: m.out()},
		}, x[0])
	}
	return c.Call("relu", ReLU{}, c.Apply(ops.Binary{Fn: ops.Add}, v, shortcut))
}
