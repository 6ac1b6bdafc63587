//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
)

// lock fails: without locks, a temporary file that was left cannot be told from one in use, and stays.
func lock(*os.File) error { return errors.ErrUnsupported }

// publish closes a temporary file and renames it: an open one cannot be renamed everywhere.
func publish(f *os.File, path string) error {
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func keepOwner(*os.File, fs.FileInfo) {}

func links(fs.FileInfo) int { return 0 }

// writable says nothing: opening does.
func (t *target) writable() error { return nil }

func (t *target) open() (*os.File, error) { return os.OpenFile(t.path, os.O_WRONLY, 0) }
