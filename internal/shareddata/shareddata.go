// Package shareddata finds the larger models and data that some tests use and
// the project does not carry.
package shareddata

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Path returns the path of a file below the folder of shared data, which the
// environment variable OCTET_SHARED names, by default `shared` beside the
// project. Where the file is absent the test is skipped, or fails when CI=true.
func Path(t testing.TB, elem ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{root()}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI requires the shared data: %v", err)
		}
		t.Skipf("no shared data (set OCTET_SHARED to its folder): %v", err)
	}
	return path
}

func root() string {
	if dir := os.Getenv("OCTET_SHARED"); dir != "" {
		return dir
	}
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..", "shared")
}
