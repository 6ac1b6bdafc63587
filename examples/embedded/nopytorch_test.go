//go:build nopytorch

package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/octet-ml/octet/loader"
)

// TestNoPyTorch refuses PyTorch's programs with advice, and reads weights that it saved.
func TestNoPyTorch(t *testing.T) {
	for _, path := range []string{"../../loader/testdata/both/mobilenet_v2.ts.pt", "../../loader/testdata/both/mobilenet_v2.pt2"} {
		_, err := loader.Load(path)
		if e, ok := errors.AsType[*loader.UnsupportedFileError](err); !ok || !strings.Contains(e.Advice, "nopytorch") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := loader.StateDict("../../digits/digits.pth"); err != nil {
		t.Error(err)
	}
}
