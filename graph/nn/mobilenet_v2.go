package nn

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// MobileNetV2 is torchvision's mobilenet_v2 (Sandler et al., "MobileNetV2:
// Inverted Residuals and Linear Bottlenecks", 2018).
func MobileNetV2() Architecture {
	return Architecture{Name: "mobilenet_v2", Inputs: image, Root: mobileNetV2{}}
}

type mobileNetV2 struct{}

func (mobileNetV2) Class() string { return "torchvision.models.mobilenetv2.MobileNetV2" }

func (mobileNetV2) Forward(c *Context, x ...*graph.Value) *graph.Value {
	features := Sequential{convBNReLU6(3, 32, 3, 2, 1)}
	in := 32
	for _, s := range []struct{ expand, out, repeat, stride int }{
		{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1},
	} {
		stride := s.stride
		for range s.repeat {
			features = append(features, invertedResidual{in, s.out, stride, s.expand})
			in, stride = s.out, 1
		}
	}
	features = append(features, convBNReLU6(in, 1280, 1, 1, 1))
	v := c.Call("features", features, x[0])
	v = c.Apply(ops.AdaptiveAvgPool{Size: []int{1, 1}}, v)
	v = c.Apply(ops.Flatten{Start: 1, End: -1}, v)
	return c.Call("classifier", Sequential{Dropout{}, Linear{In: 1280, Out: 1000}}, v)
}

// convBNReLU6 is torchvision's Conv2dNormActivation with ReLU6.
func convBNReLU6(in, out, kernel, stride, groups int) Module {
	return Sequential{
		Conv2d{In: in, Out: out, Kernel: kernel, Stride: stride, Padding: (kernel - 1) / 2, Groups: groups, NoBias: true},
		BatchNorm2d{Features: out},
		ReLU6{},
	}
}

type invertedResidual struct{ in, out, stride, expand int }

func (invertedResidual) Class() string { return "torchvision.models.mobilenetv2.InvertedResidual" }

func (m invertedResidual) Forward(c *Context, x ...*graph.Value) *graph.Value {
	hidden := m.in * m.expand
	var conv Sequential
	if m.expand != 1 {
		conv = append(conv, convBNReLU6(m.in, hidden, 1, 1, 1))
	}
	conv = append(conv,
		convBNReLU6(hidden, hidden, 3, m.stride, hidden),
		Conv2d{In: hidden, Out: m.out, Kernel: 1, NoBias: true},
		BatchNorm2d{Features: m.out})
	v := c.Call("conv", conv, x[0])
	if m.stride == 1 && m.in == m.out {
		v = c.Apply(ops.Binary{Fn: ops.Add}, x[0], v)
	}
	return v
}
