package graph_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/fixture"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// torchGradient is a case that testdata/gen/gradients.py recorded.
type torchGradient struct {
	Op    string // the operator's type
	Attr  json.RawMessage
	In    []fixture.Tensor
	DOut  []*fixture.Tensor // nil: nothing depends on the output
	Grads []*fixture.Tensor // nil: the input has none
	Known []int             // inputs that are constants
}

// differentiable lists the operators of which gradients are recorded.
var differentiable = []ops.Op{
	ops.AdaptiveAvgPool{}, ops.AvgPool{}, ops.BatchNorm{}, ops.BatchNormTrain{}, ops.Binary{}, ops.Cast{}, ops.Concat{}, ops.Conv{}, ops.ConvTranspose{},
	ops.CrossEntropy{}, ops.CTCLoss{}, ops.PrefixScan{}, ops.Detach{}, ops.Embedding{}, ops.Expand{}, ops.Flatten{}, ops.Flip{}, ops.FoldBatchNorm{}, ops.Gather{},
	ops.GroupNorm{}, ops.IndexSelect{}, ops.InstanceNorm{}, ops.LayerNorm{}, ops.Linear{}, ops.MatMul{}, ops.MaxPool{}, ops.Pad{}, ops.Permute{},
	ops.Reduce{}, ops.DynamicReshape{}, ops.Reshape{}, ops.RoIAlign{}, ops.Roll{}, ops.Slice{}, ops.Softmax{}, ops.Stack{}, ops.Unary{}, ops.Where{},
	ops.AddMM{}, ops.Attention{}, ops.ChannelShuffle{}, ops.Diagonal{}, ops.Einsum{}, ops.Fold{}, ops.Index{}, ops.IndexPut{}, ops.Interpolate{},
	ops.PadMode{}, ops.PixelShuffle{}, ops.ReshapeTo{}, ops.RNN{}, ops.Scatter{}, ops.SliceTo{}, ops.Sort{}, ops.Tile{}, ops.TopK{}, ops.Trilu{},
	ops.Unfold{}, ops.SlidingWindow{}, ops.ArgMax{}, ops.FFT{}, ops.RFFT{}, ops.STFT{}, ops.Full{}, ops.GridSample{},
	ops.Decompose{}, ops.Solve{}, ops.MatrixExp{},
}

// op returns the operator of a case.
func (c torchGradient) op(t *testing.T) ops.Op {
	t.Helper()
	for _, op := range differentiable {
		if reflect.TypeOf(op).Name() != c.Op {
			continue
		}
		v := reflect.New(reflect.TypeOf(op))
		if err := fixture.Decode(c.Attr, v.Interface()); err != nil {
			t.Fatalf("%s %s: %v", c.Op, c.Attr, err)
		}
		return v.Elem().Interface().(ops.Op)
	}
	t.Fatalf("no operator %q", c.Op)
	return nil
}

func readTorchGradients(t *testing.T) []torchGradient {
	t.Helper()
	return fixture.Read[torchGradient](t, "testdata/gradients.json.gz")
}

// TestGradientsAsPyTorch compares the gradients of every operator with those that
// PyTorch's autograd gives for the same random gradients of the outputs.
func TestGradientsAsPyTorch(t *testing.T) {
	for i, c := range readTorchGradients(t) {
		t.Run(fmt.Sprintf("%d/%s", i, c.Op), func(t *testing.T) { checkTorchGradient(t, c) })
	}
}

func checkTorchGradient(t *testing.T, c torchGradient) {
	op := c.op(t)
	g := graph.New()
	var nodeInputs, wrt []*graph.Value
	var values []*tensor.Tensor
	var want []*fixture.Tensor
	for i, f := range c.In {
		x := f.Tensor(t)
		if slices.Contains(c.Known, i) {
			nodeInputs = append(nodeInputs, g.Const("", x))
			continue
		}
		v := g.Input(fmt.Sprint(i), x.DType(), x.Shape()...)
		nodeInputs, values = append(nodeInputs, v), append(values, x)
		if x.DType() == tensor.Float32 {
			wrt, want = append(wrt, v), append(want, c.Grads[i])
		}
	}
	describe := fmt.Sprintf("%s %s %v", op.Name(), c.Attr, typesOf(nodeInputs))
	loss, err := weightedSum(g, op, nodeInputs, c.DOut, t)
	if err != nil {
		t.Fatalf("%s: %v", describe, err)
	}
	grads, err := g.Gradients(loss, wrt)
	if err != nil {
		t.Fatalf("%s: %v", describe, err)
	}
	if len(wrt) > 1 {
		// Each alone as well: an operator leaves out what is not wanted.
		for i, v := range wrt {
			alone, err := g.Gradients(loss, []*graph.Value{v})
			if err != nil {
				t.Fatalf("%s, input %d alone: %v", describe, i, err)
			}
			grads, want = append(grads, alone[0]), append(want, want[i])
		}
	}
	var outputs []*graph.Value
	var expected []*fixture.Tensor
	for i, d := range grads {
		if (d == nil) != (want[i] == nil) && !isZero(t, want[i]) {
			t.Fatalf("%s: PyTorch and octet disagree whether input %d has a gradient", describe, i)
		}
		if d != nil {
			outputs, expected = append(outputs, d), append(expected, want[i])
		}
	}
	if len(outputs) == 0 {
		return
	}
	g.SetOutputs(outputs...)
	tiers := []string{""} // the best
	if !testing.Short() {
		tiers = append(tiers, "generic")
	}
	for _, cpu := range tiers {
		s, err := g.Compile(graph.Options{Threads: 2, CPU: cpu})
		if err != nil {
			t.Fatalf("%s: %v", describe, err)
		}
		defer s.Close()
		out, err := s.Run(context.Background(), values...)
		if err != nil {
			t.Fatalf("%s: %v", describe, err)
		}
		for i, d := range out {
			fixture.CompareGradient(t, fmt.Sprintf("%s, gradient %d on %q", describe, i, cpu), d, expected[i].Tensor(t))
		}
	}
}

// weightedSum adds the operator and the sum of its outputs times the recorded gradients of them.
func weightedSum(g *graph.Graph, op ops.Op, in []*graph.Value, dout []*fixture.Tensor, t *testing.T) (*graph.Value, error) {
	outs, err := g.Add(graph.Scope{}, op, in...)
	if err != nil {
		return nil, err
	}
	var loss *graph.Value
	for i, d := range dout {
		if d == nil {
			continue
		}
		part, err := g.Add1(graph.Scope{}, ops.Binary{Fn: ops.Mul}, outs[i], g.Const("", d.Tensor(t)))
		if err != nil {
			return nil, err
		}
		if part, err = g.Add1(graph.Scope{}, ops.Reduce{Fn: ops.Sum}, part); err != nil {
			return nil, err
		}
		if loss != nil {
			if part, err = g.Add1(graph.Scope{}, ops.Binary{Fn: ops.Add}, loss, part); err != nil {
				return nil, err
			}
		}
		loss = part
	}
	return loss, nil
}

// isZero reports whether a recorded gradient is zero throughout, which octet may leave out.
func isZero(t *testing.T, f *fixture.Tensor) bool {
	t.Helper()
	if f == nil {
		return false
	}
	for _, v := range f.Tensor(t).Float32s() {
		if v != 0 {
			return false
		}
	}
	return true
}

//go:noinline
func typesOf(values []*graph.Value) []ops.Type {
	types := make([]ops.Type, len(values))
	for i, v := range values {
		types[i] = v.Type
	}
	return types
}
