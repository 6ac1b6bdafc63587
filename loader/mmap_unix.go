//go:build linux || darwin || freebsd || netbsd || openbsd

package loader

import (
	"math"
	"os"

	"github.com/octet-ml/octet/tensor"
	"golang.org/x/sys/unix"
)

// mapFile maps a file into memory, privately: what is written to the memory
// stays there.
func mapFile(f *os.File, size int64) ([]byte, func() error, error) {
	if size == 0 || size > math.MaxInt-tensor.Alignment {
		return readFile(f, size)
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
	if err != nil { // file systems without mapping
		return readFile(f, size)
	}
	return data, func() error { return unix.Munmap(data) }, nil
}
