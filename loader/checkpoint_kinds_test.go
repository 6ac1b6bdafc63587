package loader

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// TestCheckpointKinds reads checkpoints of training programs: what is the state_dict, which keys an error names.
func TestCheckpointKinds(t *testing.T) {
	dir := filepath.Join("testdata", "checkpoints")
	var wants []struct {
		File, Key, Reason string
		Keys              []string
		Tensors           map[string][]float32
	}
	if err := json.Unmarshal(must(os.ReadFile(filepath.Join(dir, "want.json"))), &wants); err != nil || len(wants) < 30 {
		t.Fatalf("%d cases, %v", len(wants), err)
	}
	for _, c := range wants {
		w, err := StateDict(filepath.Join(dir, c.File), Key(c.Key))
		var ke *KeyError
		switch {
		case c.Keys != nil:
			if !isFileError(err, "") || !errors.As(err, &ke) || !slices.Equal(ke.Keys, c.Keys) {
				t.Errorf("%s %q: %v, want an error that names %q", c.File, c.Key, err, c.Keys)
			}
			continue
		case c.Reason != "":
			if !isFileError(err, c.Reason) {
				t.Errorf("%s: %v, want %q", c.File, err, c.Reason)
			}
			continue
		case err != nil:
			t.Errorf("%s %q: %v", c.File, c.Key, err)
			continue
		}
		if w.Len() != len(c.Tensors) {
			t.Errorf("%s %q: tensors %v", c.File, c.Key, w.Names())
		}
		for name, values := range c.Tensors {
			got := w.Get(name)
			if got == nil {
				t.Errorf("%s %q: no tensor %s among %v", c.File, c.Key, name, w.Names())
			} else if f := must(got.To(tensor.Float32)).Contiguous().Float32s(); !slices.Equal(f, values) {
				t.Errorf("%s %q: %s is %v, want %v", c.File, c.Key, name, f, values)
			}
		}
	}
}
