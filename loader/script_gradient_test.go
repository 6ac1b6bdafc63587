//go:build !nopytorch

package loader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// withoutGradient are operators at which a gradient may end with an error: branches and loops that
// the run decides, and boxes of images.
var withoutGradient = []string{"if", "loop"}

// otherGradients are models whose gradients are not PyTorch's, and why.
var otherGradients = map[string]string{
	"a.scatter_reduce(1, b, c, 'amin', include_self=False)":   "what is replaced by infinity takes no share of the gradient",
	"torch.clamp(a, min=0)":                                   "a clamp at 0 is loaded as relu, whose gradient at 0 is 0",
	"a.clamp_min(0)":                                          "a clamp at 0 is loaded as relu, whose gradient at 0 is 0",
	"torch.ops.aten.native_layer_norm(a, [3], b, None, 1e-5)": "PyTorch leaves out that of the mean and of the deviation",
	"torch.normal(a, 0.5)":                                    "PyTorch's of a mean is 0",
	"torch.normal(1.5, a.abs())":                              "PyTorch's of a deviation is 0",
	"torch.normal(a, a.abs())":                                "PyTorch's of a mean is 0",
	"torch.sgn(a)":                                            "PyTorch's is not initialized",
	"a.max()":                                                 "the maximum is a NaN",
	"a.min()":                                                 "the minimum is a NaN",
	"torch.ops.torchvision.ps_roi_pool(a, b, 1.0, 1, 2)":      "torchvision's divides by the pixels of a bin that reaches one further than the one it averages",
	"a.cumprod(0)":                                            "a product of NaN and infinities",
	"b = a.detach(); b.zero_(); return a":                     "a write through a detached view counts as one",
	"torch.istft(torch.stft(a, 8, 2, window=b, return_complex=True), 8, 2, window=b)":                                              "the gradient of the window is what is left of sums that cancel",
	"torch.istft(torch.stft(a, 8, 2, 6, b[:6], return_complex=True, normalized=True), 8, 2, 6, b[:6], normalized=True, length=15)": "the gradient of the window is what is left of sums that cancel",
}

// TestScriptGradients compares the gradients of the inputs of models with PyTorch's: of
// operators that are made of others as much as of those that the graph has.
func TestScriptGradients(t *testing.T) {
	if testing.Short() {
		t.Skip("the gradients of single operators are compared in package graph")
	}
	compared, ended, shared := 0, 0, 0
	for _, path := range scriptFamilies(t) {
		family := strings.TrimSuffix(filepath.Base(path), ".json.gz")
		for i, c := range readScriptCases(t, path) {
			if len(c.Runs) == 0 || c.Runs[0].Grads == nil || otherGradients[c.What] != "" {
				continue
			}
			err := checkScriptGradients(t, &c)
			var at *graph.NodeError
			var refused *UnsupportedError
			switch {
			case err == nil:
				compared++
			case errors.As(err, &at) && slices.Contains(withoutGradient, at.Node.Op.Name()):
				ended++
			case errors.As(err, &refused) && family == "aliases":
				shared++ // the graph holds for one way, which only a run tells
			default:
				t.Errorf("%s/%d: %s: %v", family, i, c.What, err)
			}
		}
	}
	if compared < 1300 || ended > 41 || shared > 16 {
		t.Errorf("%d gradients were compared, %d ended at branches and loops, %d at memory that those share", compared, ended, shared)
	}
}

func checkScriptGradients(t *testing.T, c *scriptCase) error {
	data := c.archive(t)
	g, err := LoadFrom(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	run := c.Runs[0]
	in, types := make([]*tensor.Tensor, len(run.In)), make([]ops.Type, len(run.In))
	for i, x := range run.In {
		in[i] = x.tensor(t)
		types[i] = ops.TypeOf(in[i])
		if len(types[i].Shape) > 0 {
			types[i].Known = nil
		}
	}
	var expected []*tensor.Tensor
	gradients := func(g *graph.Graph) (*graph.Graph, error) {
		g = g.Clone()
		var err error
		expected, err = outputGradients(t, g, run, in)
		return g, err
	}
	if !slices.ContainsFunc(run.In, func(x scriptTensor) bool { return x.DType == "float32" }) {
		return nil
	}
	d, err := graph.Derive(g, gradients)
	if err != nil {
		return err
	}
	if _, err := d.Specialize(types...); err != nil || len(expected) == 0 {
		return err
	}
	s, err := d.Compile(graph.Options{Threads: 1})
	if err != nil {
		return err
	}
	defer s.Close()
	got, err := s.Run(context.Background(), in...)
	if err != nil {
		return err
	}
	for i, w := range expected {
		if why := differRelative(got[i], w); why != "" {
			return fmt.Errorf("gradient %d: %s", i, why)
		}
	}
	return nil
}

// outputGradients makes a graph one of the gradients of its float32 inputs, and returns what PyTorch gives.
func outputGradients(t *testing.T, g *graph.Graph, run scriptRun, in []*tensor.Tensor) ([]*tensor.Tensor, error) {
	var wrt []*graph.Value
	var want []*scriptTensor
	for i, d := range run.Grads {
		if in[i].DType() == tensor.Float32 {
			wrt, want = append(wrt, g.Inputs[i]), append(want, d)
		}
	}
	loss, err := outputLoss(g, len(run.Out))
	if err != nil {
		return nil, err
	}
	grads, err := g.Gradients(loss, wrt)
	if err != nil {
		return nil, err
	}
	var outputs []*graph.Value
	var expected []*tensor.Tensor
	for i, d := range grads {
		switch {
		case d != nil:
			none, err := tensor.New(tensor.Float32, d.Type.Shape...) // as PyTorch says it of an input that no output follows from
			if err != nil {
				return nil, err
			}
			if want[i] != nil {
				none = want[i].tensor(t)
			}
			outputs, expected = append(outputs, d), append(expected, none)
		case want[i] == nil:
		case slices.ContainsFunc(want[i].tensor(t).Float32s(), func(v float32) bool { return v != 0 }):
			return nil, fmt.Errorf("input %d has no gradient", i)
		}
	}
	if len(outputs) == 0 {
		return nil, nil
	}
	g.State = nil // what is kept between runs counts as an output no longer
	g.SetOutputs(outputs...)
	return expected, nil
}

// outputLoss adds up the first n outputs, of which a graph for other values may have fewer, times the weights that gradients of gen.py has.
func outputLoss(g *graph.Graph, n int) (loss *graph.Value, err error) {
	add := func(op ops.Op, in ...*graph.Value) (v *graph.Value) {
		if err == nil {
			v, err = g.Add1(graph.Scope{}, op, in...)
		}
		return v
	}
	for _, y := range slices.Clone(g.Outputs[:min(n, len(g.Outputs))]) {
		if y.Type.DType != tensor.Float32 {
			continue
		}
		w, err := tensor.New(tensor.Float32, y.Type.Shape...)
		if err != nil {
			return nil, err
		}
		for k := range w.Float32s() {
			w.Float32s()[k] = float32(k*7919%13-6) / 4
		}
		part := add(ops.Reduce{Fn: ops.Sum}, add(ops.Binary{Fn: ops.Mul}, y, g.Const("", w)))
		if loss != nil {
			part = add(ops.Binary{Fn: ops.Add}, loss, part)
		}
		loss = part
	}
	return loss, err
}

// differRelative is differ relative to the largest element: float32 with float32.
func differRelative(got, want *tensor.Tensor) string {
	largest := 0.0
	for _, v := range want.Float32s() {
		if a := math.Abs(float64(v)); !math.IsInf(a, 0) {
			largest = max(largest, a)
		}
	}
	return differ(got, want, 0, 2e-5*largest+1e-6)
}
