package quantize

import (
	"fmt"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// root is a module of class "Model" made of a function.
type root func(c *nn.Context, x *graph.Value) *graph.Value

func (root) Class() string { return "Model" }

func (f root) Forward(c *nn.Context, x ...*graph.Value) *graph.Value { return f(c, x[0]) }

// goldenModels are the models of the recorded results.
var goldenModels = map[string]struct {
	input   []int
	forward root
}{
	"plain": {[]int{2, 3, 12, 12}, func(c *nn.Context, x *graph.Value) *graph.Value {
		v := c.Call("conv", nn.Conv2d{In: 3, Out: 8, Kernel: 3, Padding: 1}, x)
		v = c.Call("relu", nn.ReLU{}, v)
		v = c.Call("conv2", nn.Conv2d{In: 8, Out: 12, Kernel: 3, Stride: 2}, v)
		v = c.Call("relu2", nn.ReLU{}, v)
		v = c.Call("pool", nn.AdaptiveAvgPool2d{Size: 1}, v)
		v = c.Apply(ops.Flatten{Start: 1, End: -1}, v)
		return c.Call("fc", nn.Linear{In: 12, Out: 10}, v)
	}},
	"residual": {[]int{2, 3, 10, 10}, func(c *nn.Context, x *graph.Value) *graph.Value {
		v := c.Call("stem", nn.Conv2d{In: 3, Out: 8, Kernel: 3, Padding: 1}, x)
		for i := range 2 {
			v = c.Call(fmt.Sprintf("block%d", i+1), root(residualBlock), v)
		}
		v = c.Call("pool", nn.AdaptiveAvgPool2d{Size: 1}, v)
		v = c.Apply(ops.Flatten{Start: 1, End: -1}, v)
		return c.Call("head", nn.Linear{In: 8, Out: 5}, v)
	}},
	"inverted": {[]int{2, 3, 16, 16}, func(c *nn.Context, x *graph.Value) *graph.Value {
		v := c.Call("stem", nn.Conv2d{In: 3, Out: 16, Kernel: 3, Stride: 2, Padding: 1}, x)
		v = c.Call("a0", nn.ReLU6{}, v)
		y := c.Call("expand", nn.Conv2d{In: 16, Out: 48, Kernel: 1}, v)
		y = c.Call("a1", nn.ReLU6{}, y)
		y = c.Call("dw", nn.Conv2d{In: 48, Out: 48, Kernel: 3, Padding: 1, Groups: 48}, y)
		y = c.Call("a2", nn.ReLU6{}, y)
		y = c.Call("project", nn.Conv2d{In: 48, Out: 16, Kernel: 1}, y)
		v = c.Apply(ops.Binary{Fn: ops.Add}, v, y)
		v = c.Call("pool", nn.AdaptiveAvgPool2d{Size: 1}, v)
		v = c.Apply(ops.Flatten{Start: 1, End: -1}, v)
		return c.Call("fc", nn.Linear{In: 16, Out: 7}, v)
	}},
	"mlp": {[]int{5, 20}, func(c *nn.Context, x *graph.Value) *graph.Value {
		v := c.Call("fc1", nn.Linear{In: 20, Out: 32}, x)
		v = c.Call("relu1", nn.ReLU{}, v)
		v = c.Call("fc2", nn.Linear{In: 32, Out: 16, NoBias: true}, v)
		v = c.Call("relu2", nn.ReLU{}, v)
		return c.Call("fc3", nn.Linear{In: 16, Out: 4}, v)
	}},
	"seq1d": {[]int{2, 4, 30}, func(c *nn.Context, x *graph.Value) *graph.Value {
		v := c.Call("conv1", nn.Conv1d{In: 4, Out: 12, Kernel: 5, Padding: 2}, x)
		v = c.Call("relu", nn.ReLU{}, v)
		v = c.Call("conv2", nn.Conv1d{In: 12, Out: 6, Kernel: 3, Dilation: 2}, v)
		v = c.Apply(ops.Reduce{Fn: ops.Mean, Axes: []int{-1}}, v)
		return c.Call("fc", nn.Linear{In: 6, Out: 3}, v)
	}},
	"conv3d": {[]int{1, 2, 4, 8, 8}, func(c *nn.Context, x *graph.Value) *graph.Value {
		v := c.Call("c1", nn.Conv3d{In: 2, Out: 6, Kernel: [3]int{3, 3, 3}, Padding: [3]int{1, 1, 1}}, x)
		v = c.Call("relu", nn.ReLU{}, v)
		v = c.Call("c2", nn.Conv3d{In: 6, Out: 4, Kernel: [3]int{1, 3, 3}, Stride: [3]int{1, 2, 2}}, v)
		v = c.Apply(ops.Reduce{Fn: ops.Mean, Axes: []int{2, 3, 4}}, v)
		return c.Call("fc", nn.Linear{In: 4, Out: 3}, v)
	}},
	"concat": {[]int{2, 3, 8, 8}, func(c *nn.Context, x *graph.Value) *graph.Value {
		a := c.Call("a", nn.Conv2d{In: 3, Out: 8, Kernel: 1}, x)
		b := c.Call("b", nn.Conv2d{In: 3, Out: 8, Kernel: 3, Padding: 1}, x)
		v := c.Apply(ops.Concat{Axis: 1}, a, b)
		v = c.Call("r", nn.ReLU{}, v)
		v = c.Call("c", nn.Conv2d{In: 16, Out: 8, Kernel: 3, Padding: 1, Groups: 4}, v)
		v = c.Call("m", nn.MaxPool2d{Kernel: 2}, v)
		v = c.Apply(ops.Flatten{Start: 1, End: -1}, v)
		return c.Call("fc", nn.Linear{In: 128, Out: 6}, v)
	}},
	"attention": {[]int{2, 9, 16}, func(c *nn.Context, x *graph.Value) *graph.Value {
		linear := func(name string, in, out int, v *graph.Value) *graph.Value {
			return c.Call(name, nn.Linear{In: in, Out: out}, v)
		}
		query, key, value := linear("q", 16, 16, x), linear("k", 16, 16, x), linear("v", 16, 16, x)
		a := c.Apply(ops.MatMul{TransposeB: true}, query, key)
		a = c.Apply(ops.Binary{Fn: ops.Div, BNumber: true}, a, c.Const(tensor.Scalar(float32(4))))
		a = c.Apply(ops.Softmax{Axis: -1}, a)
		v := linear("o", 16, 16, c.Apply(ops.MatMul{}, a, value))
		v = c.Call("ln", nn.LayerNorm{Features: 16}, c.Apply(ops.Binary{Fn: ops.Add}, x, v))
		h := c.Call("act", nn.GELU{}, linear("up", 16, 64, v))
		h = linear("down", 64, 16, h)
		return c.Call("ln2", nn.LayerNorm{Features: 16}, c.Apply(ops.Binary{Fn: ops.Add}, v, h))
	}},
}

func residualBlock(c *nn.Context, x *graph.Value) *graph.Value {
	v := c.Call("conv1", nn.Conv2d{In: 8, Out: 8, Kernel: 3, Padding: 1}, x)
	v = c.Call("relu", nn.ReLU{}, v)
	v = c.Call("conv2", nn.Conv2d{In: 8, Out: 8, Kernel: 3, Padding: 1, NoBias: true}, v)
	v = c.Apply(ops.Binary{Fn: ops.Add}, v, x)
	return c.Call("act", nn.ReLU{}, v)
}
