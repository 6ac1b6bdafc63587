package oip

import (
	"encoding/base64"
	"math"
	"strconv"
	"unsafe"

	"github.com/octet-ml/octet/tensor"
)

// elements reads the data of a tensor in JSON: elements in row-major order, flat or nested as the shape. BYTES are strings.
// Memory is taken only for as many elements as bytes are there.
func (s *scanner) elements(t *Tensor) error {
	n, err := t.Shape.Numel()
	if err != nil {
		return invalid("", "shape: %v", err)
	}
	if left := len(s.data) - s.at; n > (left+1)/2 {
		return invalid("", "the data ends too early: shape %v needs %d elements", t.Shape, n)
	}
	r := dataReader{scanner: s, shape: t.Shape, want: n}
	if t.Datatype == Bytes {
		if t.Elements, err = s.memory.elements(n); err != nil {
			return err
		}
		r.element = func(int) error {
			text, err := s.text()
			t.Elements = append(t.Elements, []byte(text))
			return err
		}
	} else {
		if t.Value, err = s.memory.tensor(t.Datatype.DType(), t.Shape); err != nil {
			return err
		}
		r.element = s.elementReader(t.Value)
		if t.Datatype == FP32 {
			values := t.Value.Float32s()
			r.more = func(i int) int { return s.moreFloat32s(values[i:]) }
		}
	}
	return r.read()
}

// dataReader reads the elements of a tensor. It knows the form, flat or nested, once it met the first element.
type dataReader struct {
	*scanner
	shape   tensor.Shape
	want    int
	element func(i int) error
	more    func(i int) int // reads elements from i on, each behind a comma, as far as they are of a usual form; nil: none
	got     int
	flat    bool
	known   bool
}

func (r *dataReader) read() error {
	if len(r.shape) == 0 && r.next() != '[' {
		_, err := r.leaf()
		return err
	}
	if err := r.level(0); err != nil {
		return err
	}
	if r.got != r.want {
		return invalid("", "%d elements where shape %v needs %d", r.got, r.shape, r.want)
	}
	return nil
}

// level reads an array at the given depth.
func (r *dataReader) level(depth int) error {
	n := 0
	err := r.array(func(int) error {
		if r.next() != '[' {
			if !r.known {
				r.known, r.flat = true, depth == 0
			}
			if !r.flat && depth != len(r.shape)-1 {
				return r.misnested()
			}
			leaves, err := r.leaf()
			n += leaves
			return err
		}
		n++
		if r.known && r.flat || depth+1 >= len(r.shape) {
			return r.misnested()
		}
		return r.level(depth + 1)
	})
	if err == nil && !(r.known && r.flat) && len(r.shape) > 0 && n != r.shape[depth] && (depth > 0 || n > 0) {
		return invalid("", "an array of %d at depth %d where shape %v has %d", n, depth, r.shape, r.shape[depth])
	}
	return err
}

func (r *dataReader) misnested() error {
	return invalid("", "data nested otherwise than shape %v: give it flat or nested as the shape", r.shape)
}

// leaf reads an element, and those behind it that more takes. It returns how many they were.
func (r *dataReader) leaf() (n int, err error) {
	if r.got == r.want {
		return 0, invalid("", "more than the %d elements that shape %v needs", r.want, r.shape)
	}
	n = 1
	if err = r.element(r.got); err == nil && r.more != nil {
		n += r.more(r.got + 1)
	}
	r.got += n
	return n, err
}

// elementReader returns a function that reads element i of t, which is contiguous.
func (s *scanner) elementReader(t *tensor.Tensor) func(i int) error {
	switch t.DType() {
	case tensor.Float32:
		values := t.Float32s()
		return func(i int) error {
			v, err := s.float(32)
			values[i] = float32(v)
			return err
		}
	case tensor.Float64:
		values := tensor.Data[float64](t)
		return func(i int) (err error) {
			values[i], err = s.float(64)
			return err
		}
	case tensor.Float16, tensor.BFloat16:
		return s.halfReader(t)
	case tensor.Bool:
		values := tensor.Data[bool](t)
		return func(i int) error {
			word, err := s.literal()
			if err == nil && word == "null" {
				return s.errorf("null where true or false is needed")
			}
			values[i] = word == "true"
			return err
		}
	case tensor.Int64:
		return integerReader(s, t.Int64s(), 64)
	case tensor.Int32:
		return integerReader(s, t.Int32s(), 32)
	case tensor.Int8:
		return integerReader(s, t.Int8s(), 8)
	}
	values := t.Uint8s()
	return func(i int) error {
		v, err := s.integer(16)
		if err == nil && (v < 0 || v > math.MaxUint8) {
			return s.errorf("%d does not fit UINT8", v)
		}
		values[i] = uint8(v)
		return err
	}
}

func integerReader[T int8 | int32 | int64](s *scanner, values []T, bits int) func(i int) error {
	return func(i int) error {
		v, err := s.integer(bits)
		values[i] = T(v)
		return err
	}
}

// halfReader reads float16 and bfloat16, rounded once to nearest even from the number as it is written (up to float64's
// precision): the step over float32 rounds to odd.
func (s *scanner) halfReader(t *tensor.Tensor) func(i int) error {
	bits := tensor.Data[uint16](t)
	return func(i int) error {
		v, err := s.float(64)
		if err != nil {
			return err
		}
		half, err := tensor.Scalar(roundToOdd(v)).To(t.DType())
		if err != nil {
			return err
		}
		bits[i] = tensor.Data[uint16](half)[0]
		if infinite := map[tensor.DType]uint16{tensor.Float16: 0x7c00, tensor.BFloat16: 0x7f80}[t.DType()]; bits[i]&0x7fff == infinite {
			return s.errorf("%v does not fit %s", v, DatatypeOf(t.DType()))
		}
		return nil
	}
}

// roundToOdd returns v as float32 where that is exact, else the neighbour whose last bit is one: rounding that again to a
// narrower type gives what rounding v itself gives (Boldo, Melquiond: When double rounding is odd, 2005).
func roundToOdd(v float64) float32 {
	f := float32(v)
	if float64(f) == v || math.Float32bits(f)&1 == 1 || math.IsInf(float64(f), 0) {
		return f
	}
	toward := float32(math.Inf(1))
	if v < float64(f) {
		toward = -toward
	}
	return math.Nextafter32(f, toward)
}

// float reads a number, rounded once to nearest even.
func (s *scanner) float(bits int) (float64, error) {
	if bits == 32 {
		s.next()
		if v, n := shortFloat32(s.data[s.at:]); n > 0 {
			s.at += n
			return float64(v), nil
		}
	}
	raw, _, err := s.number()
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseFloat(borrow(raw), bits)
	if err != nil {
		return 0, s.errorf("%s does not fit FP%d", quote(string(raw)), bits)
	}
	return v, nil
}

// integer reads a number that is written as an integer.
func (s *scanner) integer(bits int) (int64, error) {
	raw, integer, err := s.number()
	if err != nil {
		return 0, err
	}
	if !integer {
		return 0, s.errorf("%s where an integer is needed", quote(string(raw)))
	}
	v, err := strconv.ParseInt(borrow(raw), 10, bits)
	if err != nil {
		return 0, s.errorf("%s does not fit %d bits", quote(string(raw)), bits)
	}
	return v, nil
}

// borrow returns the bytes as a string, to be used before they change and not kept: strconv copies what its errors hold.
func borrow(raw []byte) string { return unsafe.String(unsafe.SliceData(raw), len(raw)) }

// appendData writes the elements of t as a flat JSON array.
func appendData(to []byte, t *Tensor) ([]byte, error) {
	if t.Datatype == Bytes {
		return appendElements(to, t)
	}
	switch t.Value.DType() {
	case tensor.Float32:
		return appendFloats(to, t, t.Value.Float32s(), 32)
	case tensor.Float64:
		return appendFloats(to, t, tensor.Data[float64](t.Value), 64)
	case tensor.Float16, tensor.BFloat16:
		wide, err := t.Value.To(tensor.Float32)
		if err != nil {
			return nil, err
		}
		return appendFloats(to, t, wide.Float32s(), 32)
	case tensor.Bool:
		return appendEach(to, tensor.Data[bool](t.Value), strconv.AppendBool), nil
	case tensor.Int64:
		return appendIntegers(to, t.Value.Int64s()), nil
	case tensor.Int32:
		return appendIntegers(to, t.Value.Int32s()), nil
	case tensor.Int8:
		return appendIntegers(to, t.Value.Int8s()), nil
	}
	return appendIntegers(to, t.Value.Uint8s()), nil
}

// appendFloats writes the shortest numbers that read back to the same bits.
func appendFloats[T float32 | float64](to []byte, t *Tensor, values []T, bits int) ([]byte, error) {
	for i, v := range values {
		if v != v || v-v != 0 {
			return nil, &NotFiniteError{Name: t.Name, Index: i, Value: float64(v)}
		}
	}
	return appendEach(to, values, func(to []byte, v T) []byte {
		return strconv.AppendFloat(to, float64(v), 'g', -1, bits)
	}), nil
}

func appendIntegers[T int8 | uint8 | int32 | int64](to []byte, values []T) []byte {
	return appendEach(to, values, func(to []byte, v T) []byte { return strconv.AppendInt(to, int64(v), 10) })
}

func appendEach[T any](to []byte, values []T, write func([]byte, T) []byte) []byte {
	to = append(to, '[')
	for i, v := range values {
		if i > 0 {
			to = append(to, ',')
		}
		to = write(to, v)
	}
	return append(to, ']')
}

// appendElements writes BYTES as strings. JSON has only text: other bytes have to travel in binary.
func appendElements(to []byte, t *Tensor) ([]byte, error) {
	for i, element := range t.Elements {
		if !validText(element) {
			return nil, invalid(t.Name, "element %d is not UTF-8 text, which is all that JSON has (it begins with %s in base64): use binary data",
				i, base64.StdEncoding.EncodeToString(element[:min(len(element), 12)]))
		}
	}
	return appendEach(to, t.Elements, func(to []byte, v []byte) []byte { return appendText(to, string(v)) }), nil
}
