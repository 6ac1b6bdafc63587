package loader

import (
	"fmt"
	"math"
	"os"

	"github.com/octet-ml/octet/tensor"
)

// readFile reads a whole file into memory, in place of mapping it.
func readFile(f *os.File, size int64) ([]byte, func() error, error) {
	if size > math.MaxInt-tensor.Alignment {
		return nil, nil, &FileError{Reason: fmt.Sprintf("%d bytes, more than the %d that can be addressed", size, math.MaxInt-tensor.Alignment)}
	}
	data := tensor.AlignedBytes(int(size))
	if err := readAt(f, data, 0); err != nil {
		return nil, nil, err
	}
	return data, func() error { return nil }, nil
}
