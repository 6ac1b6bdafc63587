package tensor

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/octet-ml/octet/internal/rawfile"
)

// ArrayFile is an open .npz or .npy file, of whose large arrays nothing is in memory.
type ArrayFile struct {
	// Arrays are in the order of the file. That of an .npy file has no name.
	Arrays []*FileArray

	path  string
	file  *rawfile.File
	spool *os.File // what was deflated, nil without
	used  int64    // bytes of spool
}

// FileArray is an array of an open file.
type FileArray struct {
	Name  string
	DType DType
	Shape Shape

	record string
	path   string
	whole  *Tensor // where it is in memory
	at     io.ReaderAt
	offset int64 // of the elements in at
	budget int64
}

// Sizes in bytes up to which an array is read when its file is opened.
const (
	inMemory         = 64 << 10
	deflatedInMemory = 1 << 20 // of one that else takes a temporary file
)

// OpenArrays opens the .npz or .npy file at path. It checks all that ReadNPZ does, checksums too, but keeps only small
// arrays, those in Fortran order and those whose element type is widened in memory. Arrays that are deflated are written to a temporary file. What is in memory
// at a time, and the temporary file, take at most budget bytes, DefaultBudget where that is 0 or less.
// It fails with a *FileError for what is rejected, and ends with ctx.
func OpenArrays(ctx context.Context, path string, budget int64) (*ArrayFile, error) {
	budget = budgetOf(budget)
	f, err := openRaw(ctx, path, budget)
	if err != nil {
		return nil, err
	}
	a := &ArrayFile{path: path, file: f}
	if err := a.open(max(budget-f.InMemory(), 1)); err != nil {
		if fe, ok := errors.AsType[*FileError](err); ok {
			fe.File = path
		}
		err = errors.Join(err, a.Close())
		if ended := ctx.Err(); ended != nil {
			return nil, ended
		}
		return nil, err
	}
	return a, nil
}

// Close closes the file.
func (a *ArrayFile) Close() error {
	err := a.file.Close()
	if a.spool != nil {
		err = errors.Join(err, a.spool.Close())
		os.Remove(a.spool.Name()) // it is gone already where open files can be removed
	}
	return err
}

func (a *ArrayFile) open(budget int64) error {
	head := make([]byte, len(npyMagic))
	if n, _ := a.file.ReadAt(head, 0); n == len(head) && string(head) == npyMagic {
		return a.add("", "", io.NewSectionReader(a.file, 0, a.file.Size), memberSize{a.file.Size, true}, 0, &budget)
	}
	z, err := openZip(a.file, a.file.Size)
	if err != nil {
		return err
	}
	return eachMember(z, func(name string, f *zip.File) error {
		r, size, err := openMember(f, a.file.Size)
		if err != nil {
			return err
		}
		offset := int64(-1)
		if size.exact {
			if offset, err = f.DataOffset(); err != nil {
				return err
			}
		}
		return a.add(name, f.Name, r, size, offset, &budget)
	})
}

// add takes in the array that r reads, which starts at offset in the file, or at none that is known where that is below 0.
func (a *ArrayFile) add(name, record string, r io.Reader, size memberSize, offset int64, budget *int64) error {
	head := &headReader{r: r}
	h, err := readNPYHeader(head)
	if err != nil {
		return err
	}
	n, err := h.shape.Numel()
	if err != nil {
		return &FileError{Reason: "bad npy header", Err: err}
	}
	bytes := int64(n) * int64(h.size)
	array := &FileArray{Name: name, DType: h.dtype, Shape: h.shape, record: record, path: a.path, at: a.file, offset: offset + h.length, budget: *budget}
	a.Arrays = append(a.Arrays, array)
	if bytes <= inMemory || offset < 0 && bytes <= deflatedInMemory || h.fortran && len(h.shape) > 1 || h.widened() {
		array.whole, bytes, err = readNPY(io.MultiReader(strings.NewReader(string(head.read)), r), *budget, size)
		*budget -= bytes
		return err
	}
	if offset < 0 && bytes > *budget {
		return &FileError{Err: &BudgetError{h.String(), bytes, *budget}}
	}
	if size.exact && size.bytes-h.length != bytes || bytes > size.bytes {
		return &FileError{Reason: fmt.Sprintf("%s takes %d bytes and the file has %d", h, bytes, size.bytes-h.length)}
	}
	to := io.Discard
	if offset < 0 {
		if err := a.openSpool(); err != nil {
			return err
		}
		array.at, array.offset = a.spool, a.used
		a.used += bytes
		*budget -= bytes
		to = a.spool
	}
	if _, err := io.CopyN(to, r, bytes); err != nil {
		return shortFile(err, fmt.Sprintf("%s takes %d bytes", h, bytes))
	}
	return expectEnd(r) // where a zip reader compares the checksum
}

func (a *ArrayFile) openSpool() (err error) {
	if a.spool != nil {
		return nil
	}
	if a.spool, err = os.CreateTemp("", "octet-arrays-*"); err == nil {
		os.Remove(a.spool.Name()) // where the system allows that; else Close does
	}
	return err
}

// headReader keeps what was read.
type headReader struct {
	r    io.Reader
	read []byte
}

func (h *headReader) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.read = append(h.read, p[:n]...)
	return n, err
}

// Whole reads the array. The tensor is the caller's.
func (f *FileArray) Whole() (*Tensor, error) {
	if f.whole != nil {
		return f.whole.Clone(), nil
	}
	return f.read(f.Shape, func(to []byte) error { return f.readAt(to, 0) })
}

// Rows reads the rows of the given indices along dimension 0, which the array must have, in their order. The tensor is the caller's.
func (f *FileArray) Rows(rows []int) (*Tensor, error) {
	shape := f.Shape.Clone()
	if len(shape) == 0 {
		return nil, fmt.Errorf("tensor: %v%v has no rows", f.DType, f.Shape)
	}
	n := shape[0]
	for _, k := range rows {
		if k < 0 || k >= n {
			return nil, fmt.Errorf("tensor: no row %d in %v%v", k, f.DType, f.Shape)
		}
	}
	shape[0] = len(rows)
	size := f.DType.Size()
	for _, e := range shape[1:] {
		size *= e
	}
	return f.read(shape, func(to []byte) error {
		for i := 0; i < len(rows); {
			run := 1
			for i+run < len(rows) && rows[i+run] == rows[i]+run {
				run++
			}
			part := to[i*size : (i+run)*size]
			if f.whole != nil {
				copy(part, f.whole.Bytes()[rows[i]*size:])
			} else if err := f.readAt(part, int64(rows[i])*int64(size)); err != nil {
				return err
			}
			i += run
		}
		return nil
	})
}

func (f *FileArray) read(shape Shape, fill func(to []byte) error) (*Tensor, error) {
	n, err := shape.Numel()
	if err != nil {
		return nil, err
	}
	if need := int64(n) * int64(f.DType.Size()); need > f.budget {
		return nil, &FileError{File: f.path, Record: f.record, Err: &BudgetError{fmt.Sprintf("%v%v", f.DType, shape), need, f.budget}}
	}
	t, err := New(f.DType, shape...)
	if err != nil {
		return nil, err
	}
	return t, fill(t.Bytes())
}

func (f *FileArray) readAt(to []byte, from int64) error {
	if n, err := f.at.ReadAt(to, f.offset+from); n < len(to) {
		err := shortFile(err, fmt.Sprintf("%v%v", f.DType, f.Shape))
		if fe, ok := errors.AsType[*FileError](err); ok {
			fe.File, fe.Record = f.path, f.record
		}
		return err
	}
	if f.DType == Bool {
		NormalizeBools(to)
	}
	return nil
}
