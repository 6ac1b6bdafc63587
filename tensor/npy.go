package tensor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// The npy format: a magic string, a version, the length of the header, the
// header (a Python dict literal that NumPy always writes in one form, padded
// with spaces), the elements.
const (
	npyMagic     = "\x93NUMPY"
	npyMaxHeader = 1 << 16 // a header of a plain array has some hundred bytes
	npyMaxRank   = 64      // NumPy's own limit
	npyAlign     = 64      // NumPy starts the elements at a multiple of this
)

// npyType is an element type of npy, and the one it is kept in.
type npyType struct {
	descr string
	dtype DType
	size  int // bytes of an element in the file
}

// npyTypes begins with the types that are kept as they are, which are those that are written.
var npyTypes = []npyType{
	{"<f2", Float16, 2}, {"<f4", Float32, 4}, {"<f8", Float64, 8},
	{"|i1", Int8, 1}, {"|u1", Uint8, 1}, {"<i4", Int32, 4}, {"<i8", Int64, 8}, {"|b1", Bool, 1},
	{"<c8", Complex64, 8}, {"<c16", Complex128, 16},
	{"<i2", Int32, 2}, {"<u2", Int32, 2}, {"<u4", Int64, 4}, {"<u8", Int64, 8},
}

// widened reports whether the type in the file is another than the one in memory.
func (t npyType) widened() bool { return t.size < t.dtype.Size() || t.descr == "<u8" }

// npyHeader is what stands in front of the elements.
type npyHeader struct {
	npyType
	shape   Shape
	fortran bool
	length  int64
}

// keep makes elements of a file those in memory.
func (t npyType) keep(data []byte) ([]byte, error) {
	if t.dtype == Bool {
		NormalizeBools(data)
	}
	if !t.widened() {
		return data, nil
	}
	n := len(data) / t.size
	wide := AlignedBytes(n * t.dtype.Size())
	for i := range n {
		from := data[i*t.size:]
		switch t.descr {
		case "<i2":
			binary.NativeEndian.PutUint32(wide[4*i:], uint32(int32(int16(binary.LittleEndian.Uint16(from)))))
		case "<u2":
			binary.NativeEndian.PutUint32(wide[4*i:], uint32(binary.LittleEndian.Uint16(from)))
		case "<u4":
			binary.NativeEndian.PutUint64(wide[8*i:], uint64(binary.LittleEndian.Uint32(from)))
		default:
			v := binary.LittleEndian.Uint64(from)
			if v > math.MaxInt64 {
				return nil, &FileError{Reason: fmt.Sprintf("element %d is %d: numbers of uint64 are read up to 2^63-1", i, v)}
			}
			binary.NativeEndian.PutUint64(wide[8*i:], v)
		}
	}
	return wide, nil
}

// ReadNPY reads one array in NumPy's npy format (version 1 or 2) from r, which
// must end with it. The element types are those of DType that NumPy has:
// float16, float32, float64, int8, uint8, int32, int64, bool, complex64 and complex128; int16 and uint16 become int32, uint32 and uint64
// int64, in which a number from 2^63 on is rejected. An array in
// Fortran order comes back in row-major order. The array may take at most budget
// bytes, DefaultBudget where that is 0 or less; memory is taken only as bytes
// arrive, whatever the header claims. What is rejected gives a *FileError.
func ReadNPY(r io.Reader, budget int64) (*Tensor, error) {
	t, _, err := readNPY(r, budgetOf(budget), memberSize{math.MaxInt64, false})
	return t, err
}

// memberSize is how many bytes a reader has, or has at most.
type memberSize struct {
	bytes int64
	exact bool
}

// readNPY reads an array and returns the bytes its elements take.
func readNPY(r io.Reader, budget int64, size memberSize) (*Tensor, int64, error) {
	h, err := readNPYHeader(r)
	if err != nil {
		return nil, 0, err
	}
	elements, err := h.shape.Numel()
	if err != nil {
		return nil, 0, &FileError{Reason: "bad npy header", Err: err}
	}
	n, kept := elements*h.size, int64(elements)*int64(h.dtype.Size())
	need := kept
	if h.widened() {
		need += int64(n)
	}
	if h.fortran && len(h.shape) > 1 { // a second time in row-major order
		need = max(need, 2*kept)
	}
	if need > budget {
		return nil, 0, &FileError{Err: &BudgetError{fmt.Sprintf("%v%v", h.dtype, h.shape), need, budget}}
	}
	if size.exact && size.bytes-h.length != int64(n) || int64(n) > size.bytes {
		return nil, 0, &FileError{Reason: fmt.Sprintf("%s takes %d bytes and the file has %d", h, n, size.bytes-h.length)}
	}
	data, err := readElements(r, n, size.bytes < math.MaxInt64)
	if err != nil {
		return nil, 0, shortFile(err, fmt.Sprintf("%s takes %d bytes", h, n))
	}
	if err := expectEnd(r); err != nil {
		return nil, 0, err
	}
	if data, err = h.keep(data); err != nil {
		return nil, 0, err
	}
	var t *Tensor
	if h.fortran {
		t, err = fromFortran(h.dtype, data, h.shape)
	} else {
		t, err = FromBytes(h.dtype, data, h.shape...)
	}
	return t, kept, err
}

// String names the array as it is in the file.
func (h npyHeader) String() string {
	if h.widened() {
		return npyTypeName(h.descr) + h.shape.String()
	}
	return h.dtype.String() + h.shape.String()
}

func readNPYHeader(r io.Reader) (npyHeader, error) {
	fail := func(format string, args ...any) (npyHeader, error) {
		return npyHeader{}, &FileError{Reason: fmt.Sprintf(format, args...)}
	}
	prefix := make([]byte, len(npyMagic)+2, len(npyMagic)+6)
	if _, err := io.ReadFull(r, prefix); err != nil {
		return npyHeader{}, shortFile(err, "no npy header")
	}
	if string(prefix[:len(npyMagic)]) != npyMagic {
		return fail("not an npy array: it starts with %q", prefix[:len(npyMagic)])
	}
	width := 2
	switch major := prefix[len(npyMagic)]; major {
	case 1:
	case 2:
		width = 4
	default:
		return fail("npy version %d is not read: save plain arrays with numpy.save or numpy.savez", major)
	}
	prefix = prefix[:len(prefix)+width]
	if _, err := io.ReadFull(r, prefix[len(prefix)-width:]); err != nil {
		return npyHeader{}, shortFile(err, "no npy header")
	}
	n := int64(binary.LittleEndian.Uint16(prefix[len(npyMagic)+2:]))
	if width == 4 {
		n = int64(binary.LittleEndian.Uint32(prefix[len(npyMagic)+2:]))
	}
	if n > npyMaxHeader {
		return fail("npy header claims %d bytes, more than any plain array has", n)
	}
	header, err := io.ReadAll(io.LimitReader(r, n))
	if err == nil && int64(len(header)) < n {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return npyHeader{}, shortFile(err, fmt.Sprintf("npy header claims %d bytes", n))
	}
	descr, fortran, shape, err := parseNPYHeader(header)
	if err != nil {
		return npyHeader{}, err
	}
	for _, t := range npyTypes {
		if t.descr == descr {
			return npyHeader{t, shape, fortran, int64(len(prefix)) + n}, nil
		}
	}
	return fail("element type %s is not read: convert the array to one of float16, float32, float64, int8 to int64, uint8 to uint64, bool, complex64, complex128 (little-endian)", npyTypeName(descr))
}

// parseNPYHeader returns what the dict of an npy header says. It reads the one form NumPy writes:
// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } and spaces up to a line's end.
func parseNPYHeader(header []byte) (descr string, fortran bool, shape Shape, err error) {
	text, begins := strings.CutPrefix(string(header), "{'descr': '")
	descr, text, ordered := strings.Cut(text, "', 'fortran_order': ")
	order, text, shaped := strings.Cut(text, ", 'shape': (")
	tuple, text, ends := strings.Cut(text, "), }")
	extents, plain := npyExtents(tuple)
	if !begins || !ordered || !shaped || !ends || !plain || strings.ContainsAny(descr, `'\`) || order != "True" && order != "False" || strings.TrimLeft(text, " ") != "\n" {
		return "", false, nil, &FileError{Reason: fmt.Sprintf("npy header %q is not that of a plain array: save arrays of numbers, without fields or objects", clip(header))}
	}
	shape = Shape{}
	for _, text := range extents {
		n, err := strconv.Atoi(text)
		if err != nil {
			return "", false, nil, &FileError{Reason: fmt.Sprintf("npy array has an extent of %s, too large to count", text)}
		}
		shape = append(shape, n)
	}
	if len(shape) > npyMaxRank {
		return "", false, nil, &FileError{Reason: fmt.Sprintf("npy array has %d dimensions, at most %d are read", len(shape), npyMaxRank)}
	}
	return descr, order == "True", shape, nil
}

// npyExtents returns the numbers in a Python tuple: none, "3," or "3, 4".
func npyExtents(tuple string) (extents []string, ok bool) {
	if tuple == "" {
		return nil, true
	}
	extents = strings.Split(tuple, ", ")
	if len(extents) == 1 {
		if extents[0], ok = strings.CutSuffix(tuple, ","); !ok {
			return nil, false
		}
	}
	for _, text := range extents {
		if text == "" || len(text) > 18 || strings.Trim(text, "0123456789") != "" {
			return nil, false
		}
	}
	return extents, true
}

// npyTypeName turns a type code as "<u2" into words.
func npyTypeName(descr string) string {
	kinds := map[byte]string{'f': "float", 'i': "int", 'u': "uint", 'c': "complex"}
	var order, code string
	if descr != "" {
		order, code = descr[:1], descr[1:]
	}
	if len(code) > 1 && kinds[code[0]] != "" {
		if size, err := strconv.Atoi(code[1:]); err == nil && size > 0 && size <= 32 {
			name := fmt.Sprintf("%s%d", kinds[code[0]], 8*size)
			if order == ">" {
				name = "big-endian " + name
			}
			return fmt.Sprintf("%s (%s)", name, descr)
		}
	}
	return fmt.Sprintf("%q", clip([]byte(descr)))
}

// readElements reads n bytes into aligned memory. Unless it is known that they can be
// present, memory grows with what arrives.
func readElements(r io.Reader, n int, present bool) ([]byte, error) {
	if present {
		data := AlignedBytes(n)
		_, err := io.ReadFull(r, data)
		return data, err
	}
	var chunks [][]byte
	for got, size := 0, 1<<16; got < n; size = min(2*size, 1<<24) {
		chunk := make([]byte, min(size, n-got))
		if _, err := io.ReadFull(r, chunk); err != nil {
			return nil, err
		}
		chunks = append(chunks, chunk)
		got += len(chunk)
	}
	data := AlignedBytes(n)
	at := 0
	for i, chunk := range chunks {
		at += copy(data[at:], chunk)
		chunks[i] = nil
	}
	return data, nil
}

// expectEnd reads to the end, which is also where a zip reader compares the
// checksum.
func expectEnd(r io.Reader) error {
	var one [1]byte
	switch _, err := io.ReadFull(r, one[:]); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return shortFile(err, "after the elements")
	}
	return &FileError{Reason: "bytes follow after the elements the shape asks for"}
}

// shortFile makes the end of a file where more was needed a rejection.
func shortFile(err error, reason string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &FileError{Reason: reason + ": the file ends before that"}
	}
	return &FileError{Reason: reason, Err: err}
}

func clip(b []byte) []byte {
	return b[:min(len(b), 120)]
}

// NormalizeBools turns every byte that is not zero into one. Go, like C++, may
// assume that a bool in memory is 0 or 1; the bytes of a file are anything.
func NormalizeBools(data []byte) {
	for i, b := range data {
		if b > 1 {
			data[i] = 1
		}
	}
}

// fromFortran returns the row-major tensor of elements stored with the first
// dimension fastest.
func fromFortran(dtype DType, data []byte, shape Shape) (*Tensor, error) {
	strides := make([]int, len(shape))
	n := 1
	for i, d := range shape {
		strides[i] = n
		n *= max(d, 1)
	}
	t, err := View(dtype, data, 0, shape, strides)
	if err != nil {
		return nil, err
	}
	return t.Contiguous(), nil
}

// WriteNPY writes the tensor to w in NumPy's npy format, in row-major order. It
// fails on bfloat16, which NumPy does not have.
func WriteNPY(w io.Writer, t *Tensor) error {
	header, err := encodeNPYHeader(t.dtype, t.shape)
	if err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	_, err = w.Write(t.Contiguous().Bytes())
	return err
}

func encodeNPYHeader(dtype DType, shape Shape) ([]byte, error) {
	var descr string
	for _, e := range npyTypes {
		if e.dtype == dtype && !e.widened() {
			descr = e.descr
		}
	}
	if descr == "" {
		return nil, fmt.Errorf("tensor: npy cannot hold %v%v: convert it first, bfloat16 to float32", dtype, shape)
	}
	if len(shape) > npyMaxRank {
		return nil, fmt.Errorf("tensor: npy cannot hold the %d dimensions of %v%v", len(shape), dtype, shape)
	}
	dims := strings.Trim(shape.String(), "[]")
	if len(shape) == 1 {
		dims += ","
	}
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, dims)
	const fixed = len(npyMagic) + 4 // with version and length
	pad := -(fixed + len(dict) + 1) & (npyAlign - 1)
	dict += strings.Repeat(" ", pad) + "\n"
	header := append([]byte(npyMagic), 1, 0)
	header = binary.LittleEndian.AppendUint16(header, uint16(len(dict)))
	return append(header, dict...), nil
}
