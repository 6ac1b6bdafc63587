package train

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/octet-ml/octet/tensor"
)

// FuzzCheckpoint loads checkpoints whose state, or whose bytes, no trainer wrote. What is refused gives a *tensor.FileError and
// changes nothing.
func FuzzCheckpoint(f *testing.F) {
	_, tr := newTrainer(f, Options{Optimizer: Adam{LR: 0.01}})
	path := filepath.Join(f.TempDir(), "checkpoint.npz")
	if err := tr.Save(path, newSampler(f, 5)); err != nil {
		f.Fatal(err)
	}
	arrays, err := tensor.ReadNPZ(path, 0)
	if err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	state := arrays.Get(stateRecord).Uint8s()
	f.Add(whole, state)
	f.Add(whole[:len(whole)/2], bytes.Replace(state, []byte(`"next":0`), []byte(`"next":9`), 1))
	f.Add(bytes.Replace(whole, []byte("|u1"), []byte("}u1"), 1), []byte(`{"version":2,"steps":-1}`))
	f.Fuzz(func(t *testing.T, file, state []byte) {
		load := func(write func(path string) error) {
			path := filepath.Join(t.TempDir(), "checkpoint.npz")
			if err := write(path); err != nil {
				t.Fatal(err)
			}
			before, steps, s := values(tr.Parameters()), tr.Steps(), newSampler(t, 5)
			err := tr.Load(path, s)
			if err == nil {
				return
			}
			if rejected, ok := errors.AsType[*tensor.FileError](err); !ok || rejected.File != path {
				t.Errorf("untyped error %v", err)
			}
			if !bytes.Equal(before, values(tr.Parameters())) || steps != tr.Steps() || s.Epoch() != 0 {
				t.Errorf("%v, but something has changed", err)
			}
		}
		load(func(path string) error { return os.WriteFile(path, file, 0o600) })
		load(func(path string) error {
			changed := slices.Clone(arrays)
			text, err := tensor.FromSlice(state, len(state))
			changed[0].Tensor = text
			return errors.Join(err, tensor.WriteNPZ(path, changed))
		})
	})
}
