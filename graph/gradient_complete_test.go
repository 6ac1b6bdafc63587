package graph_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/fixture"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
	"github.com/octet-ml/octet/tensor"
)

// notByQuotient are operators whose gradient is not what a difference quotient gives.
var notByQuotient = map[string]string{
	"ops.CTCLoss": "it is the one of what log_softmax takes, as PyTorch's",
	"ops.Detach":  "it stops gradients of a function that is not constant",
	"ops.Random":  "what is drawn does not depend on anything",
}

// TestGradientCasesComplete finds the operators that have a gradient in the sources and
// checks that each has a case in both lists: of difference quotients and of what PyTorch gives.
func TestGradientCasesComplete(t *testing.T) {
	quotient, recorded := make(map[string]bool), make(map[string]bool)
	for _, c := range slices.Concat(gradientCases, unaryCases(t), activationCases()) {
		quotient[reflect.TypeOf(c.op).String()] = true
	}
	for _, c := range readTorchGradients(t) {
		recorded[reflect.TypeOf(c.op(t)).String()] = true
	}
	names := fixture.Differentiable(t, "../ops", "../ops/int8")
	for _, name := range names {
		if strings.HasPrefix(name, "int8.") {
			continue // quantize/testdata/gen/gradients.py records those of learned parameters
		}
		if !quotient[name] && notByQuotient[name] == "" {
			t.Errorf("%s has a gradient and no case in gradientCases", name)
		}
		if !recorded[name] && name != "ops.Random" {
			t.Errorf("%s has a gradient and no case in testdata/gen/gradients.py", name)
		}
	}
	for _, op := range differentiable {
		if name := reflect.TypeOf(op).String(); !slices.Contains(names, name) {
			t.Errorf("%s is listed and has no gradient", name)
		}
	}
}

// variant is an operator with one value of an enumeration, and inputs it takes.
type variant struct {
	op     ops.Op
	of     fmt.Stringer
	inputs []ops.Type
}

func f32s(shapes ...[]int) []ops.Type {
	types := make([]ops.Type, len(shapes))
	for i, s := range shapes {
		types[i] = ops.F32(s...)
	}
	return types
}

// enumerations are the operators that hold a function or a mode, with the i-th value of it.
var enumerations = []func(i uint8) variant{
	func(i uint8) variant {
		return variant{ops.Unary{Fn: ops.UnaryFn(i), Alpha: 1, Beta: 2}, ops.UnaryFn(i), f32s([]int{3})}
	},
	func(i uint8) variant {
		return variant{ops.Binary{Fn: ops.BinaryFn(i)}, ops.BinaryFn(i), f32s([]int{3}, []int{3})}
	},
	func(i uint8) variant {
		return variant{ops.Reduce{Fn: ops.ReduceFn(i), P: 2}, ops.ReduceFn(i), f32s([]int{3})}
	},
	func(i uint8) variant {
		return variant{ops.PadMode{Fn: ops.PadFn(i), Before: []int{1}, After: []int{1}}, ops.PadFn(i), f32s([]int{3})}
	},
	func(i uint8) variant {
		return variant{ops.Interpolate{Mode: ops.InterpolateMode(i), Size: []int{2, 2}}, ops.InterpolateMode(i), f32s([]int{1, 1, 3, 3})}
	},
	func(i uint8) variant {
		index := ops.Type{DType: tensor.Int64, Shape: tensor.Shape{3}}
		return variant{ops.Scatter{Fn: ops.ScatterFn(i)}, ops.ScatterFn(i), []ops.Type{ops.F32(3), index, ops.F32(3)}}
	},
	func(i uint8) variant {
		gates := []int{4, 3, 1, 1, 1}[min(i, 4)]
		types := f32s([]int{2, 1, 1}, []int{1, 1, 1}, []int{gates, 1}, []int{gates, 1})
		if ops.CellFn(i) == ops.LSTMCell {
			types = slices.Insert(types, 1, types[1])
		}
		return variant{ops.RNN{Cell: ops.CellFn(i), Layers: 1}, ops.CellFn(i), types}
	},
	func(i uint8) variant {
		return variant{ops.Linear{Act: ops.Activation(i)}, ops.Activation(i), f32s([]int{2, 3}, []int{4, 3})}
	},
	func(i uint8) variant {
		op := ops.Conv{Stride: []int{1}, Padding: []int{0}, Dilation: []int{1}, Groups: 1, Act: ops.Activation(i)}
		return variant{op, ops.Activation(i), f32s([]int{1, 2, 3}, []int{2, 2, 1})}
	},
}

// enumKey names the value of an enumeration that an operator holds, "" for one without.
func enumKey(op ops.Op) string {
	var of fmt.Stringer
	switch op := op.(type) {
	case ops.Unary:
		of = op.Fn
	case ops.Binary:
		of = op.Fn
	case ops.Reduce:
		of = op.Fn
	case ops.PadMode:
		of = op.Fn
	case ops.Interpolate:
		of = op.Mode
	case ops.Scatter:
		of = op.Fn
	case ops.RNN:
		of = op.Cell
	case ops.Linear:
		of = op.Act
	case ops.Conv:
		of = op.Act
	default:
		return ""
	}
	return fmt.Sprintf("%T %v", op, of)
}

// TestGradientFunctionsComplete checks that every function and mode that has a gradient has a case in both lists.
func TestGradientFunctionsComplete(t *testing.T) {
	quotient, recorded := make(map[string]bool), make(map[string]bool)
	for _, c := range slices.Concat(gradientCases, unaryCases(t), activationCases()) {
		quotient[enumKey(c.op)] = true
	}
	for _, c := range readTorchGradients(t) {
		recorded[enumKey(c.op(t))] = true
	}
	for _, enumeration := range enumerations {
		found := 0
		for i := uint8(0); ; i++ {
			v := enumeration(i)
			if strings.HasSuffix(v.of.String(), fmt.Sprintf("(%d)", i)) {
				break // behind the last, which has no name
			}
			if !hasGradient(t, v) {
				continue
			}
			found++
			key := enumKey(v.op)
			if !quotient[key] {
				t.Errorf("%s has a gradient and no case in gradientCases", key)
			}
			if !recorded[key] {
				t.Errorf("%s has a gradient and no case in testdata/gen/gradients.py", key)
			}
		}
		if v := enumeration(0); found == 0 {
			t.Errorf("%T has no gradient of any function", v.op)
		}
	}
}

// hasGradient reports whether an operator gives a gradient of an input.
func hasGradient(t *testing.T, v variant) bool {
	t.Helper()
	_, grads, err := gradientsOf(v.op, "", v.inputs)
	if err != nil {
		var unsupported *ops.UnsupportedError
		var shape *ops.ShapeError
		if !errors.As(err, &unsupported) && !errors.As(err, &shape) {
			t.Fatalf("%s: %v", enumKey(v.op), err)
		}
		return false
	}
	return slices.ContainsFunc(grads, func(d *graph.Value) bool { return d != nil })
}

// gradientsOf adds an operator at a path, the sum of its first output, and the gradients of the float inputs.
func gradientsOf(op ops.Op, path string, inputs []ops.Type) (*graph.Node, []*graph.Value, error) {
	g := graph.New()
	var in, wrt []*graph.Value
	for i, typ := range inputs {
		v := g.Input(fmt.Sprint(i), typ.DType, typ.Shape...)
		if typ.Q != nil {
			x, err := tensor.New(typ.DType, typ.Shape...)
			if err != nil {
				return nil, nil, err
			}
			v = g.Const("", x.WithQParams(typ.Q))
		}
		in = append(in, v)
		if typ.DType == tensor.Float32 {
			wrt = append(wrt, v)
		}
	}
	y, err := g.Add(graph.Scope{Path: path}, op, in...)
	if err != nil {
		return nil, nil, err
	}
	node := g.Nodes[len(g.Nodes)-1]
	loss := y[0]
	if !loss.Type.DType.IsFloat() {
		return node, make([]*graph.Value, len(wrt)), nil
	}
	if loss, err = g.Add1(graph.Scope{}, ops.Reduce{Fn: ops.Sum}, loss); err != nil {
		return nil, nil, err
	}
	grads, err := g.Gradients(loss, wrt)
	return node, grads, err
}

// TestNoGradient checks the error at operators that have none, among them some that
// embed one that has.
func TestNoGradient(t *testing.T) {
	identity := graph.New()
	identity.SetOutputs(identity.Input("x", tensor.Float32, 3))
	maxPool := ops.MaxPool{Kernel: []int{2}, Stride: []int{2}, Padding: []int{0}, Dilation: []int{1}}
	weight := ops.Type{DType: tensor.Int8, Shape: tensor.Shape{2, 3}, Q: &tensor.QParams{
		DType: tensor.Int8, Scheme: tensor.PerChannelSymmetric, Scale: []float32{1, 2}, ZeroPoint: []int32{0, 0}, Min: -127, Max: 127,
	}}
	for _, c := range []struct {
		op ops.Op
		in []ops.Type
	}{
		{ops.MaxPoolGrad{MaxPoolAttributes: ops.MaxPoolAttributes(maxPool)}, f32s([]int{1, 1, 4}, []int{1, 1, 2})},
		{ops.UnaryGrad{UnaryAttributes: ops.UnaryAttributes{Fn: ops.GELU}}, f32s([]int{3}, []int{3})},
		{ops.SoftmaxGrad{}, f32s([]int{3}, []int{3})},
		{int8.DynamicLinear{}, []ops.Type{ops.F32(2, 3), weight}},
		{graph.If{Then: identity, Else: identity}, []ops.Type{{DType: tensor.Bool}, ops.F32(3)}},
	} {
		const path = "encoder.layer.3"
		node, _, err := gradientsOf(c.op, path, c.in)
		var at *graph.NodeError
		var unsupported *ops.UnsupportedError
		switch {
		case err == nil:
			t.Errorf("%s: no error", c.op.Name())
		case !errors.As(err, &at) || !errors.As(err, &unsupported):
			t.Errorf("%s: error %v is no *NodeError with an *UnsupportedError", c.op.Name(), err)
		case at.Node.Op.Name() != c.op.Name() || node != nil && at.Node != node:
			t.Errorf("%s: the error is at %s", c.op.Name(), at.Node.Op.Name())
		case !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.op.Name()) || !strings.Contains(err.Error(), "freeze"):
			t.Errorf("%s: %q does not name the node and what to do", c.op.Name(), err)
		}
	}
}

// TestNoGradientOfIntegers checks that a path through quantized values ends with the error and not
// without a gradient, where one through indices has none.
func TestNoGradientOfIntegers(t *testing.T) {
	quantize := int8.Quantize{Q: tensor.PerTensor(tensor.Uint8, 0.5, 3)}
	for _, c := range []struct {
		through []ops.Op
		at      string // the operator of the error, "" for none
	}{
		{[]ops.Op{quantize, ops.Reshape{Shape: []int{-1}}, int8.Dequantize{}}, "dequantize"},
		{[]ops.Op{ops.ArgMax{}, ops.Cast{DType: tensor.Float32}}, ""},
		{[]ops.Op{ops.Cast{DType: tensor.Int64}, ops.Cast{DType: tensor.Float32}}, ""},
	} {
		g := graph.New()
		x := g.Input("x", tensor.Float32, 2, 3)
		v := x
		for _, op := range append(c.through, ops.Reduce{Fn: ops.Sum}) {
			var err error
			if v, err = g.Add1(graph.Scope{}, op, v); err != nil {
				t.Fatal(err)
			}
		}
		grads, err := g.Gradients(v, []*graph.Value{x})
		var at *graph.NodeError
		switch {
		case c.at == "" && (err != nil || grads[0] != nil):
			t.Errorf("%v: gradient %v, error %v", c.through, grads, err)
		case c.at != "" && (!errors.As(err, &at) || at.Node.Op.Name() != c.at):
			t.Errorf("%v: error %v, want one at %s", c.through, err, c.at)
		}
	}
}
