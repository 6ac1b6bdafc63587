package torchscript

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// int8Case is an int8 operator with the shapes of its quantized inputs, and how its code begins.
type int8Case struct {
	op     ops.Op
	in     [][]int
	weight []int  // of a layer, quantized per channel
	bias   string // "int", "float", "whole": floats that are multiples of the scales, "zero", or none
	want   string // what the code has
}

// bounded returns parameters with integers from 1 to 200 in use.
func bounded() *tensor.QParams {
	q := tensor.PerTensor(tensor.Uint8, 0.05, 100)
	q.Min, q.Max = 1, 200
	return q
}

func int8Cases() []int8Case {
	out, positive := tensor.PerTensor(tensor.Uint8, 0.05, 120), tensor.PerTensor(tensor.Uint8, 0.04, 0)
	x := inputParams(0)
	conv := func(d, groups int, act ops.Activation, residual bool, bias bool, out *tensor.QParams) int8.Conv {
		one, pad := make([]int, d), make([]int, d)
		for i := range one {
			one[i], pad[i] = 1, 1
		}
		return int8.Conv{ConvAttributes: ops.ConvAttributes{
			Stride: one, Padding: pad, Dilation: one, Groups: groups, HasBias: bias, HasResidual: residual, Act: act,
		}, Out: out}
	}
	image, same := []int{2, 4, 5, 6}, []int{2, 4, 5, 6}
	linear := func(act ops.Activation, residual, bias bool, out *tensor.QParams) int8.Linear {
		return int8.Linear{LinearAttributes: ops.LinearAttributes{HasBias: bias, HasResidual: residual, Act: act}, Out: out}
	}
	dynamic := func(act ops.Activation, by int8.InputRange) int8.DynamicLinear {
		return int8.DynamicLinear{LinearAttributes: ops.LinearAttributes{HasBias: true, Act: act}, Range: by}
	}
	average := ops.AvgPoolAttributes{Kernel: []int{2, 2}, Stride: []int{2, 1}, Padding: []int{1, 0}, CountIncludePad: true}
	unary := func(fn ops.UnaryFn, alpha float64, out *tensor.QParams) int8.Table {
		return must(int8.TableOf(ops.Unary{Fn: fn, Alpha: alpha}, x, out, nil))
	}
	square := func(v float32) float32 { return v * v / 4 }
	return []int8Case{
		{conv(2, 1, ops.NoActivation, false, true, out), [][]int{image}, []int{4, 4, 3, 3}, "int", "ops.quantized.conv2d("},
		{conv(2, 1, ops.ActReLU, false, true, positive), [][]int{image}, []int{4, 4, 3, 3}, "float", "ops.quantized.conv2d_relu("},
		{conv(2, 1, ops.ActReLU6, false, true, positive), [][]int{image}, []int{4, 4, 3, 3}, "zero", "ops.quantized.relu6("},
		{conv(2, 1, ops.ActReLU6, false, false, tensor.PerTensor(tensor.Uint8, 0.02, 0)), [][]int{image}, []int{4, 4, 3, 3}, "", "ops.quantized.conv2d_relu("},
		{conv(2, 1, ops.NoActivation, false, true, out), [][]int{image}, []int{4, 4, 3, 3}, "whole", "octet_int8.conv("},
		{conv(2, 4, ops.NoActivation, false, true, out), [][]int{image}, []int{4, 1, 3, 3}, "int", "ops.quantized.conv2d("},
		{conv(2, 4, ops.NoActivation, false, true, out), [][]int{image}, []int{4, 1, 3, 3}, "float", "octet_int8.conv("},
		{conv(2, 2, ops.ActReLU, false, true, bounded()), [][]int{image}, []int{4, 2, 3, 3}, "int", "ops.quantized.clamp("},
		{conv(2, 1, ops.ActReLU, true, true, positive), [][]int{image, same}, []int{4, 4, 3, 3}, "int", "octet_int8.conv("},
		{conv(2, 1, ops.ActReLU6, true, false, positive), [][]int{image, same}, []int{4, 4, 3, 3}, "", "octet_int8.conv("},
		{conv(2, 1, ops.ActReLU, false, true, nil), [][]int{image}, []int{4, 4, 3, 3}, "zero", "octet_int8.conv("},
		{conv(2, 1, ops.NoActivation, false, true, nil), [][]int{image}, []int{4, 4, 3, 3}, "float", "octet_int8.conv("},
		{conv(1, 1, ops.NoActivation, false, true, out), [][]int{{2, 4, 7}}, []int{4, 4, 3}, "int", "ops.quantized.conv1d("},
		{conv(3, 1, ops.ActReLU, false, true, out), [][]int{{1, 2, 4, 3, 5}}, []int{3, 2, 3, 3, 3}, "int", "ops.quantized.conv3d_relu("},
		{linear(ops.NoActivation, false, true, out), [][]int{{3, 8}}, []int{5, 8}, "int", "ops.quantized.linear("},
		{linear(ops.ActReLU, false, true, out), [][]int{{2, 3, 8}}, []int{5, 8}, "float", "ops.quantized.linear_relu("},
		{linear(ops.NoActivation, false, true, nil), [][]int{{3, 8}}, []int{5, 8}, "int", "octet_int8.linear("},
		{linear(ops.NoActivation, true, true, out), [][]int{{3, 8}, {3, 5}}, []int{5, 8}, "int", "octet_int8.linear("},
		{dynamic(ops.NoActivation, int8.InputRange{}), [][]int{{3, 8}}, []int{5, 8}, "float", "octet_int8.dynamic_linear("},
		{dynamic(ops.ActReLU, int8.InputRange{Rule: int8.WholeInput, Hi: 127}), [][]int{{3, 8}}, []int{5, 8}, "float", "ops.quantized.linear_relu_dynamic("},
		{dynamic(ops.ActReLU6, int8.InputRange{Rule: int8.WholeInput, Hi: 255}), [][]int{{3, 8}}, []int{5, 8}, "float", "octet_int8.dynamic_linear("},
		{dynamic(ops.NoActivation, int8.InputRange{Rule: int8.WholeInputEps, Lo: 1, Hi: 255, Eps: 1e-5}), [][]int{{3, 8}}, []int{5, 8}, "float", "octet_int8.dynamic_linear("},
		{int8.Embedding{}, [][]int{{2, 3}}, []int{9, 12}, "", "octet_int8.embedding("},
		{int8.Add{Act: ops.ActReLU, Out: out}, [][]int{{2, 3, 4}, {2, 3, 4}}, nil, "", "ops.quantized.add_relu("},
		{int8.Add{Act: ops.ActReLU6, Out: positive}, [][]int{{2, 3, 4}, {2, 3, 4}}, nil, "", "ops.quantized.relu6("},
		{int8.Add{Out: out}, [][]int{{2, 3, 4}, {2, 1, 4}}, nil, "", "octet_int8.binary("},
		{int8.Mul{Out: out}, [][]int{{2, 3, 4}, {2, 3, 4}}, nil, "", "ops.quantized.mul("},
		{int8.Mul{Act: ops.ActReLU, Out: bounded()}, [][]int{{2, 3, 4}, {2, 3, 4}}, nil, "", "ops.quantized.mul_relu("},
		{int8.Add{}, [][]int{{2, 3, 4}, {2, 1, 4}}, nil, "", "torch.add("},
		{int8.Concat{Axis: 1}, [][]int{{2, 3, 4}, {2, 1, 4}}, nil, "", "torch.cat("},
		{int8.MatMul{Out: out}, [][]int{{2, 3, 5}, {2, 5, 4}}, nil, "", "octet_int8.matmul("},
		{int8.Softmax{SoftmaxAttributes: ops.SoftmaxAttributes{Axis: 1}, Out: out}, [][]int{{2, 3, 5}}, nil, "", "octet_int8.softmax("},
		{int8.Attention{AttentionAttributes: ops.AttentionAttributes{Causal: true}, Out: out}, [][]int{{2, 3, 5}, {2, 4, 5}, {2, 4, 6}}, nil, "", "octet_int8.attention("},
		{int8.LayerNorm{LayerNormAttributes: ops.LayerNormAttributes{Dims: 1, Eps: 1e-5}, Out: out}, [][]int{{2, 3, 5}}, nil, "", "torch.layer_norm("},
		{int8.GroupNorm{GroupNormAttributes: ops.GroupNormAttributes{Groups: 2, Eps: 1e-5}, Out: out}, [][]int{{2, 4, 5}}, nil, "", "torch.group_norm("},
		{int8.InstanceNorm{InstanceNormAttributes: ops.InstanceNormAttributes{Eps: 1e-5}, Out: out}, [][]int{{2, 4, 5}}, nil, "", "torch.instance_norm("},
		{int8.Sub{Act: ops.ActReLU, Out: out}, [][]int{{2, 3, 4}, {2, 3, 4}}, nil, "", "octet_int8.binary("},
		{int8.Max{Out: out}, [][]int{{2, 3, 4}, {2, 3, 4}}, nil, "", "octet_int8.binary("},
		{int8.Min{Out: out}, [][]int{{2, 3, 4}, {1, 3, 4}}, nil, "", "octet_int8.binary("},
		{int8.AvgPool{AvgPoolAttributes: average, Out: out}, [][]int{image}, nil, "", "octet_int8.avg_pool("},
		{int8.AvgPool{AvgPoolAttributes: average, Out: x}, [][]int{image}, nil, "", "torch.avg_pool2d("},
		{int8.AdaptiveAvgPool{AdaptiveAvgPoolAttributes: ops.AdaptiveAvgPoolAttributes{Size: []int{2, 3}}, Out: out}, [][]int{image}, nil, "", "octet_int8.adaptive_avg_pool("},
		{int8.AdaptiveAvgPool{AdaptiveAvgPoolAttributes: ops.AdaptiveAvgPoolAttributes{Size: []int{1, 1}}, Out: x}, [][]int{image}, nil, "", "torch.adaptive_avg_pool2d("},
		{int8.NewTable("requantize", x, out, nil), [][]int{{5, 7}}, nil, "", "torch.quantize_per_tensor(torch.dequantize("},
		{int8.NewTable("square", x, out, square), [][]int{{5, 7}}, nil, "", "octet_int8.table("},
		{unary(ops.ReLU, 0, x), [][]int{{5, 7}}, nil, "", "torch.relu("},
		{unary(ops.Sigmoid, 0, positive), [][]int{{5, 7}}, nil, "", "ops.quantized.sigmoid("},
		{unary(ops.HardSwish, 0, out), [][]int{{5, 7}}, nil, "", "ops.quantized.hardswish("},
		{unary(ops.ELU, 1, out), [][]int{{5, 7}}, nil, "", "ops.quantized.elu("},
		{unary(ops.LeakyReLU, 0.1, out), [][]int{{5, 7}}, nil, "", "0.1, False"},
		{unary(ops.LeakyReLU, 0.37, out), [][]int{{5, 7}}, nil, "", "octet_int8.table("},
		{unary(ops.Tanh, 0, tensor.PerTensor(tensor.Uint8, 2.0/256, 128)), [][]int{{5, 7}}, nil, "", "torch.tanh("},
		{unary(ops.Tanh, 0, out), [][]int{{5, 7}}, nil, "", "octet_int8.table("},
		{ops.Concat{Axis: 1}, [][]int{{2, 3}, {2, 1}}, nil, "", "ops.quantized.cat("},
		{ops.MaxPool{Kernel: []int{2, 2}, Stride: []int{2, 2}, Padding: []int{0, 0}, Dilation: []int{1, 1}}, [][]int{image}, nil, "", "torch.max_pool2d("},
		{ops.Interpolate{Mode: ops.Nearest, Scales: []float64{2, 2}}, [][]int{image}, nil, "", "torch.upsample_nearest2d("},
		{ops.Interpolate{Mode: ops.Linearly, Scales: []float64{2, 2}, AlignCorners: true}, [][]int{image}, nil, "", "torch.upsample_bilinear2d("},
		{ops.Interpolate{Mode: ops.Linearly, Scales: []float64{0.5, 0.5}}, [][]int{image}, nil, "", "torch.upsample_bilinear2d("},
	}
}

// inputParams are those of input i of a case; of operators that join values all have the same.
func inputParams(i int) *tensor.QParams {
	return tensor.PerTensor(tensor.Uint8, 0.03+0.004*float32(i), int32(110+i))
}

// build returns a graph of the operator between steps to and from integers, and its inputs.
func (c *int8Case) build(t *testing.T) (*graph.Graph, []*tensor.Tensor) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	g := graph.New()
	var in []*tensor.Tensor
	var args []*graph.Value
	_, float := c.op.(int8.DynamicLinear)
	_, join := c.op.(ops.Concat)
	_, rows := c.op.(int8.Embedding)
	for i, shape := range c.in {
		x := must(tensor.New(tensor.Float32, shape...))
		for k := range x.Float32s() {
			x.Float32s()[k] = rnd.Float32()*7 - 3.5
		}
		if rows {
			ids := must(tensor.New(tensor.Int64, shape...))
			for k := range ids.Int64s() {
				ids.Int64s()[k] = rnd.Int64N(int64(c.weight[0]))
			}
			x = ids
		}
		in = append(in, x)
		v := g.Input(fmt.Sprintf("x%d", i), x.DType(), shape...)
		if !float && !rows {
			q := inputParams(i)
			if join {
				q = inputParams(0)
			}
			v = must(g.Add1(graph.Scope{}, int8.Quantize{Q: q}, v))
		}
		args = append(args, v)
	}
	if c.weight != nil {
		args = append(args[:1:1], append(c.layer(g, rnd), args[1:]...)...)
	}
	if rows { // the table comes first
		args[0], args[1] = args[1], args[0]
	}
	y := must(g.Add1(graph.Scope{Path: "net.last"}, c.op, args...))
	if y.Type.Q != nil {
		y = must(g.Add1(graph.Scope{}, int8.Dequantize{}, y))
	}
	g.SetOutputs(y)
	return g, in
}

// layer returns the weight of the case and its bias.
func (c *int8Case) layer(g *graph.Graph, rnd *rand.Rand) []*graph.Value {
	q := &tensor.QParams{DType: tensor.Int8, Scheme: tensor.PerChannelSymmetric, Min: -128, Max: 127}
	w := must(tensor.New(tensor.Int8, c.weight...))
	for i := range w.Int8s() {
		w.Int8s()[i] = int8Of(rnd)
	}
	n := c.weight[0]
	ints, floats := make([]int32, n), make([]float32, n)
	for i := range n {
		q.Scale, q.ZeroPoint = append(q.Scale, 0.003+0.0001*float32(i)), append(q.ZeroPoint, 0)
		ints[i], floats[i] = int32(rnd.IntN(4000))-2000, rnd.Float32()-0.5
		if c.bias == "zero" {
			ints[i] = 0
		}
		if c.bias == "whole" {
			floats[i] = float32(float64(ints[i]) * float64(inputParams(0).Scale[0]) * float64(q.Scale[i]))
		}
	}
	list := []*graph.Value{g.Const("net.last.weight", w.WithQParams(q))}
	switch c.bias {
	case "int", "zero":
		list = append(list, g.Const("net.last.bias", must(tensor.FromSlice(ints, n))))
	case "float", "whole":
		list = append(list, g.Const("net.last.bias", must(tensor.FromSlice(floats, n))))
	}
	return list
}

func int8Of(rnd *rand.Rand) tensorInt8 { return tensorInt8(rnd.IntN(255) - 127) }

// TestInt8Operators exports each int8 operator in all its forms: as PyTorch's own where it has it, else as a function of the archive. Both
// are read back to the same bits.
func TestInt8Operators(t *testing.T) {
	for i, c := range int8Cases() {
		t.Run(fmt.Sprintf("%d-%s", i, c.op.Name()), func(t *testing.T) {
			g, in := c.build(t)
			sameOutputs(t, g, in)
			code := must(export(g)).body.String()
			if !strings.Contains(code, c.want) {
				t.Errorf("the code has no %s:\n%s", c.want, code)
			}
		})
	}
}

// TestExportRefuses names the operator that is not written, and writes no file.
func TestExportRefuses(t *testing.T) {
	g := graph.New()
	x := g.Input("x", tensor.Float32, 2, 3)
	y := must(g.Add1(graph.Scope{Path: "net.last"}, ops.Unary{Fn: ops.Softsign}, x))
	g.SetOutputs(y)
	path := filepath.Join(t.TempDir(), "model.pt")
	err := Export(path, g)
	var unsupported *ops.UnsupportedError
	if !errors.As(err, &unsupported) || !strings.Contains(err.Error(), "net.last") || unsupported.Op != "softsign" {
		t.Errorf("%v", err)
	}
	if matches, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(matches) != 0 {
		t.Errorf("files were written: %v", matches)
	}
}
