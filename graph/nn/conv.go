package nn

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// Conv1d is torch.nn.Conv1d: [N, In, L] to [N, Out, L']. Stride, Dilation and Groups of 0 mean 1. Same is padding="same", which takes the
// place of Padding; PaddingMode says what the padding holds. NoBias leaves the bias out.
type Conv1d struct {
	In, Out, Kernel, Stride, Padding, Dilation, Groups int
	Same                                               bool
	PaddingMode                                        PaddingMode
	NoBias                                             bool
}

func (Conv1d) Class() string { return "torch.nn.modules.conv.Conv1d" }

func (m Conv1d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	op := ops.Conv{Stride: atLeast1(m.Stride), Padding: []int{m.Padding}, Dilation: atLeast1(m.Dilation), Groups: m.Groups}
	kernel := []int{m.Kernel}
	in := padded(c, &op, kernel, m.Same, m.PaddingMode, x[0])
	return convolve(c, op, m.In, m.Out, kernel, m.NoBias, in)
}

// Conv2d is torch.nn.Conv2d: [N, In, H, W] to [N, Out, H', W']. Kernel, Stride, Padding and Dilation are
// those of both dimensions; KernelHW and so on, of height and width, take their place where one of the two is not 0. Stride, Dilation
// and Groups of 0 mean 1. Same, PaddingMode and NoBias are those of Conv1d.
type Conv2d struct {
	In, Out, Kernel, Stride, Padding, Dilation, Groups int
	KernelHW, StrideHW, PaddingHW, DilationHW          [2]int
	Same                                               bool
	PaddingMode                                        PaddingMode
	NoBias                                             bool
}

func (Conv2d) Class() string { return "torch.nn.modules.conv.Conv2d" }

func (m Conv2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	op := ops.Conv{
		Stride: pair(m.StrideHW, max(m.Stride, 1)), Padding: pair(m.PaddingHW, m.Padding), Dilation: pair(m.DilationHW, max(m.Dilation, 1)), Groups: m.Groups,
	}
	kernel := pair(m.KernelHW, m.Kernel)
	in := padded(c, &op, kernel, m.Same, m.PaddingMode, x[0])
	return convolve(c, op, m.In, m.Out, kernel, m.NoBias, in)
}

// Conv3d is torch.nn.Conv3d; extents of Stride and Dilation, and Groups, of 0
// mean 1. Same, PaddingMode and NoBias are those of Conv1d.
type Conv3d struct {
	In, Out                           int
	Kernel, Stride, Padding, Dilation [3]int
	Groups                            int
	Same                              bool
	PaddingMode                       PaddingMode
	NoBias                            bool
}

func (Conv3d) Class() string { return "torch.nn.modules.conv.Conv3d" }

func (m Conv3d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	op := ops.Conv{Stride: atLeast1(m.Stride[:]...), Padding: m.Padding[:], Dilation: atLeast1(m.Dilation[:]...), Groups: m.Groups}
	in := padded(c, &op, m.Kernel[:], m.Same, m.PaddingMode, x[0])
	return convolve(c, op, m.In, m.Out, m.Kernel[:], m.NoBias, in)
}

// ConvTranspose1d is torch.nn.ConvTranspose1d: [N, In, L] to [N, Out, L']. Stride, Dilation and Groups of 0 mean 1.
type ConvTranspose1d struct {
	In, Out, Kernel, Stride, Padding, OutputPadding, Dilation, Groups int
	NoBias                                                            bool
}

func (ConvTranspose1d) Class() string { return "torch.nn.modules.conv.ConvTranspose1d" }

func (m ConvTranspose1d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	op := ops.ConvTranspose{
		Stride: atLeast1(m.Stride), Padding: []int{m.Padding}, OutputPadding: []int{m.OutputPadding}, Dilation: atLeast1(m.Dilation), Groups: m.Groups,
	}
	return convolveTransposed(c, op, m.In, m.Out, []int{m.Kernel}, m.NoBias, x[0])
}

// ConvTranspose2d is torch.nn.ConvTranspose2d: [N, In, H, W] to [N, Out, H', W']. Its fields are those of Conv2d.
type ConvTranspose2d struct {
	In, Out, Kernel, Stride, Padding, OutputPadding, Dilation, Groups int
	KernelHW, StrideHW, PaddingHW, OutputPaddingHW, DilationHW        [2]int
	NoBias                                                            bool
}

func (ConvTranspose2d) Class() string { return "torch.nn.modules.conv.ConvTranspose2d" }

func (m ConvTranspose2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	op := ops.ConvTranspose{
		Stride: pair(m.StrideHW, max(m.Stride, 1)), Padding: pair(m.PaddingHW, m.Padding), OutputPadding: pair(m.OutputPaddingHW, m.OutputPadding),
		Dilation: pair(m.DilationHW, max(m.Dilation, 1)), Groups: m.Groups,
	}
	return convolveTransposed(c, op, m.In, m.Out, pair(m.KernelHW, m.Kernel), m.NoBias, x[0])
}

// ConvTranspose3d is torch.nn.ConvTranspose3d. Its fields are those of Conv3d.
type ConvTranspose3d struct {
	In, Out                                          int
	Kernel, Stride, Padding, OutputPadding, Dilation [3]int
	Groups                                           int
	NoBias                                           bool
}

func (ConvTranspose3d) Class() string { return "torch.nn.modules.conv.ConvTranspose3d" }

func (m ConvTranspose3d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	op := ops.ConvTranspose{
		Stride: atLeast1(m.Stride[:]...), Padding: m.Padding[:], OutputPadding: m.OutputPadding[:], Dilation: atLeast1(m.Dilation[:]...), Groups: m.Groups,
	}
	return convolveTransposed(c, op, m.In, m.Out, m.Kernel[:], m.NoBias, x[0])
}

// convolve adds a convolution with its parameters; Groups of 0 are 1.
func convolve(c *Context, op ops.Conv, in, out int, kernel []int, noBias bool, x *graph.Value) *graph.Value {
	op.HasBias, op.Groups = !noBias, max(op.Groups, 1)
	return withBias(c, op, op.HasBias, out, x, c.Parameter("weight", KaimingNormal, append([]int{out, in / op.Groups}, kernel...)...))
}

// convolveTransposed is convolve of a transposed convolution.
func convolveTransposed(c *Context, op ops.ConvTranspose, in, out int, kernel []int, noBias bool, x *graph.Value) *graph.Value {
	op.HasBias, op.Groups = !noBias, max(op.Groups, 1)
	return withBias(c, op, op.HasBias, out, x, c.Parameter("weight", KaimingNormal, append([]int{in, out / op.Groups}, kernel...)...))
}

// withBias adds an operator whose last input is the parameter bias [n], where it has one.
func withBias(c *Context, op ops.Op, bias bool, n int, x ...*graph.Value) *graph.Value {
	if bias {
		x = append(x, c.Parameter("bias", Zeros, n))
	}
	return c.Apply(op, x...)
}

// pair returns what a module says of height and width: hw, or where that says nothing, the same of both.
func pair(hw [2]int, both int) []int {
	if hw == [2]int{} {
		hw = [2]int{both, both}
	}
	return hw[:]
}

// atLeast1 returns a copy with 1 in the place of what is less.
func atLeast1(v ...int) []int {
	out := make([]int, len(v))
	for i := range v {
		out[i] = max(v[i], 1)
	}
	return out
}
