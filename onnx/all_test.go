package onnx

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/shareddata"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// TestAllPrograms exports what PyTorch exported: each program is written, or refused for an operator or for state.
func TestAllPrograms(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shareddata.Path(t, "pt2"), "*.pt2"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d programs, %v", len(files), err)
	}
	for _, file := range files {
		g, err := loader.Load(file)
		if err != nil {
			continue // of what is not read yet
		}
		if _, err := g.Concrete(); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		var unsupported *ops.UnsupportedError
		if err := Export(filepath.Join(t.TempDir(), "model.onnx"), g, "test"); err != nil && !errors.As(err, &unsupported) {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
	}
}

// TestWithoutInputs exports an operator that has no inputs, or refuses it.
func TestWithoutInputs(t *testing.T) {
	g := graph.New()
	x := g.Input("x", tensor.Float32, 3)
	y := must(g.Add1(graph.Scope{}, ops.Arange{End: 3, Step: 1, DType: tensor.Float32}))
	y.Type.Known = nil
	g.SetOutputs(must(g.Add1(graph.Scope{}, ops.Binary{Fn: ops.Add}, x, y)))
	var unsupported *ops.UnsupportedError
	if err := Export(filepath.Join(t.TempDir(), "model.onnx"), g, "test"); !errors.As(err, &unsupported) {
		t.Errorf("%v", err)
	}
}
