package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/octet-ml/octet/examples/digits"
	"github.com/octet-ml/octet/loader"
)

func TestFit(t *testing.T) {
	var b strings.Builder
	out := filepath.Join(t.TempDir(), "digits.safetensors")
	if err := fit(&b, digits.Architecture(), "../digits/digits.pth", "../digits/calib.npz", "../digits/calib.npz", out, 16, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := loader.Load(out); err != nil || strings.Count(b.String(), "loss") != 2 {
		t.Errorf("printed\n%s\n%v", b.String(), err)
	}
}
