package loader

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

func TestSHA256(t *testing.T) {
	text := strings.Repeat("conv1.weight\x80\xff", 30)
	for n := range len(text) {
		if got, want := sha256Hex(text[:n]), fmt.Sprintf("%x", sha256.Sum256([]byte(text[:n]))); got != want {
			t.Fatalf("%d bytes: %s, want %s", n, got, want)
		}
	}
}
