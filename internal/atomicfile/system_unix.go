//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// lock takes the lock of a file without waiting. It ends when the file is closed, by whatever cause.
func lock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return errHeld
		default:
			return err // nil, or a file system without locks
		}
	}
}

// publish renames a temporary file and closes it: in this order, so that it has the lock as long as it is temporary.
func publish(f *os.File, path string) error {
	renamed := os.Rename(f.Name(), path)
	closed := f.Close()
	if renamed != nil {
		return renamed
	}
	return closed
}

// keepOwner gives a file the owner and group of the one it replaces, or the group alone, as far as the user may.
func keepOwner(f *os.File, old fs.FileInfo) {
	s, ok := old.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	if f.Chown(int(s.Uid), int(s.Gid)) != nil {
		_ = f.Chown(-1, int(s.Gid))
	}
}

func links(info fs.FileInfo) int {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(s.Nlink)
	}
	return 0
}

// writable returns why the user may not write what is at the path.
func (t *target) writable() error {
	if t.fd >= 0 {
		return nil
	}
	if err := unix.Access(t.path, unix.W_OK); err != nil {
		return &fs.PathError{Op: "write", Path: t.path, Err: err}
	}
	return nil
}

// open opens what is written as it is. A descriptor of this process is shared, with its place in the file.
func (t *target) open() (*os.File, error) {
	if t.fd < 0 {
		return os.OpenFile(t.path, os.O_WRONLY, 0)
	}
	fd, err := unix.FcntlInt(uintptr(t.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "write", Path: t.path, Err: err}
	}
	return os.NewFile(uintptr(fd), t.path), nil
}
