package nn

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// Unfold is torch.nn.Unfold: [N, C, H, W] to [N, C*KH*KW, positions]. A Stride and a Dilation of 0 mean 1; KernelHW and so on are those of height and width
// where they differ, as in Conv2d.
type Unfold struct {
	Kernel, Stride, Padding, Dilation         int
	KernelHW, StrideHW, PaddingHW, DilationHW [2]int
}

func (Unfold) Class() string { return "torch.nn.modules.fold.Unfold" }

func (m Unfold) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Unfold{
		Kernel: pair(m.KernelHW, m.Kernel), Stride: atLeast1(pair(m.StrideHW, m.Stride)...),
		Padding: pair(m.PaddingHW, m.Padding), Dilation: atLeast1(pair(m.DilationHW, m.Dilation)...),
	}, x[0])
}

// Fold is torch.nn.Fold, which adds up the columns that Unfold makes: [N, C*KH*KW, positions] to [N, C, Size[0], Size[1]].
type Fold struct {
	Size                                      [2]int
	Kernel, Stride, Padding, Dilation         int
	KernelHW, StrideHW, PaddingHW, DilationHW [2]int
}

func (Fold) Class() string { return "torch.nn.modules.fold.Fold" }

func (m Fold) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return c.Apply(ops.Fold{
		Size: m.Size[:], Kernel: pair(m.KernelHW, m.Kernel), Stride: atLeast1(pair(m.StrideHW, m.Stride)...),
		Padding: pair(m.PaddingHW, m.Padding), Dilation: atLeast1(pair(m.DilationHW, m.Dilation)...),
	}, x[0])
}

// Unflatten is torch.nn.Unflatten: the dimension Dim becomes those of Sizes, of which one may be -1; a negative Dim counts from the end.
type Unflatten struct {
	Dim   int
	Sizes []int
}

func (Unflatten) Class() string { return "torch.nn.modules.flatten.Unflatten" }

func (m Unflatten) Forward(c *Context, x ...*graph.Value) *graph.Value {
	rank := len(x[0].Type.Shape)
	dim := m.Dim
	if dim < 0 {
		dim += rank
	}
	if dim < 0 || dim >= rank {
		return c.Fail("there is no dimension %d of %d", m.Dim, rank)
	}
	var shape []*graph.Value
	for axis := range rank {
		if axis != dim {
			shape = append(shape, c.Apply(ops.SizeOf{Axis: axis}, x[0]))
			continue
		}
		for _, n := range m.Sizes {
			shape = append(shape, integer(c, n))
		}
	}
	return c.Apply(ops.ReshapeTo{}, x[0], c.Apply(ops.Stack{}, shape...))
}
