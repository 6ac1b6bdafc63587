package onnx

import (
	"strings"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// root is a module that a function computes.
type root func(c *nn.Context, x ...*graph.Value) *graph.Value

func (root) Class() string { return "test" }

func (r root) Forward(c *nn.Context, x ...*graph.Value) *graph.Value { return r(c, x...) }

// functions applies functions of one element.
func functions(c *nn.Context, x ...*graph.Value) *graph.Value {
	var all []*graph.Value
	for _, f := range []ops.Unary{
		{Fn: ops.ELU, Alpha: 0.7}, {Fn: ops.CELU, Alpha: 0.7}, {Fn: ops.SELU}, {Fn: ops.Softplus, Alpha: 1, Beta: 20}, {Fn: ops.LogSigmoid}, {Fn: ops.Mish},
		{Fn: ops.Hardshrink, Alpha: 0.5}, {Fn: ops.Threshold, Alpha: 0.3, Beta: -2}, {Fn: ops.Softshrink, Alpha: 0.4}, {Fn: ops.Exp2}, {Fn: ops.Expm1},
	} {
		all = append(all, c.Apply(f, x[0]))
	}
	positive := c.Apply(ops.Unary{Fn: ops.Square}, x[0])
	for _, fn := range []ops.UnaryFn{ops.Log2, ops.Log10, ops.Log1p} {
		all = append(all, c.Apply(ops.Unary{Fn: fn}, positive))
	}
	tiny := c.Apply(ops.Binary{Fn: ops.Mul, BNumber: true}, x[0], c.Const(tensor.Scalar(float32(1e-5))))
	for _, fn := range []ops.UnaryFn{ops.Log1p, ops.Expm1} { // what is left of 1+x, and of e^x-1
		all = append(all, c.Apply(ops.Binary{Fn: ops.Div}, c.Apply(ops.Unary{Fn: fn}, tiny), tiny))
	}
	all = append(all, c.Apply(ops.PadMode{Fn: ops.Circular, Before: []int{0, 1, -2}, After: []int{0, 2, 2}}, x[0]))
	most := c.ApplyAll(ops.ArgMax{Flat: true, KeepDims: true, Values: true}, 2, x[0])
	at := c.Apply(ops.Cast{DType: tensor.Float32}, c.Apply(ops.ArgMax{Flat: true, Min: true}, x[0]))
	for _, y := range []*graph.Value{most[0], c.Apply(ops.Cast{DType: tensor.Float32}, most[1]), at} {
		all = append(all, c.Apply(ops.Binary{Fn: ops.Sub}, x[0], y))
	}
	for _, y := range []*graph.Value{
		c.Apply(ops.Unary{Fn: ops.Trunc}, c.Apply(ops.Binary{Fn: ops.Mul}, x[0], c.Const(tensor.Scalar(float32(3))))), c.Apply(ops.Unary{Fn: ops.IsFinite}, c.Apply(ops.Unary{Fn: ops.Log}, x[0])),
		c.Apply(ops.Unary{Fn: ops.IsInf}, x[0]), c.Apply(ops.Binary{Fn: ops.Ne}, x[0], c.Apply(ops.Unary{Fn: ops.Abs}, x[0])),
		c.Apply(ops.Gather{Axis: 2}, x[0], c.ApplyAll(ops.TopK{K: 7, Axis: 2, Least: true}, 2, x[0])[1]),
	} {
		all = append(all, c.Apply(ops.Cast{DType: tensor.Float32}, y))
	}
	return c.Apply(ops.Concat{Axis: 1}, append(all, places(c, x[0])...)...)
}

// places moves elements of x [2, 3, 7].
func places(c *nn.Context, x *graph.Value) []*graph.Value {
	wide := c.Apply(ops.ChannelShuffle{Groups: 2}, c.Apply(ops.Tile{Repeats: []int{2, 2, 4, 1}}, x))                // [2, 4, 12, 7]
	tall := c.Apply(ops.PixelShuffle{Factor: 2, Reverse: true}, c.Apply(ops.Slice{Axis: 3, End: 6, Step: 1}, wide)) // [2, 16, 6, 3]
	tall = c.Apply(ops.Roll{Shifts: []int{1, -5}, Axes: []int{1, -1}}, tall)
	flat := c.Apply(ops.Roll{Shifts: []int{-4}}, c.Apply(ops.Reshape{Shape: []int{2, -1, 9}}, tall))
	top := c.ApplyAll(ops.TopK{K: 7, Axis: 2}, 2, flat)
	least := c.ApplyAll(ops.TopK{K: 7, Axis: -1, Least: true}, 2, c.Apply(ops.Binary{Fn: ops.Add}, flat, c.Const(must(tensor.FromSlice([]float32{0, 1, 2, 3, 4, 5, 6, 7, 8}, 9)))))
	return []*graph.Value{top[0], least[0], c.Apply(ops.Cast{DType: tensor.Float32}, least[1])}
}

// layers has norms over groups and over channels, borders of the image, a transposed convolution of one dimension, reductions and differences.
func layers(c *nn.Context, x ...*graph.Value) *graph.Value {
	y := c.Call("reflect", nn.ReflectionPad2d{Left: 1, Right: 1, Top: 1, Bottom: 1}, x[0])
	y = c.Call("a", nn.Conv2d{In: 3, Out: 8, Kernel: 3}, y)
	y = c.Apply(ops.Unary{Fn: ops.ELU, Alpha: 1}, c.Call("groups", nn.GroupNorm{Groups: 2, Channels: 8}, y))
	y = c.Call("b", nn.Conv2d{In: 8, Out: 8, Kernel: 3}, c.Call("edge", nn.ReplicationPad2d{Left: 1, Right: 1, Top: 1, Bottom: 1}, y))
	y = c.Call("channels", nn.InstanceNorm2d{Features: 8, Affine: true}, y)
	z := c.Call("c", nn.Conv2d{In: 8, Out: 8, Kernel: 1}, y)
	y = c.Apply(ops.Binary{Fn: ops.Max}, c.Apply(ops.Binary{Fn: ops.Sub}, y, z), z)
	y = c.Call("d", nn.Conv2d{In: 8, Out: 8, Kernel: 1}, y)
	y = c.Call("up", nn.ConvTranspose1d{In: 8, Out: 8, Kernel: 4, Stride: 2, Padding: 1}, c.Apply(ops.Reduce{Fn: ops.AMax, Axes: []int{3}}, y))
	y = c.ApplyAll(ops.ArgMax{Axis: 2, Values: true}, 2, y)[0]
	return c.Call("head", nn.Linear{In: 8, Out: 5}, c.Apply(ops.Unary{Fn: ops.SELU}, c.Call("hidden", nn.Linear{In: 8, Out: 8}, y)))
}

// recurrent has each kind of recurrent network, one of two layers in both directions.
func recurrent(c *nn.Context, x ...*graph.Value) *graph.Value {
	y := c.Call("lstm", nn.LSTM{Input: 6, Hidden: 8, Layers: 2, Bidirectional: true, BatchFirst: true}, x[0])
	y = c.Call("gru", nn.GRU{Input: 16, Hidden: 8, BatchFirst: true}, y)
	all := c.CallAll("rnn", nn.RNN{Input: 8, Hidden: 8, ReLU: true, NoBias: true, Bidirectional: true}, y)
	return c.Apply(ops.Concat{Axis: 1}, c.Call("tanh", nn.RNN{Input: 16, Hidden: 16, BatchFirst: true}, all[0]), c.Apply(ops.Reshape{Shape: []int{3, -1, 16}}, c.Apply(ops.Concat{Axis: 0}, all[1], all[1], all[1])))
}

// withRange returns the dynamic int8 form of a model whose linear layers quantize their inputs by a rule.
func withRange(g *graph.Graph, r int8.InputRange) *graph.Graph {
	dynamic := must(quantize.New(quantize.Options{Dynamic: true}).Quantize(g))
	for _, n := range dynamic.Nodes {
		if op, is := n.Op.(int8.DynamicLinear); is {
			op.Range = r
			n.Op = op
		}
	}
	return dynamic
}

// built lists models of operators that none of the others has.
func built() []exported {
	var list []exported
	for _, m := range []struct {
		name    string
		shape   []int
		forward root
		int8    float64 // dB at least, 0: not quantized
	}{{"functions", []int{2, 3, 7}, functions, 0}, {"layers", []int{2, 3, 8, 8}, layers, 40}, {"recurrent", []int{3, 5, 6}, recurrent, 30}} {
		in := []nn.Input{{Name: "x", DType: tensor.Float32, Shape: m.shape}}
		g := must(nn.BuildRandom(nn.Architecture{Name: m.name, Inputs: in, Root: m.forward}, 3))
		for _, v := range g.Constants() {
			if strings.HasPrefix(v.Name, "groups.") || strings.HasPrefix(v.Name, "channels.") {
				w := v.Const.Clone()
				for i := range w.Float32s() {
					w.Float32s()[i] += 0.1 * float32(i)
				}
				v.Const = w
			}
		}
		x := must(bench.RandomInputs([]ops.Type{ops.F32(m.shape...)}, 5))
		list = append(list, exported{name: m.name, graph: g, inputs: x})
		if m.int8 > 0 {
			dynamic := must(quantize.New(quantize.Options{Dynamic: true}).Quantize(g))
			list = append(list, exported{name: m.name + "-dynamic", graph: dynamic, inputs: x, least: m.int8})
		}
		if m.name == "layers" {
			for name, r := range map[string]int8.InputRange{"fbgemm": {Rule: int8.WholeInput, Hi: 127}, "pt2e": {Rule: int8.WholeInputEps, Hi: 255, Eps: 1e-6}} {
				list = append(list, exported{name: "layers-dynamic-" + name, graph: withRange(g, r), inputs: x, least: m.int8})
			}
			list = append(list, exported{name: m.name + "-int8", graph: quantized(g, x), inputs: x, least: m.int8})
		}
	}
	return list
}
