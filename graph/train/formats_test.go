package train

import (
	"bytes"
	"errors"
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

var updateCheckpoint = flag.Bool("update-checkpoint", false, "write testdata/checkpoint-v2.npz anew, which no change of the format may do")

// TestCheckpointOfAllVersions goes on from a checkpoint of each version that was released or is written, and says of a newer one what to do.
func TestCheckpointOfAllVersions(t *testing.T) {
	const golden = "testdata/checkpoint-v2.npz"
	opts := Options{Optimizer: SGD{LR: 0.01, Momentum: 0.9}, Settings: map[string]string{"data": "a"}}
	if *updateCheckpoint {
		_, tr := newTrainer(t, opts)
		s := newSampler(t, 5)
		run(t, tr, s, 3)
		if err := tr.Save(golden, s); err != nil {
			t.Fatal(err)
		}
	}
	_, tr := newTrainer(t, opts)
	s := newSampler(t, 5)
	if err := tr.Load(golden, s); err != nil {
		t.Fatal(err)
	}
	if tr.Steps() != 3 || s.next != 3 {
		t.Errorf("step %d, batch %d", tr.Steps(), s.next)
	}
	arrays, err := tensor.ReadNPZ(golden, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range arrays {
		if a.Name == stateRecord {
			text := bytes.Replace(a.Tensor.Uint8s(), []byte(`"version":2`), []byte(`"version":3,"more":[1]`), 1)
			if arrays[i].Tensor, err = tensor.FromSlice(text, len(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "new.npz")
	if err := tensor.WriteNPZ(path, arrays); err != nil {
		t.Fatal(err)
	}
	err = tr.Load(path, s)
	if file, ok := errors.AsType[*tensor.FileError](err); !ok || file.File != path || !strings.Contains(err.Error(), "version 3 of the format, this is for version 2: use a newer octet") {
		t.Errorf("a newer version: %v", err)
	}
}
