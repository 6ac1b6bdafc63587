package loader

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// TestRelationsStay saves a program whose inputs have extents in common, [s, 3w] and [2s, 3w], as an octet file: what is
// loaded from that refuses the same inputs, though no operator would.
func TestRelationsStay(t *testing.T) {
	g, err := Load(filepath.Join("testdata", "exported", "related.pt2"))
	if err != nil {
		t.Fatal(err)
	}
	in, _ := exportedInputs(t, g, filepath.Join("testdata", "exported", "related.0.npz"))
	runInOrder(t, g, in)
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := Save(path, g); err != nil {
		t.Fatal(err)
	}
	saved, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := saved.Compile(graph.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, c := range []struct {
		x, y   []int
		reason string
	}{
		{[]int{3, 6}, []int{6, 6}, ""},
		{[]int{2, 9}, []int{4, 9}, ""},
		{[]int{3, 6}, []int{5, 6}, "guard failed: extent 0 of y is 2*s"},
		{[]int{3, 6}, []int{7, 6}, "extent 0 of x is 3, extent 0 of y is 7"},
		{[]int{3, 6}, []int{6, 9}, "guard failed: extent 1 of y is 3*s"},
		{[]int{3, 7}, []int{6, 7}, "guard failed: extent 1 of x is 3*s"},
	} {
		x, y := must(tensor.New(tensor.Float32, c.x...)), must(tensor.New(tensor.Float32, c.y...))
		_, err := s.Run(context.Background(), x, y)
		var unfit *graph.InputError
		switch {
		case c.reason == "" && err != nil:
			t.Errorf("%v, %v: %v", c.x, c.y, err)
		case c.reason != "" && (!errors.As(err, &unfit) || !strings.Contains(err.Error(), c.reason)):
			t.Errorf("%v, %v: %v, want %q", c.x, c.y, err, c.reason)
		}
	}
}

// TestRelationsChecked rejects files whose guards are on inputs that there are not, or on numbers that overflow.
func TestRelationsChecked(t *testing.T) {
	for _, term := range []graph.RelationTerm{{Input: 2, Factor: 1}, {Input: -1, Factor: 1}, {Axis: 2, Factor: 1}, {Axis: -1, Factor: 1}, {Factor: 1 << 17}} {
		g, err := Load(filepath.Join("testdata", "exported", "related.pt2"))
		if err != nil {
			t.Fatal(err)
		}
		if g, err = g.Concrete(); err != nil {
			t.Fatal(err)
		}
		g.Inputs[1].Guard.Relations[0].Terms[0] = term
		model, tensors, err := encodeModel(g)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "model.safetensors")
		if err := WriteSafetensors(path, map[string]string{modelMetadata: model}, tensors); err != nil {
			t.Fatal(err)
		}
		var file *FileError
		if _, err := Load(path); !errors.As(err, &file) {
			t.Errorf("%+v: %v, want a *FileError", term, err)
		}
	}
}
