// Package container reads the zip archives that torch.save and torch.jit.save
// write, without trusting what they say about themselves.
package container

import (
	"archive/zip"
	"bytes"
	"cmp"
	"compress/flate"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/octet-ml/octet/internal/filekind"
	"github.com/octet-ml/octet/internal/nametable"
	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/tensor"
)

// PyTorch stores its records; a zip tool may have deflated them since. Weights
// hardly compress, so records that claim to expand more than this over the
// whole archive are not weights.
const (
	maxExpansion   = 64
	deflateAllowed = 1 << 20 // expansion that is let pass in any archive
)

// Archive is a zip file, whose records all lie in one folder at its top unless it is flat. Records may be many and small.
type Archive struct {
	file    io.ReaderAt
	root    string
	names   []string
	records []record // in the order of names
	index   *nametable.Table
}

// record is where a record lies in the file, and how.
type record struct {
	at, stored, size int64 // of the data, in the file and as read
	crc              uint32
	deflated         bool
}

// maxRecords keeps places within what a nametable.Table holds.
const maxRecords = 1 << 30

// IsZip reports whether a file that begins with head is a zip archive.
func IsZip(head []byte) bool {
	return strings.HasPrefix(string(head), "PK\x03\x04") || strings.HasPrefix(string(head), "PK\x05\x06")
}

// Open reads the directory of the archive in the first size bytes of r and
// checks it: names are plain, distinct and in one top folder; records lie inside
// the file and do not overlap; they are stored, or deflated within bounds. The
// records themselves are not read. Errors are *tensor.FileError.
func Open(r io.ReaderAt, size int64) (*Archive, error) { return OpenWithin(r, size, math.MaxInt64) }

// OpenWithin is Open of an archive whose records take at most so many bytes together.
func OpenWithin(r io.ReaderAt, size, budget int64) (*Archive, error) {
	return openWith(r, size, budget, splitName)
}

// OpenFlat is OpenWithin of an archive without a top folder, as torch.export.save wrote
// before PyTorch 2.8: the names of records are whole paths.
func OpenFlat(r io.ReaderAt, size, budget int64) (*Archive, error) {
	return openWith(r, size, budget, func(full string) (root, name string, err error) {
		if !isPlain(full) || full == "." || full == ".." || strings.HasPrefix(full, "../") {
			return "", "", reject(full, "not a plain record name")
		}
		return "", full, nil
	})
}

func openWith(r io.ReaderAt, size, budget int64, split func(string) (root, name string, err error)) (*Archive, error) {
	small := &window{r: r, size: size}
	entries, err := readDirectory(r, size)
	if errors.Is(err, zip.ErrFormat) { // the directory is at the end
		err = filekind.OfTruncated(err)
	}
	if err != nil {
		return nil, &tensor.FileError{Reason: "damaged zip archive", Err: err}
	}
	a := &Archive{file: small, index: nametable.New(len(entries)), names: make([]string, 0, len(entries)), records: make([]record, 0, len(entries))}
	spans := make([]span, 0, len(entries))
	directory, header := int64(endRecord), make([]byte, localHeader)
	var inflated, total uint64
	for i := range entries {
		f := &entries[i]
		directory += centralEntry + int64(len(f.name))
		if strings.HasSuffix(f.name, "/") && f.size == 0 {
			continue // folders, which zip tools add
		}
		root, name, err := split(f.name)
		if err != nil {
			return nil, foreign(entries, err)
		}
		if len(a.names) == 0 {
			a.root = root
		}
		switch {
		case root != a.root:
			return nil, reject(f.name, "outside the archive's folder %q", a.root)
		case a.index.Add(name, len(a.names), a.nameAt) != len(a.names):
			return nil, reject(f.name, "two records have this name")
		}
		at, err := checkRecord(small, header, f, size)
		if err != nil {
			return nil, err
		}
		spans = append(spans, span{at - localHeader - int64(len(f.name)), at + int64(f.stored), f.name})
		if f.method == zip.Deflate {
			if inflated += f.size; inflated > uint64(size)*maxExpansion+deflateAllowed {
				return nil, reject(f.name, "deflated records claim more than %d times the file's %d bytes", maxExpansion, size)
			}
		}
		if total += f.size; total > uint64(budget) {
			return nil, &tensor.FileError{Record: f.name, Err: &tensor.BudgetError{What: "the archive up to this record", Need: int64(min(total, math.MaxInt64)), Limit: budget}}
		}
		a.names = append(a.names, name)
		a.records = append(a.records, record{at, int64(f.stored), int64(f.size), f.crc, f.method == zip.Deflate})
	}
	if len(a.names) == 0 {
		return nil, &tensor.FileError{Reason: "zip archive without records"}
	}
	return a, checkOverlap(spans, size-directory)
}

// foreign returns what an archive is where that is known not to come from PyTorch, else err.
func foreign(entries []entry, err error) error {
	names := make([]string, len(entries))
	for i := range entries {
		names[i] = entries[i].name
	}
	switch e := filekind.OfRecords(names); e.Kind {
	case filekind.Arrays, filekind.Keras, filekind.Packed:
		return &tensor.FileError{Err: e}
	}
	return err
}

// span is where a record lies in the file, header included.
type span struct {
	start, end int64
	name       string
}

// isPlain reports whether a name is one path below the archive's top, in one spelling.
func isPlain(full string) bool {
	return utf8.ValidString(full) && !strings.ContainsAny(full, "\x00\\:") && full == path.Clean(full) && !strings.HasPrefix(full, "/")
}

func splitName(full string) (root, name string, err error) {
	if !isPlain(full) {
		return "", "", reject(full, "not a plain record name")
	}
	root, name, found := strings.Cut(full, "/")
	if !found || root == ".." {
		return "", "", reject(full, "not in a folder: a PyTorch archive has one folder at its top")
	}
	return root, name, nil
}

// checkRecord returns where the data of a record begins.
func checkRecord(r io.ReaderAt, header []byte, f *entry, size int64) (int64, error) {
	switch {
	case f.encrypted:
		return 0, reject(f.name, "encrypted")
	case f.method != zip.Store && f.method != zip.Deflate:
		return 0, reject(f.name, "compression method %d is not read: only stored and deflated records are", f.method)
	case f.method == zip.Store && f.stored != f.size:
		return 0, reject(f.name, "stored with two sizes, %d and %d", f.stored, f.size)
	}
	at, err := dataOffset(r, header, f, size)
	if err != nil {
		return 0, &tensor.FileError{Record: f.name, Reason: "no record at its place", Err: err}
	}
	if at < 0 || at > size || f.stored > uint64(size-at) {
		return 0, reject(f.name, "%d bytes at %d reach past the file's end at %d", f.stored, at, size)
	}
	return at, nil
}

// checkOverlap refuses records that share bytes, with each other or with the
// directory, which begins at limit at the latest.
func checkOverlap(spans []span, limit int64) error {
	sorting.Func(spans, func(a, b span) int {
		if a.start != b.start {
			return int(min(max(a.start-b.start, -1), 1))
		}
		return strings.Compare(a.name, b.name)
	})
	var end int64
	for _, s := range spans {
		if s.start < end {
			return reject(s.name, "overlaps another record")
		}
		end = s.end
	}
	if end > limit {
		return reject(spans[len(spans)-1].name, "overlaps the archive's directory")
	}
	return nil
}

// Root returns the name of the folder at the archive's top; PyTorch names it
// after the file.
func (a *Archive) Root() string { return a.root }

// Names returns the names of the records below the top folder, in the order of
// the archive. The caller must not change them.
func (a *Archive) Names() []string { return a.names }

func (a *Archive) nameAt(place int) string { return a.names[place] }

// Find returns the place of a record in the order of the archive, -1 when there is none of this name.
func (a *Archive) Find(name string) int { return a.index.Find(name, a.nameAt) }

// Has reports whether there is a record of this name.
func (a *Archive) Has(name string) bool { return a.Find(name) >= 0 }

// find returns the record of a name, nil when there is none.
func (a *Archive) find(name string) *record {
	if i := a.Find(name); i >= 0 {
		return &a.records[i]
	}
	return nil
}

// Size returns how many bytes a record has when read, -1 when there is none.
func (a *Archive) Size(name string) int64 { return a.SizeAt(a.Find(name)) }

// SizeAt is Size of the record at a place, -1 when that is.
func (a *Archive) SizeAt(place int) int64 {
	if place < 0 {
		return -1
	}
	return a.records[place].size
}

// Section returns a record as a file of its own, of as many bytes as it says. A
// stored record is read where it lies, and its checksum is not compared; of a
// deflated one at most limit bytes are read into memory.
func (a *Archive) Section(name string, limit int64) (io.ReaderAt, int64, error) {
	f := a.find(name)
	if f == nil || f.deflated {
		data, err := a.Read(name, limit)
		return bytes.NewReader(data), int64(len(data)), err
	}
	return io.NewSectionReader(a.file, f.at, f.size), f.size, nil
}

// Read returns a record's bytes in memory aligned for tensors, at most limit of
// them, and compares the checksum. A deflated record takes memory only as bytes
// come out. A record that is not there, longer than limit or damaged gives a
// *tensor.FileError.
func (a *Archive) Read(name string, limit int64) (data []byte, err error) {
	i := a.Find(name)
	if i < 0 {
		return nil, reject(name, "no such record in the archive")
	}
	return a.ReadAt(i, limit)
}

// ReadAt is Read of the record at a place.
func (a *Archive) ReadAt(place int, limit int64) (data []byte, err error) {
	name, f := a.names[place], &a.records[place]
	limit = min(limit, math.MaxInt-tensor.Alignment) // what can be addressed
	if f.size > limit {
		return nil, reject(name, "%d bytes, at most %d are read", f.size, limit)
	}
	if f.deflated {
		data, err = a.inflate(name, f)
		return data, f.check(name, data, err)
	}
	data = tensor.AlignedBytes(int(f.size)) // known to be present
	return data, a.readStored(name, f, data)
}

// ReadIntoAt is ReadAt of a record into memory of as many bytes as it has.
func (a *Archive) ReadIntoAt(place int, data []byte) error {
	name, f := a.names[place], &a.records[place]
	if !f.deflated {
		return a.readStored(name, f, data)
	}
	read, err := a.ReadAt(place, f.size)
	copy(data, read)
	return err
}

// readStored reads a record that is not deflated.
func (a *Archive) readStored(name string, f *record, data []byte) (err error) {
	if n, e := a.file.ReadAt(data, f.at); n < len(data) {
		err = cmp.Or(e, io.ErrUnexpectedEOF)
	}
	return f.check(name, data, err)
}

// check compares the checksum of a record that was read, or failed to be.
func (f *record) check(name string, data []byte, err error) error {
	if err == nil {
		if f.crc == 0 || crc32.ChecksumIEEE(data) == f.crc {
			return nil
		}
		err = zip.ErrChecksum
	}
	var fe *tensor.FileError
	if !errors.As(err, &fe) {
		err = &tensor.FileError{Record: name, Reason: "damaged record", Err: err}
	}
	return err
}

// inflate reads a deflated record.
func (a *Archive) inflate(name string, f *record) ([]byte, error) {
	r := flate.NewReader(io.NewSectionReader(a.file, f.at, f.stored))
	data, err := readGrowing(r, int(f.size))
	if err != nil {
		return nil, err
	}
	var one [1]byte
	switch _, end := io.ReadFull(r, one[:]); {
	case end == nil:
		return nil, reject(name, "longer than the %d bytes its entry says", f.size)
	case !errors.Is(end, io.EOF):
		return nil, end
	}
	return data, nil
}

// readGrowing reads exactly n bytes into aligned memory that never is much
// larger than what has arrived.
func readGrowing(r io.Reader, n int) ([]byte, error) {
	data := tensor.AlignedBytes(min(n, 1<<16))
	got := 0
	for {
		m, err := io.ReadFull(r, data[got:])
		if got += m; err != nil || got == n {
			return data, err
		}
		grown := tensor.AlignedBytes(min(n, 2*got))
		copy(grown, data)
		data = grown
	}
}

// It is not inlined, for the size of programs: docs/architecture.md.
//
//go:noinline
func reject(record, format string, args ...any) error {
	return &tensor.FileError{Record: record, Reason: fmt.Sprintf(format, args...)}
}
