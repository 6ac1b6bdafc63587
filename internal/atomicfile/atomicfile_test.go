package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.bin")
	put := func(s string, fail error) error {
		return Write(path, func(w io.Writer) error {
			if _, err := io.WriteString(w, s); err != nil {
				return err
			}
			return fail
		})
	}
	check := func(want string) {
		t.Helper()
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Fatalf("file holds %q (%v), want %q", got, err, want)
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 {
			t.Fatalf("folder holds %v (%v), want one file", entries, err)
		}
	}
	if err := put("first", nil); err != nil {
		t.Fatal(err)
	}
	check("first")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("new file has mode %v (%v), want 0644", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := put("second", nil); err != nil {
		t.Fatal(err)
	}
	check("second")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("replaced file has mode %v (%v), want 0600", info.Mode(), err)
	}
	failure := errors.New("no more")
	if err := put("third", failure); !errors.Is(err, failure) {
		t.Errorf("got error %v, want %v", err, failure)
	}
	check("second")
	if err := Write(filepath.Join(dir, "absent", "a"), func(io.Writer) error { return nil }); err == nil {
		t.Error("writing into a folder that does not exist succeeded")
	}
}
