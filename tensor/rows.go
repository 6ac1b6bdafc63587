package tensor

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/octet-ml/octet/internal/atomicfile"
)

// RowWriter puts arrays together batch by batch, along their first dimension, without keeping them in memory: they lie in temporary files
// until they are written as one .npz file.
type RowWriter struct {
	arrays []*rows
}

// rows are those of one array so far.
type rows struct {
	name  string
	dtype DType
	shape Shape // of all
	file  *os.File
}

// Add adds rows to the arrays of the given names, the same in each call. The tensors must have the types and shapes of those before, but
// for the first dimension.
func (w *RowWriter) Add(names []string, batch []*Tensor) error {
	for i, t := range batch {
		if t.Rank() == 0 {
			return fmt.Errorf("tensor: %s is %v, which has no rows", names[i], t)
		}
		if i == len(w.arrays) {
			f, err := os.CreateTemp("", "octet-rows-*")
			if err != nil {
				return err
			}
			os.Remove(f.Name()) // where the system allows that; else Close does
			shape := t.Shape().Clone()
			shape[0] = 0
			w.arrays = append(w.arrays, &rows{names[i], t.DType(), shape, f})
		}
		r := w.arrays[i]
		if t.DType() != r.dtype || !t.Shape()[1:].Equal(r.shape[1:]) {
			return fmt.Errorf("tensor: %s is %v after %v%v", names[i], t, r.dtype, r.shape)
		}
		if _, err := r.file.Write(t.Contiguous().Bytes()); err != nil {
			return err
		}
		r.shape[0] += t.Dim(0)
	}
	return nil
}

// WriteNPZ writes the arrays to the .npz file at path, as the function of that name does.
func (w *RowWriter) WriteNPZ(path string) error {
	return atomicfile.Write(path, func(to io.Writer) error {
		z := zip.NewWriter(to)
		for _, r := range w.arrays {
			m, err := z.CreateHeader(&zip.FileHeader{Name: r.name + ".npy", Method: zip.Store})
			if err != nil {
				return err
			}
			header, err := encodeNPYHeader(r.dtype, r.shape)
			if err != nil {
				return err
			}
			if _, err := m.Write(header); err != nil {
				return err
			}
			if _, err := r.file.Seek(0, io.SeekStart); err != nil {
				return err
			}
			if _, err := io.Copy(m, r.file); err != nil {
				return err
			}
		}
		return z.Close()
	})
}

// Close removes the temporary files.
func (w *RowWriter) Close() error {
	var errs []error
	for _, r := range w.arrays {
		errs = append(errs, r.file.Close())
		os.Remove(r.file.Name())
	}
	return errors.Join(errs...)
}
