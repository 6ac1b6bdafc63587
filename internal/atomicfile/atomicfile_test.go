package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
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

// TestErrorsNamePath checks that what cannot be written is refused by Check as by Write, under the name that
// was given, and that a folder in its place stays.
func TestErrorsNamePath(t *testing.T) {
	if err := Write("", func(io.Writer) error { return nil }); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("without a name: %v", err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		want error
	}{
		{filepath.Join(dir, "absent", "a"), fs.ErrNotExist},
		{filepath.Join(file, "a"), syscall.ENOTDIR},
		{dir, ErrFolder},
		{file + "/", syscall.ENOTDIR},
		{filepath.Join(dir, "new") + "/", fs.ErrNotExist},
	} {
		for what, err := range map[string]error{
			"Check": Check(c.path),
			"Write": Write(c.path, func(io.Writer) error { return nil }),
		} {
			var path *fs.PathError
			if !errors.Is(err, c.want) || !errors.As(err, &path) || path.Path != c.path {
				t.Errorf("%s of %s gives %v, want %v", what, c.path, err, c.want)
			}
		}
	}
	if err := Check(filepath.Join(dir, "new")); err != nil {
		t.Error(err)
	}
	if err := Check(file); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v: %v", entries, err)
	}
}

// TestWriteErrorsNamePath takes the file away while it is written.
func TestWriteErrorsNamePath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	err := Write(path, func(w io.Writer) error {
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			return err
		}
		_, err := w.Write([]byte("a"))
		return err
	})
	var e *fs.PathError
	if !errors.As(err, &e) || e.Path != path || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
