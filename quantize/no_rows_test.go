package quantize

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// rowOperators are operators that stand behind the selection of boxes: what each makes of the features a and b, [n, 8, 6, 6] both,
// [n, 8, ...] again.
var rowOperators = map[string]func(w writer, a, b *graph.Value) *graph.Value{
	"conv": func(w writer, a, _ *graph.Value) *graph.Value { return w.conv("inner", 11, 3, a) },
	"grouped conv": func(w writer, a, _ *graph.Value) *graph.Value {
		op := squareConv(3)
		op.Groups = 8
		return w.add(module("grouped"), op, a, w.constant("grouped.weight", 12, 0.3, 8, 1, 3, 3))
	},
	"transposed conv": func(w writer, a, _ *graph.Value) *graph.Value {
		op := ops.ConvTranspose{Stride: []int{2, 2}, Padding: []int{0, 0}, OutputPadding: []int{0, 0}, Dilation: []int{1, 1}, Groups: 1}
		return w.add(module("up"), op, a, w.constant("up.weight", 13, 0.3, 8, 8, 2, 2))
	},
	"max pool": func(w writer, a, _ *graph.Value) *graph.Value {
		return w.add(graph.Scope{}, ops.MaxPool{Kernel: []int{2, 2}, Stride: []int{2, 2}, Padding: []int{0, 0}, Dilation: []int{1, 1}}, a)
	},
	"average pool": func(w writer, a, _ *graph.Value) *graph.Value {
		return w.add(graph.Scope{}, ops.AvgPool{Kernel: []int{2, 2}, Stride: []int{2, 2}, Padding: []int{0, 0}}, a)
	},
	"adaptive average pool": unaryRow(ops.AdaptiveAvgPool{Size: []int{2, 3}}),
	"global average pool":   unaryRow(ops.AdaptiveAvgPool{Size: []int{1, 1}}),
	"nearest":               unaryRow(ops.Interpolate{Scales: []float64{2, 2}}),
	"bilinear":              unaryRow(ops.Interpolate{Mode: ops.Linearly, Scales: []float64{2, 2}}),
	"pad":                   unaryRow(ops.Pad{Before: []int{0, 0, 1, 1}, After: []int{0, 0, 1, 1}}),
	"slice":                 unaryRow(ops.Slice{Axis: 2, Start: 1, End: 5, Step: 2}),
	"permute":               unaryRow(ops.Permute{Order: []int{0, 1, 3, 2}}),
	"reshape":               unaryRow(ops.Reshape{Shape: []int{0, 8, 36, 1}}),
	"flip":                  unaryRow(ops.Flip{Axes: []int{2}}),
	"relu6":                 unaryRow(ops.Unary{Fn: ops.ReLU6}),
	"sigmoid":               unaryRow(ops.Unary{Fn: ops.Sigmoid}),
	"hard swish":            unaryRow(ops.Unary{Fn: ops.HardSwish}),
	"softmax":               unaryRow(ops.Softmax{Axis: 1}),
	"group norm":            unaryRow(ops.GroupNorm{Groups: 2, Eps: 1e-5}),
	"instance norm":         unaryRow(ops.InstanceNorm{Eps: 1e-5}),
	"layer norm":            unaryRow(ops.LayerNorm{Dims: 1, Eps: 1e-5}),
	"concat": func(w writer, a, b *graph.Value) *graph.Value {
		both := w.add(graph.Scope{}, ops.Concat{Axis: 1}, a, b)
		return w.add(module("both"), squareConv(1), both, w.constant("both.weight", 14, 0.3, 8, 16, 1, 1))
	},
	"rows joined": func(w writer, a, b *graph.Value) *graph.Value { return w.add(graph.Scope{}, ops.Concat{}, a, b) },
	"add":         binaryRow(ops.Add), "sub": binaryRow(ops.Sub), "mul": binaryRow(ops.Mul), "maximum": binaryRow(ops.Max), "minimum": binaryRow(ops.Min),
	"matmul": func(w writer, a, b *graph.Value) *graph.Value {
		return w.add(graph.Scope{}, ops.MatMul{TransposeB: true}, a, b)
	},
	"linear": func(w writer, a, _ *graph.Value) *graph.Value {
		v := w.add(graph.Scope{}, ops.Flatten{Start: 1, End: -1}, a)
		v = w.add(module("fc"), ops.Linear{}, v, w.constant("fc.weight", 15, 0.1, 32, 288))
		return w.add(graph.Scope{}, ops.Reshape{Shape: []int{-1, 8, 2, 2}}, v)
	},
}

func unaryRow(op ops.Op) func(w writer, a, _ *graph.Value) *graph.Value {
	return func(w writer, a, _ *graph.Value) *graph.Value { return w.add(graph.Scope{}, op, a) }
}

func binaryRow(fn ops.BinaryFn) func(w writer, a, b *graph.Value) *graph.Value {
	return func(w writer, a, b *graph.Value) *graph.Value { return w.add(graph.Scope{}, ops.Binary{Fn: fn}, a, b) }
}

func squareConv(kernel int) ops.Conv {
	pad := kernel / 2
	return ops.Conv{Stride: []int{1, 1}, Padding: []int{pad, pad}, Dilation: []int{1, 1}, Groups: 1}
}

// conv adds a convolution from 8 to 8 channels.
func (w writer) conv(name string, seed uint64, kernel int, x *graph.Value) *graph.Value {
	return w.add(module(name), squareConv(kernel), x, w.constant(name+".weight", seed, 0.3, 8, 8, kernel, kernel))
}

// TestNoRows runs the operators that stand behind the selection of boxes between convolutions, in float32 and int8, with some boxes and
// with none.
func TestNoRows(t *testing.T) {
	for name, op := range rowOperators {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := writer{t, graph.New()}
			x := w.g.Input("x", tensor.Float32, 3, 8, 6, 6)
			w.g.SetOutputs(w.conv("head", 3, 1, op(w, w.conv("a", 1, 3, x), w.conv("b", 2, 1, x))))
			q := New(Options{})
			calibrate(t, q, w.g, &dataset{batches: [][]*tensor.Tensor{{randomInput(t, 4, 3, 8, 6, 6)}}})
			int8, layers := quantized(t, q, w.g), 0
			for _, n := range int8.Nodes {
				if strings.HasPrefix(fmt.Sprintf("%T", n.Op), "int8.") {
					layers++
				}
			}
			if layers < 3 {
				t.Errorf("only %d operators are int8", layers)
			}
			for i, g := range []*graph.Graph{w.g, int8} {
				s, err := g.Compile(graph.Options{Threads: 2})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				var rows []int
				for _, n := range []int{3, 0, 1, 0} {
					out, err := s.Run(context.Background(), randomInput(t, 5, n, 8, 6, 6))
					if err != nil {
						t.Fatalf("graph %d, %d boxes: %v", i, n, err)
					}
					rows = append(rows, out[0].Dim(0))
				}
				if got := fmt.Sprint(rows); got != "[3 0 1 0]" && (name != "rows joined" || got != "[6 0 2 0]") {
					t.Errorf("graph %d gives %s rows for 3, 0, 1 and 0", i, got)
				}
			}
		})
	}
}
