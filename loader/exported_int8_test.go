package loader

import (
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/shareddata"
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
