package loader

import (
	"errors"
	"math"
	"os"
	"time"

	"github.com/octet-ml/octet/tensor"
)

// OnDemand reads constants from the file when they are first needed, and again when they are needed after a session has packed them for its
// kernels, which is when their memory is given back: weights are in memory once. The file stays open for as long as the model is in use.
// One that is replaced by another of its name keeps its content; where it is written to, reading fails with a *FileError, in Compile or
// in the first run with new shapes. Constants must not be written to.
//
// All of a pipe, of files that torch.save wrote before PyTorch 1.6, and small constants are read at once.
func OnDemand() Option { return func(f *modelFile) { f.onDemand = true } }

// RowsOnDemand is OnDemand that reads of large tables of embeddings, in octet's files and in safetensors, only the rows that a run takes, in each run: they are never in memory,
// which is most of the weights of small text models. A row takes two calls of the system. Where the file is written to, runs fail with a *FileError, too.
func RowsOnDemand() Option { return func(f *modelFile) { f.onDemand, f.rows = true, true } }

// ErrChanged is the Err of the *FileError of a file that was written to since a model was opened that reads it on demand.
var ErrChanged = errors.New("it has changed since it was opened: load the model again")

// leastOnDemand is the number of bytes from which on a constant is read on demand.
const leastOnDemand = 4 << 10

// leastRows is the number of bytes from which on RowsOnDemand reads rows of a table.
const leastRows = 1 << 20

// unchanged reads a file, as long as it is the one that was opened.
type unchanged struct {
	f       *os.File
	size    int64
	changed time.Time
	path    string
}

// watchFile returns a reader of the file that refuses once it was written to.
func watchFile(f *os.File, path string) (*unchanged, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return &unchanged{f, info.Size(), info.ModTime(), path}, nil
}

// check fails where the file was written to since it was opened.
func (u *unchanged) check() error {
	info, err := u.f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != u.size || !info.ModTime().Equal(u.changed) {
		return &FileError{File: u.path, Err: ErrChanged}
	}
	return nil
}

// onDemandStorage returns a storage of so many bytes that read writes when they are needed, nil where they are read at once.
func (f *modelFile) onDemandStorage(size int64, read func(dst []byte) error) *tensor.Storage {
	if f == nil || f.watched == nil || size < leastOnDemand || size > math.MaxInt-tensor.Alignment { // the last is refused when it is read at once
		return nil
	}
	return tensor.NewStorage(int(size), func(dst []byte) error {
		return f.ifUnchanged(func() error { return read(dst) })
	})
}

// ifUnchanged calls what reads the file, which must not have changed since it was opened.
func (f *modelFile) ifUnchanged(read func() error) error {
	if err := f.watched.check(); err != nil {
		return err
	}
	return inFile(read(), f.watched.path)
}

// entry returns the tensor of an entry of a safetensors file, whose tensors begin at start.
func (f *modelFile) entry(e safetensorsEntry, start int64) (Named, error) {
	read := func(dst []byte) error { return readAt(f.r, dst, start+e.begin) }
	checked := func(dst []byte) error {
		if err := read(dst); err != nil {
			return err
		}
		return e.check(dst)
	}
	if e.dtype != tensor.Bool && e.wide == nil {
		if s := f.onDemandStorage(e.end-e.begin, checked); s != nil {
			if f.rows && e.end-e.begin >= leastRows {
				s.InParts(func() error {
					return f.ifUnchanged(func() error { return e.checkAt(f.r, start+e.begin) })
				}, func(dst []byte, offset int) error {
					return f.ifUnchanged(func() error { return readAt(f.r, dst, start+e.begin+int64(offset)) })
				})
			}
			t, err := s.View(e.dtype, 0, e.shape, tensor.Shape(e.shape).Strides())
			return Named{Name: e.name, Tensor: t}, reject(e.name, err)
		}
	}
	data := tensor.AlignedBytes(int(e.end - e.begin))
	if err := read(data); err != nil {
		return Named{}, err
	}
	return e.over(data)
}
