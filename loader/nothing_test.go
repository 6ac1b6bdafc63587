package loader_test

import (
	"strings"
	"testing"

	"github.com/octet-ml/octet/loader"
)

// TestNothingToRead refuses readers without a size, in words that do not show what they hold.
func TestNothingToRead(t *testing.T) {
	if _, err := loader.LoadFrom(nil, 1); err == nil {
		t.Error("no reader: no error")
	}
	if _, err := loader.LoadFrom(strings.NewReader("secret"), -1); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a size below 0: error %v", err)
	}
}
