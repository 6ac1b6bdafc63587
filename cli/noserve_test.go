//go:build noserve

package cli

import (
	"strings"
	"testing"
)

// TestNoServe asks a build without serving for what it lacks: it says how to build what has it, whatever the flags are. All else it does.
func TestNoServe(t *testing.T) {
	for _, args := range [][]string{
		{"serve"},
		{"serve", "--addr", "127.0.0.1:0", "model.pt2"},
		{"bench", "--url", "http://127.0.0.1:1"},
		{"bench", "--url=http://127.0.0.1:1", "--clients", "4", "--json-tensors", "net"},
		{"bench", "--rate", "100", "net"},
	} {
		_, stderr := octet(t, exitUsage, args...)
		if !strings.Contains(stderr, "tag noserve") || !strings.Contains(stderr, "go run ./internal/release -local") {
			t.Errorf("%q:\n%s", args, stderr)
		}
	}
	octet(t, exitOK, "inspect", digitsModel, "--arch", "digits")
}
