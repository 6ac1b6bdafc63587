package nn

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// MaxPool1d is torch.nn.MaxPool1d; a Stride of 0 means Kernel.
type MaxPool1d struct {
	Kernel, Stride, Padding int
	CeilMode                bool
}

func (MaxPool1d) Class() string { return "torch.nn.modules.pooling.MaxPool1d" }

func (m MaxPool1d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	kernel := []int{m.Kernel}
	return c.Apply(ops.MaxPool{Kernel: kernel, Stride: strideOr([]int{m.Stride}, kernel), Padding: []int{m.Padding}, Dilation: []int{1}, CeilMode: m.CeilMode}, x[0])
}

// MaxPool2d is torch.nn.MaxPool2d; a Stride of 0 means Kernel. KernelHW, StrideHW and PaddingHW are those of height and width where
// they differ, as in Conv2d.
type MaxPool2d struct {
	Kernel, Stride, Padding       int
	KernelHW, StrideHW, PaddingHW [2]int
	CeilMode                      bool
}

func (MaxPool2d) Class() string { return "torch.nn.modules.pooling.MaxPool2d" }

func (m MaxPool2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	kernel := pair(m.KernelHW, m.Kernel)
	return c.Apply(ops.MaxPool{
		Kernel: kernel, Stride: strideOr(pair(m.StrideHW, m.Stride), kernel), Padding: pair(m.PaddingHW, m.Padding), Dilation: []int{1, 1}, CeilMode: m.CeilMode,
	}, x[0])
}

// AvgPool1d is torch.nn.AvgPool1d, which counts padding; a Stride of 0 means Kernel.
type AvgPool1d struct {
	Kernel, Stride, Padding int
}

func (AvgPool1d) Class() string { return "torch.nn.modules.pooling.AvgPool1d" }

func (m AvgPool1d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	kernel := []int{m.Kernel}
	return c.Apply(ops.AvgPool{Kernel: kernel, Stride: strideOr([]int{m.Stride}, kernel), Padding: []int{m.Padding}, CountIncludePad: true}, x[0])
}

// AvgPool2d is torch.nn.AvgPool2d, which counts padding; a Stride of 0 means Kernel. KernelHW, StrideHW and PaddingHW are those of
// height and width where they differ, as in Conv2d.
type AvgPool2d struct {
	Kernel, Stride, Padding       int
	KernelHW, StrideHW, PaddingHW [2]int
}

func (AvgPool2d) Class() string { return "torch.nn.modules.pooling.AvgPool2d" }

func (m AvgPool2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	kernel := pair(m.KernelHW, m.Kernel)
	return c.Apply(ops.AvgPool{
		Kernel: kernel, Stride: strideOr(pair(m.StrideHW, m.Stride), kernel), Padding: pair(m.PaddingHW, m.Padding), CountIncludePad: true,
	}, x[0])
}

// AdaptiveAvgPool1d is torch.nn.AdaptiveAvgPool1d to an output of Size.
type AdaptiveAvgPool1d struct {
	Size int
}

func (AdaptiveAvgPool1d) Class() string { return "torch.nn.modules.pooling.AdaptiveAvgPool1d" }

func (m AdaptiveAvgPool1d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.AdaptiveAvgPool{Size: []int{m.Size}}, x[0])
}

// AdaptiveAvgPool2d is torch.nn.AdaptiveAvgPool2d to Size by Size, or to the height and width of SizeHW.
type AdaptiveAvgPool2d struct {
	Size   int
	SizeHW [2]int
}

func (AdaptiveAvgPool2d) Class() string { return "torch.nn.modules.pooling.AdaptiveAvgPool2d" }

func (m AdaptiveAvgPool2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.AdaptiveAvgPool{Size: pair(m.SizeHW, m.Size)}, x[0])
}

// strideOr returns the strides, those of the windows themselves where they are 0.
func strideOr(stride, kernel []int) []int {
	if stride[0] == 0 {
		return kernel
	}
	return stride
}

// Upsample is torch.nn.Upsample: images, or sequences or volumes, whose extents are multiplied by Scale, or become Size. Linearly is
// bilinear of images.
type Upsample struct {
	Scale        float64
	Size         []int
	Mode         ops.InterpolateMode
	AlignCorners bool
}

func (Upsample) Class() string { return "torch.nn.modules.upsampling.Upsample" }

func (m Upsample) Forward(c *Context, x ...*graph.Value) *graph.Value {
	op := ops.Interpolate{Mode: m.Mode, Size: m.Size, AlignCorners: m.AlignCorners}
	if m.Size == nil {
		for range max(len(x[0].Type.Shape)-2, 1) {
			op.Scales = append(op.Scales, m.Scale)
		}
	}
	return c.Apply(op, x[0])
}

// PixelShuffle is torch.nn.PixelShuffle: [N, C*Factor^2, H, W] to [N, C, H*Factor, W*Factor].
type PixelShuffle struct {
	Factor int
}

func (PixelShuffle) Class() string { return "torch.nn.modules.pixelshuffle.PixelShuffle" }

func (m PixelShuffle) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.PixelShuffle{Factor: m.Factor}, x[0])
}

// ZeroPad2d is torch.nn.ZeroPad2d of [N, C, H, W].
type ZeroPad2d struct {
	Left, Right, Top, Bottom int
}

func (ZeroPad2d) Class() string { return "torch.nn.modules.padding.ZeroPad2d" }

func (m ZeroPad2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Pad{Before: []int{0, 0, m.Top, m.Left}, After: []int{0, 0, m.Bottom, m.Right}}, x[0])
}
