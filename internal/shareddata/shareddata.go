// Package shareddata finds the larger models and data that some tests use and
// the project does not carry.
package shareddata

import (
	"os"
	"path/filepath"
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

// root returns the folder in OCTET_SHARED, else the one named shared beside that of the module, from anywhere in which tests run.
func root() string {
	if dir := os.Getenv("OCTET_SHARED"); dir != "" {
		return dir
	}
	const beside = "../shared"
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, beside)
		}
		dir = filepath.Dir(dir)
	}
	return beside
}
