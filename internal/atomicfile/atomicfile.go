// Package atomicfile writes files that appear complete or not at all.
package atomicfile

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
)

// ErrFolder says that a path is that of a folder, which no file replaces.
var ErrFolder = errors.New("it is a folder: name a file")

// Write makes the file at path from what write produces: into a temporary file
// beside it, which is renamed over it once everything has reached the disk. When
// anything fails, path is as it was before and no temporary file stays; what a
// killed process has left of an earlier one is removed.
//
// Symbolic links are followed, and what they lead to is replaced. The new file has
// mode and owner of the old one, as far as the user may give them. Of a file with
// several hard links, only the name that is written gets the new contents. Devices,
// pipes and open descriptors, such as /dev/stdout, are written as they are; folders are refused.
// Errors name path, not the temporary file.
func Write(path string, write func(io.Writer) error) error {
	if path == "" {
		return errors.New("the name of the file to write is empty")
	}
	t, err := resolve(path)
	if err != nil {
		return err
	}
	if t.through() {
		return t.writeThrough(write)
	}
	return t.replace(write)
}

// Check returns the error that Write would give for a path whose folder is missing or closed to
// us, or that is a folder or a file we may not write: before what is to be written has been computed. It leaves nothing behind.
func Check(path string) error {
	t, err := resolve(path)
	if err != nil {
		return err
	}
	if t.through() {
		return t.named(nil, t.writable())
	}
	f, err := t.create()
	if err != nil {
		return err
	}
	return t.named(f, discard(f))
}

// replace writes a temporary file and renames it.
func (t *target) replace(write func(io.Writer) error) error {
	f, err := t.create()
	if err != nil {
		return err
	}
	if err := t.fill(f, write); err != nil {
		_ = discard(f)
		return t.named(f, err)
	}
	if err := publish(f, t.path); err != nil {
		_ = os.Remove(f.Name())
		return t.named(f, err)
	}
	return nil
}

// fill brings what write produces to the disk, in a file with owner and mode of the old one.
func (t *target) fill(f *os.File, write func(io.Writer) error) error {
	if err := buffered(writer{f, t}, write); err != nil {
		return err
	}
	if t.info != nil {
		keepOwner(f, t.info)
		if err := f.Chmod(t.info.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)); err != nil {
			return err
		}
	}
	return f.Sync()
}

// writeThrough writes to what is at the path, which stays.
func (t *target) writeThrough(write func(io.Writer) error) error {
	f, err := t.open()
	if err != nil {
		return t.named(nil, err)
	}
	err = buffered(writer{f, t}, write)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return t.named(f, err)
}

func buffered(w io.Writer, write func(io.Writer) error) error {
	buf := bufio.NewWriterSize(w, 1<<16)
	if err := write(buf); err != nil {
		return err
	}
	return buf.Flush()
}

// writer is a file whose errors name the path that was given.
type writer struct {
	*os.File
	t *target
}

func (w writer) Write(p []byte) (int, error) {
	n, err := w.File.Write(p)
	return n, w.t.named(w.File, err)
}

// named returns what the system says of the target, or of the file f that is written in its place, as what it says
// of the path that was given.
// It is not inlined, for the size of programs: docs/architecture.md.
//
//go:noinline
func (t *target) named(f *os.File, err error) error {
	switch e := err.(type) {
	case *fs.PathError:
		if e.Path == t.path || f != nil && e.Path == f.Name() {
			return &fs.PathError{Op: e.Op, Path: t.given, Err: e.Err}
		}
	case *os.LinkError:
		return &fs.PathError{Op: "write", Path: t.given, Err: e.Err}
	}
	return err
}
