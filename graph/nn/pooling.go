package nn

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
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

// MaxPool3d is torch.nn.MaxPool3d; a Stride of zeros means Kernel.
type MaxPool3d struct {
	Kernel, Stride, Padding [3]int
	CeilMode                bool
}

func (MaxPool3d) Class() string { return "torch.nn.modules.pooling.MaxPool3d" }

func (m MaxPool3d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.MaxPool{
		Kernel: m.Kernel[:], Stride: strideOr(m.Stride[:], m.Kernel[:]), Padding: m.Padding[:], Dilation: []int{1, 1, 1}, CeilMode: m.CeilMode,
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

// AvgPool3d is torch.nn.AvgPool3d, which counts padding; a Stride of zeros means Kernel.
type AvgPool3d struct {
	Kernel, Stride, Padding [3]int
}

func (AvgPool3d) Class() string { return "torch.nn.modules.pooling.AvgPool3d" }

func (m AvgPool3d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.AvgPool{Kernel: m.Kernel[:], Stride: strideOr(m.Stride[:], m.Kernel[:]), Padding: m.Padding[:], CountIncludePad: true}, x[0])
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

// AdaptiveAvgPool3d is torch.nn.AdaptiveAvgPool3d to the extents Size.
type AdaptiveAvgPool3d struct {
	Size [3]int
}

func (AdaptiveAvgPool3d) Class() string { return "torch.nn.modules.pooling.AdaptiveAvgPool3d" }

func (m AdaptiveAvgPool3d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.AdaptiveAvgPool{Size: m.Size[:]}, x[0])
}

// AdaptiveMaxPool1d is torch.nn.AdaptiveMaxPool1d to an output of Size, without its indices.
type AdaptiveMaxPool1d struct {
	Size int
}

func (AdaptiveMaxPool1d) Class() string { return "torch.nn.modules.pooling.AdaptiveMaxPool1d" }

func (m AdaptiveMaxPool1d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return adaptiveMax(c, x[0], m.Size)
}

// AdaptiveMaxPool2d is torch.nn.AdaptiveMaxPool2d to Size by Size, or to the height and width of SizeHW, without its indices.
type AdaptiveMaxPool2d struct {
	Size   int
	SizeHW [2]int
}

func (AdaptiveMaxPool2d) Class() string { return "torch.nn.modules.pooling.AdaptiveMaxPool2d" }

func (m AdaptiveMaxPool2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return adaptiveMax(c, x[0], pair(m.SizeHW, m.Size)...)
}

// AdaptiveMaxPool3d is torch.nn.AdaptiveMaxPool3d to the extents Size, without its indices.
type AdaptiveMaxPool3d struct {
	Size [3]int
}

func (AdaptiveMaxPool3d) Class() string { return "torch.nn.modules.pooling.AdaptiveMaxPool3d" }

func (m AdaptiveMaxPool3d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return adaptiveMax(c, x[0], m.Size[:]...)
}

// adaptiveMax reduces each of the last dimensions to so many windows. Where these lie follows from the extent that x has in a run.
func adaptiveMax(c *Context, x *graph.Value, sizes ...int) *graph.Value {
	for i, size := range sizes {
		axis := 2 + i
		greatest := func(v *graph.Value) *graph.Value {
			return c.ApplyAll(ops.ArgMax{Axis: axis, KeepDims: true, Values: true}, 2, v)[0]
		}
		if size == 1 {
			x = greatest(x)
			continue
		}
		number := func(v int) *graph.Value { return c.Const(tensor.Scalar(int64(v))) }
		extent := c.Apply(ops.SizeOf{Axis: axis}, x)
		// bound is (k*extent + more) / size.
		bound := func(k, more int) *graph.Value {
			v := c.Apply(ops.Binary{Fn: ops.Mul}, extent, number(k))
			return c.Apply(ops.Binary{Fn: ops.FloorDiv}, c.Apply(ops.Binary{Fn: ops.Add}, v, number(more)), number(size))
		}
		windows := make([]*graph.Value, size)
		for k := range windows {
			windows[k] = greatest(c.Apply(ops.SliceTo{Axis: axis, Step: 1}, x, bound(k, 0), bound(k+1, size-1)))
		}
		x = c.Apply(ops.Concat{Axis: axis}, windows...)
	}
	return x
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

// UpsamplingNearest2d is torch.nn.UpsamplingNearest2d: Upsample of images, by the nearest pixel.
type UpsamplingNearest2d struct {
	Scale float64
	Size  []int
}

func (UpsamplingNearest2d) Class() string { return "torch.nn.modules.upsampling.UpsamplingNearest2d" }

func (m UpsamplingNearest2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return Upsample{Scale: m.Scale, Size: m.Size}.Forward(c, x...)
}

// UpsamplingBilinear2d is torch.nn.UpsamplingBilinear2d: Upsample of images, bilinear with aligned corners.
type UpsamplingBilinear2d struct {
	Scale float64
	Size  []int
}

func (UpsamplingBilinear2d) Class() string { return "torch.nn.modules.upsampling.UpsamplingBilinear2d" }

func (m UpsamplingBilinear2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return Upsample{Scale: m.Scale, Size: m.Size, Mode: ops.Linearly, AlignCorners: true}.Forward(c, x...)
}

// PixelUnshuffle is torch.nn.PixelUnshuffle: [N, C, H*Factor, W*Factor] to [N, C*Factor^2, H, W].
type PixelUnshuffle struct {
	Factor int
}

func (PixelUnshuffle) Class() string { return "torch.nn.modules.pixelshuffle.PixelUnshuffle" }

func (m PixelUnshuffle) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.PixelShuffle{Factor: m.Factor, Reverse: true}, x[0])
}

// ChannelShuffle is torch.nn.ChannelShuffle.
type ChannelShuffle struct {
	Groups int
}

func (ChannelShuffle) Class() string { return "torch.nn.modules.channelshuffle.ChannelShuffle" }

func (m ChannelShuffle) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.ChannelShuffle{Groups: m.Groups}, x[0])
}

// PixelShuffle is torch.nn.PixelShuffle: [N, C*Factor^2, H, W] to [N, C, H*Factor, W*Factor].
type PixelShuffle struct {
	Factor int
}

func (PixelShuffle) Class() string { return "torch.nn.modules.pixelshuffle.PixelShuffle" }

func (m PixelShuffle) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.PixelShuffle{Factor: m.Factor}, x[0])
}
