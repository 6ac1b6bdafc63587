package loader

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"github.com/octet-ml/octet/internal/sorting"
	"github.com/octet-ml/octet/loader/internal/container"
	"github.com/octet-ml/octet/tensor"
)

// A safetensors file is the length of a header in 8 bytes, the header (a JSON
// object of tensors by name, padded with spaces), and the tensors' bytes without
// gaps.
const (
	maxSafetensorsHeader = 100 << 20 // the format's own limit
	safetensorsMetadata  = "__metadata__"
	maxName              = 4 << 10 // bytes of the name of a tensor or field, in any format
)

var safetensorsDTypes = []struct {
	name  string
	dtype tensor.DType
	wide  *container.Wide // where that only holds the values
}{
	{"F64", tensor.Float64, nil}, {"F32", tensor.Float32, nil}, {"F16", tensor.Float16, nil}, {"BF16", tensor.BFloat16, nil},
	{"I64", tensor.Int64, nil}, {"I32", tensor.Int32, nil}, {"I8", tensor.Int8, nil}, {"U8", tensor.Uint8, nil}, {"BOOL", tensor.Bool, nil},
	{"I16", tensor.Int32, container.Int16}, {"U16", tensor.Int32, container.Uint16}, {"U32", tensor.Int64, container.Uint32}, {"U64", tensor.Int64, container.Uint64},
}

// safetensorsEntry is one tensor of the header.
type safetensorsEntry struct {
	name       string
	dtype      tensor.DType
	wide       *container.Wide // the element type in the file, where dtype only holds the values
	shape      []int
	begin, end int64  // bytes after the header
	sum        uint32 // the CRC-32C of its bytes
	summed     bool   // there is one
}

// ReadSafetensors reads all tensors of the file at path, in the order of its
// header, and its metadata. What is rejected gives a *FileError.
func ReadSafetensors(path string) ([]Named, map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	tensors, metadata, err := ReadSafetensorsFrom(f, info.Size())
	return tensors, metadata, inFile(err, path)
}

// ReadSafetensorsFrom is ReadSafetensors of the first size bytes of r.
func ReadSafetensorsFrom(r io.ReaderAt, size int64) ([]Named, map[string]string, error) {
	return (&modelFile{r: r, size: size}).safetensors()
}

// safetensors reads all tensors of the file and its metadata.
func (f *modelFile) safetensors() ([]Named, map[string]string, error) {
	entries, metadata, start, err := readSafetensorsHeader(f.r, f.size)
	if err != nil {
		return nil, nil, err
	}
	tensors := make([]Named, len(entries))
	for i, e := range entries {
		if tensors[i], err = f.entry(e, start); err != nil {
			return nil, nil, err
		}
	}
	return tensors, metadata, nil
}

// MappedSafetensors are the tensors of a file that is mapped into memory, so
// that only what is touched is read. Writing to a tensor does not change the
// file. The tensors must not be used after Close, and the file not be shortened
// before it.
type MappedSafetensors struct {
	Tensors  []Named
	Metadata map[string]string
	unmap    func() error
}

// MapSafetensors maps the file at path. Tensors that are not aligned to their
// element size are copied, and on systems without mapping the file is read.
func MapSafetensors(path string) (*MappedSafetensors, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	entries, metadata, start, err := readSafetensorsHeader(f, info.Size())
	if err != nil {
		return nil, inFile(err, path)
	}
	m, err := mapTensors(f, info.Size(), entries, start)
	if err != nil {
		return nil, inFile(err, path)
	}
	m.Metadata = metadata
	return m, nil
}

// mapTensors maps the file, whose header was read.
func mapTensors(f *os.File, size int64, entries []safetensorsEntry, start int64) (*MappedSafetensors, error) {
	data, unmap, err := mapFile(f, size)
	if err != nil {
		return nil, err
	}
	m := &MappedSafetensors{Tensors: make([]Named, len(entries)), unmap: unmap}
	for i, e := range entries {
		part := data[start+e.begin : start+e.end : start+e.end]
		if uintptr(unsafe.Pointer(unsafe.SliceData(part)))%uintptr(e.dtype.Size()) != 0 {
			part = append(tensor.AlignedBytes(len(part))[:0], part...)
		}
		if m.Tensors[i], err = e.over(part); err != nil {
			return nil, errors.Join(err, m.Close())
		}
	}
	return m, nil
}

// Close ends the mapping.
func (m *MappedSafetensors) Close() error {
	if m.unmap == nil {
		return nil
	}
	unmap := m.unmap
	m.unmap, m.Tensors = nil, nil
	return unmap()
}

// over makes the tensor of an entry over its bytes.
func (e safetensorsEntry) over(data []byte) (Named, error) {
	if err := e.check(data); err != nil {
		return Named{}, err
	}
	switch {
	case e.dtype == tensor.Bool:
		tensor.NormalizeBools(data)
	case e.wide != nil:
		var err error
		if data, err = e.wide.Widen(data); err != nil {
			return Named{}, reject(e.name, err)
		}
	}
	t, err := tensor.FromBytes(e.dtype, data, e.shape...)
	return Named{Name: e.name, Tensor: t}, reject(e.name, err)
}

// readSafetensorsHeader reads and checks the header, and returns where the
// tensors' bytes start.
func readSafetensorsHeader(r io.ReaderAt, size int64) (entries []safetensorsEntry, metadata map[string]string, start int64, err error) {
	fail := func(format string, args ...any) ([]safetensorsEntry, map[string]string, int64, error) {
		return nil, nil, 0, &FileError{Record: "header", Reason: fmt.Sprintf(format, args...)}
	}
	if size < 8 {
		return fail("a file of %d bytes is not safetensors", size)
	}
	var length [8]byte
	if err := readAt(r, length[:], 0); err != nil {
		return nil, nil, 0, err
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > uint64(size-8) || n > maxSafetensorsHeader {
		return fail("claims %d bytes, the file has %d and at most %d are read", n, size-8, maxSafetensorsHeader)
	}
	header := make([]byte, n)
	if err := readAt(r, header, 8); err != nil {
		return nil, nil, 0, err
	}
	start = 8 + int64(n)
	entries, metadata, err = parseSafetensorsHeader(header)
	if err != nil {
		return fail("%v", err)
	}
	if err := readChecksums(entries, metadata); err != nil {
		return nil, nil, 0, err
	}
	return entries, metadata, start, checkSafetensorsSpans(entries, size-start)
}

// parseSafetensorsHeader decodes the JSON token by token, since a map would lose
// the order and hide names that stand twice.
func parseSafetensorsHeader(header []byte) ([]safetensorsEntry, map[string]string, error) {
	if !utf8.Valid(header) {
		return nil, nil, errors.New("not UTF-8")
	}
	if len(header) == 0 || header[0] != '{' {
		return nil, nil, errors.New("does not begin with {")
	}
	d := json.NewDecoder(bytes.NewReader(header))
	d.UseNumber()
	var entries []safetensorsEntry
	var metadata map[string]string
	seen := make(map[string]bool)
	err := eachField(d, func(name string) error {
		if seen[name] {
			return fmt.Errorf("%q stands twice", name)
		}
		seen[name] = true
		if name == safetensorsMetadata {
			return decodeMetadata(d, &metadata)
		}
		e, err := decodeEntry(d, name)
		if err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		entries = append(entries, e)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if rest := bytes.Trim(header[d.InputOffset():], " \t\r\n\x00"); len(rest) > 0 {
		return nil, nil, errors.New("text follows after the object")
	}
	return entries, metadata, nil
}

// eachField reads an object and calls f after each name; f reads the value.
func eachField(d *json.Decoder, f func(name string) error) error {
	if err := expect(d, json.Delim('{')); err != nil {
		return err
	}
	return eachFieldOf(d, f)
}

// eachFieldOf is eachField of an object whose opening brace was read.
func eachFieldOf(d *json.Decoder, f func(name string) error) error {
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		name, ok := token.(string)
		if !ok {
			return fmt.Errorf("%v where a name should be", token)
		}
		if len(name) > maxName {
			return fmt.Errorf("a name of %d bytes, at most %d are read", len(name), maxName)
		}
		if err := f(name); err != nil {
			return err
		}
	}
	return expect(d, json.Delim('}'))
}

func expect(d *json.Decoder, want json.Delim) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("%v where %v should be", token, want)
	}
	return nil
}

func decodeMetadata(d *json.Decoder, into *map[string]string) error {
	*into = make(map[string]string)
	return eachField(d, func(name string) error {
		token, err := d.Token()
		if err != nil {
			return err
		}
		value, ok := token.(string)
		if _, twice := (*into)[name]; !ok || twice {
			return fmt.Errorf("metadata %q is not one string", name)
		}
		(*into)[name] = value
		return nil
	})
}

func decodeEntry(d *json.Decoder, name string) (e safetensorsEntry, err error) {
	e.name = name
	seen := make(map[string]bool, 3)
	err = eachField(d, func(field string) error {
		if seen[field] {
			return fmt.Errorf("%q stands twice", field)
		}
		seen[field] = true
		switch field {
		case "dtype":
			token, err := d.Token()
			if err != nil {
				return err
			}
			for _, t := range safetensorsDTypes {
				if t.name == token {
					e.dtype, e.wide = t.dtype, t.wide
					return nil
				}
			}
			return fmt.Errorf("element type %v is not read: convert the tensor before saving", token)
		case "shape":
			shape, err := decodeInts(d, maxRank)
			for _, n := range shape {
				if n > math.MaxInt {
					return fmt.Errorf("an extent of %d, at most %d can be addressed", n, math.MaxInt)
				}
				e.shape = append(e.shape, int(n))
			}
			return err
		case "data_offsets":
			offsets, err := decodeInts(d, 2)
			if err == nil && len(offsets) != 2 {
				err = fmt.Errorf("%d data offsets, not 2", len(offsets))
			}
			if err == nil {
				e.begin, e.end = offsets[0], offsets[1]
			}
			return err
		}
		return fmt.Errorf("unknown field %q", field)
	})
	if err == nil && len(seen) != 3 {
		err = errors.New("dtype, shape or data_offsets is missing")
	}
	return e, err
}

// decodeInts reads an array of at most limit numbers that are not negative.
func decodeInts(d *json.Decoder, limit int) ([]int64, error) {
	if err := expect(d, json.Delim('[')); err != nil {
		return nil, err
	}
	var out []int64
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		number, ok := token.(json.Number)
		if !ok {
			return nil, fmt.Errorf("%v where a number should be", token)
		}
		n, err := strconv.ParseInt(number.String(), 10, 64)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%v where a number of elements or bytes should be", number)
		}
		if out = append(out, n); len(out) > limit {
			return nil, fmt.Errorf("more than %d numbers", limit)
		}
	}
	return out, expect(d, json.Delim(']'))
}

// checkSafetensorsSpans checks that every tensor has the bytes its shape takes,
// and that together they are all the bytes there are, each once.
func checkSafetensorsSpans(entries []safetensorsEntry, have int64) error {
	order := make([]int, len(entries))
	for i, e := range entries {
		order[i] = i
		n, err := tensor.Shape(e.shape).Numel()
		if err != nil {
			return reject(e.name, err)
		}
		size := e.dtype.Size()
		if e.wide != nil {
			size = e.wide.Size
		}
		if e.end < e.begin || e.end > have || n > math.MaxInt/8 || e.end-e.begin != int64(n*size) {
			return &FileError{Record: e.name, Reason: fmt.Sprintf("%v%v takes %d bytes and has those from %d to %d of %d", e.dtype, tensor.Shape(e.shape), n*size, e.begin, e.end, have)}
		}
	}
	sorting.Func(order, func(a, b int) int {
		if c := cmp.Compare(entries[a].begin, entries[b].begin); c != 0 {
			return c
		}
		return cmp.Compare(entries[a].end, entries[b].end)
	})
	var at int64
	for _, i := range order {
		if e := entries[i]; e.begin != at {
			return &FileError{Record: e.name, Reason: fmt.Sprintf("begins at byte %d where the one before ends at %d", e.begin, at)}
		}
		at = entries[i].end
	}
	if at != have {
		return &FileError{Reason: fmt.Sprintf("the tensors take %d bytes and the file has %d for them", at, have)}
	}
	return nil
}
