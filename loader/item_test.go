//go:build !nopytorch

package loader

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestSaveItem checks that a model whose extents follow from values is the same once it is saved and loaded.
func TestSaveItem(t *testing.T) {
	for _, c := range readScriptCases(t, "testdata/script/extents.json.gz") {
		if c.What != "experts" && c.What != "one after the other" && c.What != "a[a > 0].view(-1, 1).expand(-1, 3)" {
			continue
		}
		data := c.archive(t)
		g, err := LoadFrom(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Specialize(ops.Type{DType: tensor.Float32, Shape: c.Runs[0].In[0].Shape}); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "model.safetensors")
		if err := Save(path, g); err != nil {
			t.Fatalf("%s: %v", c.What, err)
		}
		if g, err = Load(path); err != nil {
			t.Fatalf("%s: %v", c.What, err)
		}
		s, err := g.Compile(graph.Options{Threads: 2})
		if err != nil {
			t.Fatalf("%s: %v", c.What, err)
		}
		defer s.Close()
		for _, r := range c.Runs {
			out, err := s.Run(context.Background(), r.In[0].tensor(t))
			if err != nil {
				t.Errorf("%s: %v", c.What, err)
				continue
			}
			for i, w := range r.Out {
				if why := differ(out[i], w.tensor(t), c.Tol, 0); why != "" {
					t.Errorf("%s: output %d: %s", c.What, i, why)
				}
			}
		}
	}
}
