//go:build !nopytorch

package loader_test

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// TestPT2ECIFAR runs ResNet-20 as PyTorch's PT2E flow quantized it for x86 and for XNNPACK:
// all layers in int8, with the file's parameters, and PyTorch's class on nearly all images.
func TestPT2ECIFAR(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole data set")
	}
	x, labels := images(t, "test.npz")
	for name, same := range map[string]int{"x86": 1012, "xnnpack": 1012} {
		file := filepath.Join("testdata", "quantized", "resnet20_"+name+".pt2")
		g, err := loader.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		recorded, err := tensor.ReadNPZ(strings.TrimSuffix(file, "pt2")+"npz", 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		have, want := classes(logits(t, g, graph.Options{}, x, 64), 10), classes(floats(t, recorded.Get("logits")), 10)
		t.Logf("%s: %d right, %d in PyTorch; %d of %d classes as there", name, count(have, labels), count(want, labels), count(have, want), len(want))
		if count(have, want) < same {
			t.Errorf("%s: %d of %d classes as in PyTorch, want %d", name, count(have, want), len(want), same)
		}
		c, err := g.Concrete()
		if err != nil {
			t.Fatal(err)
		}
		p := parametersOf(t, file)
		layers := 0
		for _, n := range c.Nodes {
			switch n.Op.(type) {
			case ops.Conv, ops.Linear, ops.MatMul:
				t.Errorf("%s: %s of %s computes in float32", name, n.Op.Name(), n.Scope.Path)
			}
			for _, v := range n.Outputs {
				if q := v.Type.Q; q != nil && !slices.ContainsFunc(p.values, q.Equal) {
					t.Errorf("%s: %s of %s has parameters that the file has not: %v", name, n.Op.Name(), n.Scope.Path, q)
				}
			}
			if op := n.Op.Name(); op == "int8.conv2d" || op == "int8.linear" {
				layers++
				if q := n.Inputs[1].Const.QParams(); !slices.ContainsFunc(p.scales, func(s []float32) bool { return slices.Equal(s, q.Scale) }) || slices.Max(q.ZeroPoint) != 0 {
					t.Errorf("%s: the weight of %s has scales that the file has not", name, n.Scope.Path)
				}
			}
		}
		if layers != 20 {
			t.Errorf("%s: %d layers in int8, want 20", name, layers)
		}
	}
}

// fileParameters are the scales and zero points in a quantized program's file.
type fileParameters struct {
	values []*tensor.QParams // of activations, as they are stored: in uint8
	scales [][]float32       // of weights
}

// parametersOf reads them out of a flat archive, without octet's reader of programs.
func parametersOf(t *testing.T, file string) fileParameters {
	t.Helper()
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	record := func(name string) []byte {
		r, err := z.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	var program struct {
		GraphModule struct {
			Graph struct {
				Nodes []struct {
					Target string
					Inputs []struct {
						Name string
						Arg  map[string]json.RawMessage
					}
				}
			}
		} `json:"graph_module"`
	}
	text := strings.NewReplacer(": Infinity", ": 0", ": -Infinity", ": 0").Replace(string(record("serialized_exported_program.json")))
	if err := json.Unmarshal([]byte(text), &program); err != nil {
		t.Fatal(err)
	}
	var p fileParameters
	for _, n := range program.GraphModule.Graph.Nodes {
		if n.Target != "torch.ops.quantized_decomposed.quantize_per_tensor.default" {
			continue
		}
		args := make(map[string]float64)
		for _, in := range n.Inputs {
			for _, raw := range in.Arg {
				var v float64
				if json.Unmarshal(raw, &v) == nil {
					args[in.Name] = v
				}
			}
		}
		shift := 0.0
		if args["dtype"] == 2 { // int8
			shift = 128
		}
		q := tensor.PerTensor(tensor.Uint8, float32(args["scale"]), int32(args["zero_point"]+shift))
		q.Min, q.Max = int32(args["quant_min"]+shift), int32(args["quant_max"]+shift)
		p.values = append(p.values, q)
	}
	weights := filepath.Join(t.TempDir(), "weights.pt")
	if err := os.WriteFile(weights, record("serialized_state_dict.pt"), 0o644); err != nil {
		t.Fatal(err)
	}
	sd, err := loader.StateDict(weights)
	if err != nil {
		t.Fatal(err)
	}
	for name, scales := range sd.All() {
		if strings.HasPrefix(name, "_scale") {
			p.scales = append(p.scales, floats(t, scales))
		}
	}
	if len(p.values) < 20 || len(p.scales) != 20 {
		t.Fatalf("%d parameters of values and %d of weights in the file", len(p.values), len(p.scales))
	}
	return p
}

// TestTracedPlan checks that a traced model takes the path of the same model built
// in Go: the passes leave the same operators, which run on the same kernels, in
// float32 and after Quantize.
func TestTracedPlan(t *testing.T) {
	sd, err := loader.StateDict(shareddata.Path(t, "data", "cifar10", "resnet20.th"))
	if err != nil {
		t.Fatal(err)
	}
	built, err := nn.Build(nn.ResNet20CIFAR(), sd)
	if err != nil {
		t.Fatal(err)
	}
	traced, err := loader.Load(shareddata.Path(t, "data", "cifar10", "resnet20.ts.pt"))
	if err != nil {
		t.Fatal(err)
	}
	samples, _ := images(t, "calib.npz")
	x, err := samples.Slice(0, 0, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	quantized := func(g *graph.Graph) *graph.Graph {
		q := quantize.New(quantize.Options{})
		calib, err := q.Calib(g)
		if err != nil {
			t.Fatal(err)
		}
		defer calib.Close()
		if _, err := calib.Run(context.Background(), x); err != nil {
			t.Fatal(err)
		}
		g, err = q.Quantize(g)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	for name, g := range map[string][2]*graph.Graph{"float32": {built, traced}, "int8": {quantized(built), quantized(traced)}} {
		t.Run(name, func(t *testing.T) {
			want, wantPlan := compiled(t, g[0], x)
			got, gotPlan := compiled(t, g[1], x)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("operators (-built +traced):\n%s", d)
			}
			if d := cmp.Diff(wantPlan, gotPlan); d != "" {
				t.Errorf("kernels (-built +traced):\n%s", d)
			}
			if len(want) < 20 || len(wantPlan) < 20 {
				t.Errorf("only %d operators and %d kernels", len(want), len(wantPlan))
			}
		})
	}
}

// compiled returns the operators that a model is compiled to, with their
// attributes, and the kernels that run them.
func compiled(t *testing.T, g *graph.Graph, x *tensor.Tensor) (operators, kernels []string) {
	t.Helper()
	if g.IsOpen() {
		var err error
		if g, err = g.Specialize(ops.TypeOf(x)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := g.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Run(context.Background(), x); err != nil {
		t.Fatal(err)
	}
	for _, n := range s.Graph().Nodes {
		switch n.Op.(type) {
		case ops.Flatten, ops.Reshape: // two names of a view, which takes no time
			operators = append(operators, fmt.Sprint("view of rank ", len(n.Outputs[0].Type.Shape)))
			continue
		}
		operators = append(operators, fmt.Sprintf("%T%+v", n.Op, n.Op))
	}
	return operators, strings.Split(s.Plan(), "\n")
}
