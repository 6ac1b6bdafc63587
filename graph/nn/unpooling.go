package nn

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// MaxUnpool1d is torch.nn.MaxUnpool1d; a Stride of 0 means Kernel. It takes what MaxPool1d gives, [N, C, L], and the int64 indices that PyTorch's
// gives with return_indices.
type MaxUnpool1d struct {
	Kernel, Stride, Padding int
}

func (MaxUnpool1d) Class() string { return "torch.nn.modules.pooling.MaxUnpool1d" }

func (m MaxUnpool1d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	kernel := []int{m.Kernel}
	return maxUnpool(c, kernel, strideOr([]int{m.Stride}, kernel), []int{m.Padding}, x)
}

// MaxUnpool2d is MaxUnpool1d of images; KernelHW, StrideHW and PaddingHW are those of height and width where they differ, as in Conv2d.
type MaxUnpool2d struct {
	Kernel, Stride, Padding       int
	KernelHW, StrideHW, PaddingHW [2]int
}

func (MaxUnpool2d) Class() string { return "torch.nn.modules.pooling.MaxUnpool2d" }

func (m MaxUnpool2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	kernel := pair(m.KernelHW, m.Kernel)
	return maxUnpool(c, kernel, strideOr(pair(m.StrideHW, m.Stride), kernel), pair(m.PaddingHW, m.Padding), x)
}

// MaxUnpool3d is MaxUnpool1d of volumes; a Stride of zeros means Kernel.
type MaxUnpool3d struct {
	Kernel, Stride, Padding [3]int
}

func (MaxUnpool3d) Class() string { return "torch.nn.modules.pooling.MaxUnpool3d" }

func (m MaxUnpool3d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return maxUnpool(c, m.Kernel[:], strideOr(m.Stride[:], m.Kernel[:]), m.Padding[:], x)
}

// maxUnpool puts the values where their indices say, into zeros of the extents (n-1)*stride - 2*padding + kernel.
func maxUnpool(c *Context, kernel, stride, padding []int, x []*graph.Value) *graph.Value {
	if len(x) != 2 || len(x[0].Type.Shape) != 2+len(kernel) {
		return c.Fail("it takes [N, C] and %d dimensions, and their indices", len(kernel))
	}
	size := func(axis int) *graph.Value { return c.Apply(ops.SizeOf{Axis: axis}, x[0]) }
	shape, pixels := []*graph.Value{size(0), size(1)}, integer(c, 1)
	for i := range kernel {
		v := c.Apply(ops.Binary{Fn: ops.Mul}, size(2+i), integer(c, stride[i]))
		v = c.Apply(ops.Binary{Fn: ops.Add}, v, integer(c, kernel[i]-stride[i]-2*padding[i]))
		shape, pixels = append(shape, v), c.Apply(ops.Binary{Fn: ops.Mul}, pixels, v)
	}
	zeros := c.Apply(ops.Full{DType: x[0].Type.DType}, c.Apply(ops.Stack{}, shape[0], shape[1], pixels))
	flat := ops.Reshape{Shape: []int{0, 0, -1}}
	y := c.Apply(ops.Scatter{Axis: 2}, zeros, c.Apply(flat, x[1]), c.Apply(flat, x[0]))
	return c.Apply(ops.ReshapeTo{}, y, c.Apply(ops.Stack{}, shape...))
}

// LPPool1d is torch.nn.LPPool1d: the norm of order P of each window; a Stride of 0 means Kernel.
type LPPool1d struct {
	P              float64
	Kernel, Stride int
	CeilMode       bool
}

func (LPPool1d) Class() string { return "torch.nn.modules.pooling.LPPool1d" }

func (m LPPool1d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	kernel := []int{m.Kernel}
	return lpPool(c, m.P, kernel, strideOr([]int{m.Stride}, kernel), m.CeilMode, x[0])
}

// LPPool2d is LPPool1d of images; KernelHW and StrideHW are those of height and width where they differ, as in Conv2d.
type LPPool2d struct {
	P                  float64
	Kernel, Stride     int
	KernelHW, StrideHW [2]int
	CeilMode           bool
}

func (LPPool2d) Class() string { return "torch.nn.modules.pooling.LPPool2d" }

func (m LPPool2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	kernel := pair(m.KernelHW, m.Kernel)
	return lpPool(c, m.P, kernel, strideOr(pair(m.StrideHW, m.Stride), kernel), m.CeilMode, x[0])
}

// LPPool3d is LPPool1d of volumes; a Stride of zeros means Kernel.
type LPPool3d struct {
	P              float64
	Kernel, Stride [3]int
	CeilMode       bool
}

func (LPPool3d) Class() string { return "torch.nn.modules.pooling.LPPool3d" }

func (m LPPool3d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return lpPool(c, m.P, m.Kernel[:], strideOr(m.Stride[:], m.Kernel[:]), m.CeilMode, x[0])
}

// lpPool is (sum of x^p)^(1/p), by way of means, as PyTorch computes it.
func lpPool(c *Context, p float64, kernel, stride []int, ceil bool, x *graph.Value) *graph.Value {
	if p == 0 {
		return c.Fail("a norm of order 0")
	}
	taps := 1
	for _, k := range kernel {
		taps *= k
	}
	mean := c.Apply(ops.AvgPool{Kernel: kernel, Stride: stride, Padding: make([]int, len(kernel)), CeilMode: ceil, CountIncludePad: true}, withNumber(c, ops.Pow, x, p))
	return withNumber(c, ops.Pow, withNumber(c, ops.Mul, mean, float64(taps)), 1/p)
}
