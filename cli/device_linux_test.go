package cli

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// nullDevice returns a device that is not the system's own.
func nullDevice(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "null")
	if err := unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))); err != nil {
		t.Skip("no device can be made here: ", err)
	}
	return path
}
