package main

import (
	"archive/zip"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestModule checks the files of a module proxy: the folder's own module alone, twice with the same bytes, and a list of both versions.
func TestModule(t *testing.T) {
	source, out := t.TempDir(), t.TempDir()
	for name, content := range map[string]string{
		"go.mod": "module example.com/Some/thing\n\ngo 1.26\n", "LICENSE": "none", "a/a.go": "package a", "a/testdata/x.bin": "x",
		"ignored": "y", ".gitignore": "ignored\n", "nested/go.mod": "module example.com/nested", "nested/b.go": "package b",
	} {
		path := filepath.Join(source, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if output, err := exec.Command("git", "init", "-q", source).CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, output)
	}
	var packed [][]byte
	for _, version := range []string{"v0.1.0", "v0.1.0", "v0.2.0"} {
		written, err := writeModule(source, out, version)
		if err != nil {
			t.Fatal(err)
		}
		if len(written) != 3 {
			t.Fatalf("written are %v", written)
		}
		content, err := os.ReadFile(filepath.Join(out, "example.com", "!some", "thing", "@v", version+".zip"))
		if err != nil {
			t.Fatal(err)
		}
		packed = append(packed, content)
	}
	if !bytes.Equal(packed[0], packed[1]) {
		t.Error("the second zip of the same files has other bytes")
	}
	r, err := zip.NewReader(bytes.NewReader(packed[0]), int64(len(packed[0])))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range r.File {
		got = append(got, strings.TrimPrefix(f.Name, "example.com/Some/thing@v0.1.0/"))
	}
	slices.Sort(got)
	if want := []string{".gitignore", "LICENSE", "a/a.go", "a/testdata/x.bin", "go.mod"}; !slices.Equal(got, want) {
		t.Errorf("the zip has %v, want %v", got, want)
	}
	list, err := os.ReadFile(filepath.Join(out, "example.com", "!some", "thing", "@v", "list"))
	if err != nil || string(list) != "v0.1.0\nv0.2.0\n" {
		t.Errorf("the list is %q, %v", list, err)
	}
	if _, err := writeModule(source, out, "0.3"); err == nil || !strings.Contains(err.Error(), "-version") {
		t.Errorf("a version that is none: %v", err)
	}
}
