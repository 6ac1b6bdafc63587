package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/digits"
)

func TestConvert(t *testing.T) {
	var b strings.Builder
	out := filepath.Join(t.TempDir(), "digits.safetensors")
	if err := convert(&b, digits.Architecture(), "../../digits/digits.pth", "../../digits/calib.npz", "../../digits/test.npz", out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 2 || lines[0] != "float32: 507 of 512 right" || !strings.HasPrefix(lines[1], "int8: 50") {
		t.Errorf("printed\n%s", b.String())
	}
}
