package tensor

import (
	"archive/zip"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/octet-ml/octet/internal/atomicfile"
	"github.com/octet-ml/octet/internal/filekind"
	"github.com/octet-ml/octet/internal/rawfile"
)

// DefaultBudget bounds, in bytes, what the arrays of one file may take together
// where the caller names no bound.
const DefaultBudget = 4 << 30

// Named is a tensor with the name it has in a file.
type Named struct {
	Name   string
	Tensor *Tensor
}

// Arrays are the tensors of a file, in its order.
type Arrays []Named

// Get returns the tensor with the given name, nil when there is none.
func (a Arrays) Get(name string) *Tensor {
	for _, e := range a {
		if e.Name == name {
			return e.Tensor
		}
	}
	return nil
}

// Names returns the names, in the order of the file.
func (a Arrays) Names() []string {
	names := make([]string, len(a))
	for i, e := range a {
		names[i] = e.Name
	}
	return names
}

// ReadNPZ reads all arrays of the .npz file at path, stored or deflated, by
// their names without ".npy". They may take at most budget bytes together,
// DefaultBudget where that is 0 or less. What ReadNPY rejects is rejected here,
// with a *FileError that names the file and the array. A pipe is read into memory first.
func ReadNPZ(path string, budget int64) (Arrays, error) {
	return ReadNPZContext(context.Background(), path, budget)
}

// ReadNPZContext is ReadNPZ that ends with ctx.
func ReadNPZContext(ctx context.Context, path string, budget int64) (Arrays, error) {
	budget = budgetOf(budget)
	f, err := openRaw(ctx, path, budget)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	arrays, err := ReadNPZFrom(f, f.Size, max(budget-f.InMemory(), 1))
	if ended := ctx.Err(); ended != nil {
		return nil, ended
	}
	if fe, ok := errors.AsType[*FileError](err); ok {
		fe.File = path
	}
	return arrays, err
}

// openRaw opens the file at path; what a pipe gives is in memory.
func openRaw(ctx context.Context, path string, budget int64) (*rawfile.File, error) {
	f, err := rawfile.Open(ctx, path, budget)
	switch {
	case is[*rawfile.TooLargeError](err):
		return nil, &FileError{File: path, Err: &BudgetError{"what the pipe gives", budget + 1, budget}}
	case errors.Is(err, rawfile.ErrFolder):
		return nil, &FileError{File: path, Reason: "a folder, not an npz file"}
	}
	return f, err
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// ReadNPZFrom is ReadNPZ of size bytes of r.
func ReadNPZFrom(r io.ReaderAt, size, budget int64) (Arrays, error) {
	z, err := openZip(r, size)
	if err != nil {
		return nil, err
	}
	budget = budgetOf(budget)
	arrays := make(Arrays, 0, len(z.File))
	err = eachMember(z, func(name string, f *zip.File) error {
		t, n, err := readMember(f, size, budget)
		if err == nil {
			budget -= n
			arrays = append(arrays, Named{name, t})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return arrays, nil
}

// openZip reads the list of members.
func openZip(r io.ReaderAt, size int64) (*zip.Reader, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, &FileError{Reason: "not an npz file", Err: otherKind(r, size, err)}
	}
	return z, nil
}

// eachMember calls do with the members and the names of their arrays, and makes its error one of the member.
func eachMember(z *zip.Reader, do func(name string, f *zip.File) error) error {
	seen := make(map[string]bool, len(z.File))
	for _, f := range z.File {
		name, isArray := strings.CutSuffix(f.Name, ".npy")
		if !isArray {
			if e := filekind.OfRecords(memberNames(z)); e.Kind != filekind.Arrays && e.Kind != filekind.OtherZip {
				return &FileError{Reason: "not an npz file", Err: e.Instead(filekind.OfData)}
			}
			return &FileError{Record: f.Name, Reason: "not an array: an npz file holds .npy members only"}
		}
		if seen[name] {
			return &FileError{Record: f.Name, Reason: "two arrays have this name"}
		}
		seen[name] = true
		err := do(name, f)
		if fe, ok := errors.AsType[*FileError](err); ok {
			return &FileError{Record: f.Name, Reason: fe.Reason, Err: fe.Err}
		}
		if err != nil {
			return &FileError{Record: f.Name, Err: err}
		}
	}
	return nil
}

// otherKind returns what a file is that is no zip archive, err where that is not known.
func otherKind(r io.ReaderAt, size int64, err error) error {
	head := make([]byte, min(size, 512))
	if n, _ := r.ReadAt(head, 0); n < len(head) {
		return err
	}
	switch e := filekind.Of(head, size); e.Kind {
	case filekind.Arrays, filekind.Image: // which data may be, under the name of such a file
		return e
	case filekind.OtherZip:
		return filekind.OfTruncated(err)
	default:
		return e.Instead(filekind.OfData)
	}
}

func memberNames(z *zip.Reader) []string {
	names := make([]string, len(z.File))
	for i, f := range z.File {
		names[i] = f.Name
	}
	return names
}

// maxDeflate is how many bytes one of a deflated stream can become: 258 by each two bits.
const maxDeflate = 1032

func readMember(f *zip.File, size, budget int64) (*Tensor, int64, error) {
	r, bytes, err := openMember(f, size)
	if err != nil {
		return nil, 0, err
	}
	return readNPY(r, budget, bytes)
}

// openMember opens a member of an archive of size bytes, and says how many bytes it has.
func openMember(f *zip.File, size int64) (io.Reader, memberSize, error) {
	if f.Flags&1 != 0 {
		return nil, memberSize{}, &FileError{Reason: "encrypted"}
	}
	at, err := f.DataOffset()
	if err != nil {
		return nil, memberSize{}, err
	}
	if at > size || f.CompressedSize64 > uint64(size-at) {
		return nil, memberSize{}, &FileError{Reason: "the file ends before the array does"}
	}
	// Stored bytes are known to be there. Of deflated ones the sizes are a claim, but there is a most that they can become.
	bytes := memberSize{int64(f.CompressedSize64) * maxDeflate, false}
	switch {
	case f.Method == zip.Store && f.UncompressedSize64 != f.CompressedSize64:
		return nil, memberSize{}, &FileError{Reason: fmt.Sprintf("stored with two sizes, %d and %d", f.CompressedSize64, f.UncompressedSize64)}
	case f.Method == zip.Store:
		bytes = memberSize{int64(f.UncompressedSize64), true}
	case f.CompressedSize64 > math.MaxInt64/maxDeflate:
		return nil, memberSize{}, &FileError{Reason: fmt.Sprintf("deflated to %d bytes", f.CompressedSize64)}
	}
	r, err := f.OpenRaw()
	switch {
	case err != nil:
		return nil, memberSize{}, err
	case f.Method == zip.Deflate:
		r = flate.NewReader(r)
	case f.Method != zip.Store:
		return nil, memberSize{}, zip.ErrAlgorithm
	}
	return &memberReader{r: r, left: f.UncompressedSize64, want: f.CRC32}, bytes, nil
}

// memberReader reads a member and compares its size and sum at the end. That of zip.File refers to the whole archive,
// whose methods would then be linked as those of an fs.FS.
type memberReader struct {
	r         io.Reader
	left      uint64
	sum, want uint32
}

func (m *memberReader) Read(b []byte) (int, error) {
	n, err := m.r.Read(b)
	if uint64(n) > m.left {
		return 0, zip.ErrFormat
	}
	m.left -= uint64(n)
	m.sum = crc32.Update(m.sum, crc32.IEEETable, b[:n])
	switch {
	case err == io.EOF && m.left > 0:
		return n, io.ErrUnexpectedEOF
	case err == io.EOF && m.want != 0 && m.sum != m.want: // 0: none was written
		return n, zip.ErrChecksum
	}
	return n, err
}

// WriteNPZ writes the arrays, in the given order, to the .npz file at path:
// stored, so that equal arrays make equal files. The file appears complete or
// not at all. Names must be distinct and are given without ".npy".
func WriteNPZ(path string, arrays []Named) error {
	seen := make(map[string]bool, len(arrays))
	for _, a := range arrays {
		switch {
		case a.Name == "" || !utf8.ValidString(a.Name) || len(a.Name) > math.MaxUint16-len(".npy"):
			return fmt.Errorf("tensor: %q cannot name an array", clip([]byte(a.Name)))
		case seen[a.Name]:
			return fmt.Errorf("tensor: two arrays are named %q", a.Name)
		case a.Tensor == nil:
			return fmt.Errorf("tensor: array %q is nil", a.Name)
		}
		seen[a.Name] = true
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		z := zip.NewWriter(w)
		for _, a := range arrays {
			m, err := z.CreateHeader(&zip.FileHeader{Name: a.Name + ".npy", Method: zip.Store})
			if err != nil {
				return err
			}
			if err := WriteNPY(m, a.Tensor); err != nil {
				return fmt.Errorf("array %q: %w", a.Name, err)
			}
		}
		return z.Close()
	})
}

func budgetOf(budget int64) int64 {
	if budget <= 0 {
		return DefaultBudget
	}
	return min(budget, math.MaxInt-Alignment) // what can be addressed
}
