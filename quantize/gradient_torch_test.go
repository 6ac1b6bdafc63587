package quantize

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/fixture"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// torchGradients are the operators of the cases that testdata/gen/gradients.py recorded.
// Difference quotients have no say here: the gradient of rounding is that of passing straight through.
func torchGradients() map[string]ops.Op {
	narrow := Spec{DType: tensor.Uint8, Scheme: tensor.PerTensorAffine, Max: 31}
	weight := channelSymmetricS8.WithBits(4)
	all := map[string]ops.Op{
		"lsq affine":          int8.LSQ{Params: affineU8.params()},
		"lsq 4 bits":          int8.LSQ{Params: affineU8.WithBits(4).params()},
		"lsq symmetric":       int8.LSQ{Params: symmetricS8.params()},
		"lsq negative":        int8.LSQ{Params: Spec{DType: tensor.Int8, Scheme: tensor.PerTensorAffine}.params()},
		"lsq channels":        int8.LSQ{Params: weight.params()},
		"lsq channels affine": int8.LSQ{Params: Spec{DType: tensor.Int8, Scheme: tensor.PerChannelAffine, Axis: 1, Min: -8, Max: 7}.params()},
		"project pairs":       projectPairsOp{channelSymmetricS8, &weightPairs{order: []int32{0, 1, 2, 3}, least: -128, largest: 128}},
		"weight per tensor":   layerOf(ops.Linear{}, symmetricS8.WithBits(4), &narrow, nil),
		"gelu":                tableOf(ops.Unary{Fn: ops.GELU}, affineU8.WithBits(4), nil),
		"times a number":      tableOf(ops.Binary{Fn: ops.Mul}, narrow, nil, tensor.Scalar(float32(2.5))),
		"a number less":       tableOf(ops.Binary{Fn: ops.Sub}, narrow, tensor.Scalar(float32(2.5)), nil),
		"avg pool":            averageOf(ops.AvgPool{Kernel: []int{2, 2}, Stride: []int{2, 2}, Padding: []int{0, 0}}, narrow),
		"adaptive avg pool":   averageOf(ops.AdaptiveAvgPool{Size: []int{1, 1}}, narrow),
	}
	for _, act := range []ops.Activation{ops.NoActivation, ops.ActReLU, ops.ActReLU6} {
		name := ""
		if act != ops.NoActivation {
			name = " " + act.String()
		}
		conv := func(stride, pad, groups int) ops.Conv {
			pair := func(v int) []int { return []int{v, v} }
			return ops.Conv{Stride: pair(stride), Padding: pair(pad), Dilation: pair(1), Groups: groups, Act: act}
		}
		depthwise, residual := conv(1, 1, 4), conv(1, 0, 1)
		depthwise.HasBias, residual.HasResidual = true, true
		all["linear"+name] = layerOf(ops.Linear{HasBias: true, Act: act}, weight, &narrow, nil)
		all["conv"+name] = layerOf(conv(2, 1, 1), weight, &narrow, nil)
		all["depthwise"+name] = layerOf(depthwise, weight, &narrow, nil)
		all["residual"+name] = layerOf(residual, weight, &narrow, &narrow)
		all["float output"+name] = layerOf(ops.Linear{HasBias: true, Act: act}, weight, nil, nil)
		all["add"+name] = binaryOf(ops.Add, act, narrow)
		all["mul"+name] = binaryOf(ops.Mul, act, narrow)
	}
	return all
}

func layerOf(layer ops.Op, weight Spec, y, r *Spec) ops.Op {
	op := int8.TrainedLayer{Layer: layer, X: affineU8.params(), W: weight.params()}
	if y != nil {
		p := y.params()
		op.Y = &p
	}
	if r != nil {
		p := r.params()
		op.R = &p
	}
	return op
}

func binaryOf(fn ops.BinaryFn, act ops.Activation, y Spec) ops.Op {
	return formOfCase(ops.Binary{Fn: fn, Act: act}, y, nil, nil)
}

func tableOf(op ops.Op, y Spec, operands ...*tensor.Tensor) ops.Op {
	return formOfCase(op, y, operands...)
}

func averageOf(pool ops.Op, y Spec) ops.Op { return formOfCase(pool, y, nil) }

// formOfCase is a form in training; operands are the operator's inputs, nil in the place of activations.
func formOfCase(op ops.Op, y Spec, operands ...*tensor.Tensor) ops.Op {
	f := int8.StraightThrough{Op: op, Operands: operands, Out: y.params()}
	for _, c := range operands {
		if c == nil {
			f.In = append(f.In, affineU8.params())
		}
	}
	return f
}

// addCase adds the operator of a case, and in front of a form the float operator.
func addCase(g *graph.Graph, op ops.Op, in []*graph.Value) ([]*graph.Value, error) {
	if f, ok := op.(int8.StraightThrough); ok {
		var args []*graph.Value
		next := 0
		for _, c := range f.Operands {
			if c != nil {
				args = append(args, g.Const("", c))
				continue
			}
			args, next = append(args, in[next]), next+3
		}
		real, err := g.Add1(graph.Scope{}, f.Op, args...)
		if err != nil {
			return nil, err
		}
		in = append([]*graph.Value{real}, in...)
	}
	return g.Add(graph.Scope{}, op, in...)
}

type torchGradient struct {
	Name  string
	In    []fixture.Tensor
	DOut  fixture.Tensor
	Grads []*fixture.Tensor // nil: the input has none
}

// TestGradientsAsPyTorch compares the gradients of learnable fake quantization, and of the
// layers of the deployed forward, with those of PyTorch's autograd.
func TestGradientsAsPyTorch(t *testing.T) {
	operators := torchGradients()
	covered := make(map[string]bool)
	for _, c := range fixture.Read[torchGradient](t, "testdata/gradients.json.gz") {
		t.Run(c.Name, func(t *testing.T) {
			op := operators[c.Name]
			if op == nil {
				t.Fatal("there is no operator of this name")
			}
			covered[reflect.TypeOf(op).String()] = true
			checkTorchGradient(t, op, c)
		})
	}
	for _, name := range fixture.Differentiable(t, "../ops", "../ops/int8", "../quantize") {
		if !strings.HasPrefix(name, "ops.") && !covered[name] {
			t.Errorf("%s has a gradient and no case in testdata/gen/gradients.py", name)
		}
	}
}

func checkTorchGradient(t *testing.T, op ops.Op, c torchGradient) {
	g := graph.New()
	values := fixture.Tensors(t, c.In)
	var in []*graph.Value
	for i, x := range values {
		in = append(in, g.Input(fmt.Sprint(i), x.DType(), x.Shape()...))
	}
	outs, err := addCase(g, op, in)
	if err != nil {
		t.Fatal(err)
	}
	add := func(op ops.Op, in ...*graph.Value) *graph.Value {
		v, err := g.Add1(graph.Scope{}, op, in...)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	loss := add(ops.Reduce{Fn: ops.Sum}, add(ops.Binary{Fn: ops.Mul}, outs[0], g.Const("", c.DOut.Tensor(t))))
	grads, err := g.Gradients(loss, in)
	if err != nil {
		t.Fatal(err)
	}
	var outputs []*graph.Value
	var want []*tensor.Tensor
	for i, d := range grads {
		if (d == nil) != (c.Grads[i] == nil) {
			t.Fatalf("PyTorch and octet disagree whether input %d has a gradient", i)
		}
		if d != nil {
			outputs, want = append(outputs, d), append(want, c.Grads[i].Tensor(t))
		}
	}
	g.SetOutputs(outputs...)
	s, err := g.Compile(graph.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, err := s.Run(context.Background(), values...)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range want {
		fixture.CompareGradient(t, fmt.Sprintf("gradient %d", i), got[i], w)
	}
}
