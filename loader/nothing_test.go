package loader

import (
	"bytes"
	"path/filepath"
	"testing"
)

// TestNothing gives nothing where something is to be read or written.
func TestNothing(t *testing.T) {
	if _, err := LoadFrom(nil, 0); err == nil {
		t.Error("a model was loaded of nil")
	}
	if _, err := LoadFrom(bytes.NewReader(nil), -1); err == nil {
		t.Error("a model of -1 bytes was loaded")
	}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := Save(path, nil); err == nil {
		t.Error("nil was saved")
	}
	if _, err := Load(path, nil); err == nil {
		t.Error("a file that is not there was loaded")
	}
}
