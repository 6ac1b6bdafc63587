//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package loader

import "os"

// mapFile reads the file, where it cannot be mapped.
func mapFile(f *os.File, size int64) ([]byte, func() error, error) { return readFile(f, size) }
