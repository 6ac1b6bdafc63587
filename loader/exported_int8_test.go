//go:build !nopytorch

package loader

import (
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/tensor"
)

// quantizedProgram returns the graph of a program that PyTorch's PT2E flow quantized.
func quantizedProgram(t *testing.T, name string) *graph.Graph {
	t.Helper()
	g, err := Load(shareddata.Path(t, "pt2", name+".pt2"))
	if err != nil {
		t.Fatal(err)
	}
	if g, err = g.Concrete(); err != nil {
		t.Fatal(err)
	}
	return g
}

// TestQuantizedProgramOperators compares the operators of quantized programs with those
// that they should run on.
func TestQuantizedProgramOperators(t *testing.T) {
	for name, want := range map[string]string{
		"pt2e_x86_26":     "quantize int8.conv2d int8.conv2d max_pool2d int8.adaptive_avg_pool2d flatten int8.linear",
		"pt2e_xnnpack_26": "quantize int8.conv2d int8.conv2d int8.add max_pool2d int8.adaptive_avg_pool2d flatten int8.linear dequantize",
		"pt2e_dynamic_26": "int8.dynamic_linear gelu int8.dynamic_linear",
	} {
		var have []string
		for _, n := range quantizedProgram(t, name).Nodes {
			have = append(have, n.Op.Name())
		}
		if got := strings.Join(have, " "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestDescribeQuantizedProgram checks that a description says what int8 operators stand for.
func TestDescribeQuantizedProgram(t *testing.T) {
	d, err := DescribeExported(shareddata.Path(t, "pt2", "pt2e_x86_26.pt2"))
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, p := range d.Int8 {
		have = append(have, p.Module+" "+p.Op+": "+p.Nodes)
	}
	for i, want := range []string{
		"c1 int8.conv2d: dequantize, conv2d, relu, quantize", "c2 int8.conv2d: dequantize, conv2d, add, relu, quantize",
	} {
		if len(have) <= i || have[i] != want {
			t.Errorf("%q, want %q", have, want)
		}
	}
}

// TestQuantizedProgramParameters compares scales and zero points with the file's, bit for bit:
// those of int8 are stored in uint8, 128 higher.
func TestQuantizedProgramParameters(t *testing.T) {
	var q *tensor.QParams
	for _, n := range quantizedProgram(t, "pt2e_xnnpack_26").Nodes {
		if n.Op.Name() == "int8.add" {
			q = n.Outputs[0].Type.Q
		}
	}
	if q == nil || q.Scale[0] != float32(0.010074558667838573) || q.ZeroPoint[0] != 0 || q.Min != 0 || q.Max != 255 {
		t.Errorf("the sum has %v", q)
	}
}
