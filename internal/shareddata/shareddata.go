// Package shareddata finds the larger models and data that some tests use and
// the project does not carry.
package shareddata

import (
	"os"
	"path/filepath"
	"testing"
)

// Without, as the value of OCTET_SHARED, leaves out the tests that need the data, with CI=true too.
const Without = "none"

// Path returns the path of a file below the folder of shared data, which the
// environment variable OCTET_SHARED names, by default `shared` beside the
// project. Where the file is absent the test is skipped, or fails when CI=true.
func Path(t testing.TB, elem ...string) string {
	t.Helper()
	name := filepath.Join(elem...)
	if os.Getenv("OCTET_SHARED") == Without {
		t.Skipf("left out, for OCTET_SHARED=%s: %s", Without, name) // .ci/run counts these
	}
	path := filepath.Join(root(), name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI requires the shared data, or OCTET_SHARED=%s: %v", Without, err)
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
