package nn

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
)

// PaddingMode says what the padding of a convolution holds.
type PaddingMode uint8

// The modes of torch.nn.Conv1d, Conv2d and Conv3d.
const (
	PadZeros     PaddingMode = iota
	PadReflect               // the elements inside the border, mirrored at it
	PadReplicate             // the nearest element
	PadCircular              // the elements at the other end
)

// padded returns what a convolution is computed of, where its operator cannot pad itself, and takes its padding away then. Same pads by what the
// kernel takes away, more behind than in front where that is odd.
func padded(c *Context, op *ops.Conv, kernel []int, same bool, mode PaddingMode, x *graph.Value) *graph.Value {
	before := op.Padding
	after := before
	if same {
		before, after = make([]int, len(kernel)), make([]int, len(kernel))
		uneven := false
		for i, k := range kernel {
			if op.Stride[i] != 1 {
				return c.Fail("Same with a stride of %d: PyTorch has it for strides of 1", op.Stride[i])
			}
			total := op.Dilation[i] * (k - 1)
			before[i], after[i] = total/2, total-total/2
			uneven = uneven || total%2 != 0
		}
		if op.Padding = before; !uneven && mode == PadZeros {
			return x
		}
	} else if mode == PadZeros {
		return x
	}
	op.Padding = make([]int, len(kernel))
	return pad(c, mode, before, after, 0, x)
}

// pad adds elements to the last dimensions of x [N, C, ...].
func pad(c *Context, mode PaddingMode, before, after []int, value float64, x *graph.Value) *graph.Value {
	none := []int{0, 0}
	before, after = append(none[:2:2], before...), append(none[:2:2], after...)
	switch mode {
	case PadZeros:
		return c.Apply(ops.Pad{Before: before, After: after, Value: value}, x)
	case PadReflect, PadReplicate, PadCircular:
		return c.Apply(ops.PadMode{Fn: ops.Reflect + ops.PadFn(mode-PadReflect), Before: before, After: after}, x)
	}
	return c.Fail("there is no padding mode %d", mode)
}

// ZeroPad1d is torch.nn.ZeroPad1d of [N, C, L].
type ZeroPad1d struct {
	Left, Right int
}

func (ZeroPad1d) Class() string { return "torch.nn.modules.padding.ZeroPad1d" }

func (m ZeroPad1d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return pad(c, PadZeros, []int{m.Left}, []int{m.Right}, 0, x[0])
}

// ZeroPad2d is torch.nn.ZeroPad2d of [N, C, H, W].
type ZeroPad2d struct {
	Left, Right, Top, Bottom int
}

func (ZeroPad2d) Class() string { return "torch.nn.modules.padding.ZeroPad2d" }

func (m ZeroPad2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return pad(c, PadZeros, []int{m.Top, m.Left}, []int{m.Bottom, m.Right}, 0, x[0])
}

// ZeroPad3d is torch.nn.ZeroPad3d of [N, C, D, H, W].
type ZeroPad3d struct {
	Left, Right, Top, Bottom, Front, Back int
}

func (ZeroPad3d) Class() string { return "torch.nn.modules.padding.ZeroPad3d" }

func (m ZeroPad3d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return pad(c, PadZeros, []int{m.Front, m.Top, m.Left}, []int{m.Back, m.Bottom, m.Right}, 0, x[0])
}

// ConstantPad1d is torch.nn.ConstantPad1d of [N, C, L], with Value.
type ConstantPad1d struct {
	Left, Right int
	Value       float64
}

func (ConstantPad1d) Class() string { return "torch.nn.modules.padding.ConstantPad1d" }

func (m ConstantPad1d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return pad(c, PadZeros, []int{m.Left}, []int{m.Right}, m.Value, x[0])
}

// ConstantPad2d is torch.nn.ConstantPad2d of [N, C, H, W], with Value.
type ConstantPad2d struct {
	Left, Right, Top, Bottom int
	Value                    float64
}

func (ConstantPad2d) Class() string { return "torch.nn.modules.padding.ConstantPad2d" }

func (m ConstantPad2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return pad(c, PadZeros, []int{m.Top, m.Left}, []int{m.Bottom, m.Right}, m.Value, x[0])
}

// ConstantPad3d is torch.nn.ConstantPad3d of [N, C, D, H, W], with Value.
type ConstantPad3d struct {
	Left, Right, Top, Bottom, Front, Back int
	Value                                 float64
}

func (ConstantPad3d) Class() string { return "torch.nn.modules.padding.ConstantPad3d" }

func (m ConstantPad3d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return pad(c, PadZeros, []int{m.Front, m.Top, m.Left}, []int{m.Back, m.Bottom, m.Right}, m.Value, x[0])
}

// ReflectionPad1d is torch.nn.ReflectionPad1d of [N, C, L].
type ReflectionPad1d struct {
	Left, Right int
}

func (ReflectionPad1d) Class() string { return "torch.nn.modules.padding.ReflectionPad1d" }

func (m ReflectionPad1d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return pad(c, PadReflect, []int{m.Left}, []int{m.Right}, 0, x[0])
}

// ReflectionPad2d is torch.nn.ReflectionPad2d of [N, C, H, W].
type ReflectionPad2d struct {
	Left, Right, Top, Bottom int
}

func (ReflectionPad2d) Class() string { return "torch.nn.modules.padding.ReflectionPad2d" }

func (m ReflectionPad2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return pad(c, PadReflect, []int{m.Top, m.Left}, []int{m.Bottom, m.Right}, 0, x[0])
}

// ReflectionPad3d is torch.nn.ReflectionPad3d of [N, C, D, H, W].
type ReflectionPad3d struct {
	Left, Right, Top, Bottom, Front, Back int
}

func (ReflectionPad3d) Class() string { return "torch.nn.modules.padding.ReflectionPad3d" }

func (m ReflectionPad3d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return pad(c, PadReflect, []int{m.Front, m.Top, m.Left}, []int{m.Back, m.Bottom, m.Right}, 0, x[0])
}

// ReplicationPad1d is torch.nn.ReplicationPad1d of [N, C, L].
type ReplicationPad1d struct {
	Left, Right int
}

func (ReplicationPad1d) Class() string { return "torch.nn.modules.padding.ReplicationPad1d" }

func (m ReplicationPad1d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return pad(c, PadReplicate, []int{m.Left}, []int{m.Right}, 0, x[0])
}

// ReplicationPad2d is torch.nn.ReplicationPad2d of [N, C, H, W].
type ReplicationPad2d struct {
	Left, Right, Top, Bottom int
}

func (ReplicationPad2d) Class() string { return "torch.nn.modules.padding.ReplicationPad2d" }

func (m ReplicationPad2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return pad(c, PadReplicate, []int{m.Top, m.Left}, []int{m.Bottom, m.Right}, 0, x[0])
}

// ReplicationPad3d is torch.nn.ReplicationPad3d of [N, C, D, H, W].
type ReplicationPad3d struct {
	Left, Right, Top, Bottom, Front, Back int
}

func (ReplicationPad3d) Class() string { return "torch.nn.modules.padding.ReplicationPad3d" }

func (m ReplicationPad3d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return pad(c, PadReplicate, []int{m.Front, m.Top, m.Left}, []int{m.Back, m.Bottom, m.Right}, 0, x[0])
}

// CircularPad1d is torch.nn.CircularPad1d of [N, C, L].
type CircularPad1d struct {
	Left, Right int
}

func (CircularPad1d) Class() string { return "torch.nn.modules.padding.CircularPad1d" }

func (m CircularPad1d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return pad(c, PadCircular, []int{m.Left}, []int{m.Right}, 0, x[0])
}

// CircularPad2d is torch.nn.CircularPad2d of [N, C, H, W].
type CircularPad2d struct {
	Left, Right, Top, Bottom int
}

func (CircularPad2d) Class() string { return "torch.nn.modules.padding.CircularPad2d" }

func (m CircularPad2d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return pad(c, PadCircular, []int{m.Top, m.Left}, []int{m.Bottom, m.Right}, 0, x[0])
}

// CircularPad3d is torch.nn.CircularPad3d of [N, C, D, H, W].
type CircularPad3d struct {
	Left, Right, Top, Bottom, Front, Back int
}

func (CircularPad3d) Class() string { return "torch.nn.modules.padding.CircularPad3d" }

func (m CircularPad3d) Forward(c *Context, x ...*graph.Value) *graph.Value {
	return pad(c, PadCircular, []int{m.Front, m.Top, m.Left}, []int{m.Back, m.Bottom, m.Right}, 0, x[0])
}
