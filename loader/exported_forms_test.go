//go:build !nopytorch

package loader

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
)

// quantizedForms are the programs that testdata/gen/pt2e_forms.py made: the int8 operators they
// run on, none of those that compute in float32 as the file says, and how far their results
// may be from PyTorch's, relative to the largest.
var quantizedForms = map[string]struct {
	int8      string
	tolerance float64
}{
	"bounds":              {"", 0},
	"branches":            {"if: int8.conv2d", 0},
	"dynamic_core":        {"int8.dynamic_linear", 0.01}, // a range for each row, not one for all
	"groups":              {"int8.linear", 1e-5},         // the weight with one group a row
	"per_token":           {"int8.dynamic_linear", 1e-5},
	"per_token_symmetric": {"", 1e-5},
	"reference":           {"", 1e-5},
	"static_core":         {"int8.conv2d int8.conv2d int8.add max_pool2d int8.adaptive_avg_pool2d reshape int8.linear", 0.01}, // a step of the last scale
	"symmetric":           {"", 1e-5},
	"tables":              {"embedding embedding embedding embedding embedding", 1e-6},
	"words":               {"embedding", 1e-6},
}

// TestQuantizedForms runs programs in the forms in which values are quantized, of PyTorch
// 2.6 and 2.14: per token, per group, symmetric, tables of embeddings, parameters that are
// tensors, inside of branches, decomposed, and as reference representation.
func TestQuantizedForms(t *testing.T) {
	files, err := filepath.Glob("testdata/quantized/*_2*.pt2")
	if err != nil || len(files) < len(quantizedForms) {
		t.Fatal(err, len(files))
	}
	for _, file := range files {
		name := filepath.Base(file)
		c, ok := quantizedForms[name[:strings.LastIndex(name, "_")]]
		if !ok {
			t.Errorf("%s is not listed", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			g := runRecorded(t, file, c.tolerance)
			d, err := DescribeExported(file)
			if err != nil || g == nil {
				t.Fatal(err)
			}
			var have []string
			for _, p := range d.Int8 {
				have = append(have, p.Op)
			}
			got := strings.Join(have, " ")
			for _, n := range g.Nodes {
				if _, ok := n.Op.(graph.If); ok {
					got = "if: " + got
				}
				if strings.HasPrefix(n.Op.Name(), "int8.") && !strings.Contains(got, n.Op.Name()) {
					t.Errorf("%s is not listed", n.Op.Name())
				}
			}
			if got != c.int8 {
				t.Errorf("runs on %q, want %q", got, c.int8)
			}
		})
	}
}
