package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestCorruptState reads states of calibrations of which something has changed: the file is rejected, whatever that is.
func TestCorruptState(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good"), filepath.Join(dir, "bad")
	octet(t, exitOK, "quantize", digitsModel, "--arch", "digits", "--calib", digitsCalib, "--save-state", good)
	state, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for was, is := range map[string]string{
		`"native"`: `"nonesuch"`, `"mse"`: `"nonesuch"`, `"batches":4`: `"batches":-1`, `"version"`: `"verzion"`, `"uint8"`: `"int64"`, `}`: ``,
	} {
		changed := bytes.ReplaceAll(state, []byte(was), []byte(is))
		if bytes.Equal(changed, state) {
			t.Fatalf("the state has no %s", was)
		}
		if err := os.WriteFile(bad, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		octet(t, exitFile, "quantize", digitsModel, "--arch", "digits", "--state", bad, "--calib", digitsCalib, "-o", filepath.Join(dir, "out"))
		octet(t, exitFile, "quantize", "merge", bad, good, "-o", filepath.Join(dir, "out"))
	}
}
