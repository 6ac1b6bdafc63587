// Package atomicfile writes files that appear complete or not at all.
package atomicfile

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrNotRegular says that a path is that of a folder, device or pipe, which renaming would replace or fail on.
var ErrNotRegular = errors.New("it exists and is no regular file")

// Write makes the file at path from what write produces: into a temporary file
// in the same folder, which is renamed over path once everything has reached
// the disk. When anything fails, path is as it was before and no temporary
// file stays. Errors name path, not the temporary file.
func Write(path string, write func(io.Writer) error) (err error) {
	f, err := create(path)
	if err != nil {
		return err
	}
	closed := false
	defer func() {
		if err != nil {
			if !closed {
				f.Close()
			}
			os.Remove(f.Name())
		}
		err = named(path, f, err)
	}()
	buf := bufio.NewWriterSize(writer{f, path}, 1<<16)
	if err := write(buf); err != nil {
		return err
	}
	if err := buf.Flush(); err != nil {
		return err
	}
	if err := f.Chmod(mode(path)); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	closed = true
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Check returns the error that Write would give for a path whose folder is missing or closed to
// us, or that is no regular file: before what is to be written has been computed. It leaves nothing behind.
func Check(path string) error {
	f, err := create(path)
	if err != nil {
		return err
	}
	err = f.Close()
	if removed := os.Remove(f.Name()); err == nil {
		err = removed
	}
	return named(path, f, err)
}

// create makes the temporary file.
func create(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "write", Path: path, Err: ErrNotRegular}
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	var e *fs.PathError
	if errors.As(err, &e) {
		err = &fs.PathError{Op: e.Op, Path: path, Err: e.Err}
	}
	return f, err
}

// writer is a file whose errors name path.
type writer struct {
	*os.File
	path string
}

func (w writer) Write(p []byte) (int, error) {
	n, err := w.File.Write(p)
	return n, named(w.path, w.File, err)
}

// named returns what the system says of the temporary file f as what it says of path.
func named(path string, f *os.File, err error) error {
	switch e := err.(type) {
	case *fs.PathError:
		if e.Path == f.Name() {
			return &fs.PathError{Op: e.Op, Path: path, Err: e.Err}
		}
	case *os.LinkError:
		return &fs.PathError{Op: "write", Path: path, Err: e.Err}
	}
	return err
}

// mode is that of the file being replaced; a temporary file is private, which
// a new result should not be.
func mode(path string) os.FileMode {
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		return info.Mode().Perm()
	}
	return 0o644
}
