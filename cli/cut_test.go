package cli

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/tensor"
)

// TestCutInUse cuts an octet file in place while a command has its model: without --mmap that changes nothing.
func TestCutInUse(t *testing.T) {
	a := newApp(io.Discard, io.Discard)
	g, err := a.openModel(t.Context(), digitsModel, source{arch: "digits"})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "digits.safetensors")
	if err := loader.Save(path, g); err != nil {
		t.Fatal(err)
	}
	x, err := tensor.New(tensor.Float32, g.Inputs[0].Type.Shape...)
	if err != nil {
		t.Fatal(err)
	}
	run := func(cut bool) []byte {
		g, err := a.openModel(t.Context(), path, source{})
		if err == nil && cut {
			err = os.Truncate(path, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
		s, err := g.Compile(a.options())
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		y, err := s.Run(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Clone(y[0].Bytes())
	}
	if whole, cut := run(false), run(true); !bytes.Equal(whole, cut) {
		t.Error("a model gives other numbers once its file is cut")
	}
}
