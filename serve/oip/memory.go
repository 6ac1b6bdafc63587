package oip

import (
	"bytes"
	"io"
	"unsafe"

	"github.com/octet-ml/octet/tensor"
)

// Memory is what requests are read into, one after another, so that each need not take memory of its own. Whoever has it sees to it
// that nobody uses the tensors of a request any more when the next is read. The zero value is ready for use.
type Memory struct {
	// Grow is told, where it is not nil, how many bytes a tensor of BYTES takes beyond those of the message, before it takes them: the
	// elements of a message may be many and short. Its error ends the reading.
	Grow func(bytes int64) error

	text []byte // JSON
	data []byte // of tensors
	used int    // bytes of data that the request at hand has
}

// maxKept is the most, in bytes, that a Memory keeps of text or tensors for the next request.
const maxKept = 1 << 20

// ReadInferRequest is the function of that name, into the memory. The tensors are valid until the next call.
func (m *Memory) ReadInferRequest(r io.Reader, body Body, raw *TensorMetadata) (*InferRequest, error) {
	m.used = 0
	return readInferRequest(r, body, raw, m)
}

// elementBytes is what an element of BYTES takes beside its contents: its slice, and what an allocation has at least.
const elementBytes = 32

// elements returns room for n elements of BYTES.
func (m *Memory) elements(n int) ([][]byte, error) {
	if m != nil && m.Grow != nil {
		if err := m.Grow(int64(n) * elementBytes); err != nil {
			return nil, err
		}
	}
	return make([][]byte, 0, n), nil
}

// tensor returns a tensor with any elements. m is nil for memory of its own.
func (m *Memory) tensor(dtype tensor.DType, shape tensor.Shape) (*tensor.Tensor, error) {
	n, err := shape.Numel()
	if err != nil {
		return nil, err
	}
	size := n * dtype.Size()
	if m == nil || dtype.Size() == 0 || size > maxKept {
		return tensor.New(dtype, shape...)
	}
	return tensor.FromBytes(dtype, m.take(size), shape...)
}

// take returns n aligned bytes. Where they are not there, as many are taken as the request at hand has wanted so far, so that the next
// like it finds them.
func (m *Memory) take(n int) []byte {
	first := m.used
	if n > 0 && len(m.data) > 0 {
		first += -int(uintptr(unsafe.Pointer(unsafe.SliceData(m.data)))+uintptr(first)) & (tensor.Alignment - 1)
	}
	if first+n > len(m.data) {
		m.data = tensor.AlignedBytes(max(min(first+n, maxKept), n))
		first = 0
	}
	m.used = first + n
	return m.data[first:m.used:m.used]
}

// readText reads JSON of so many bytes, or of an unknown number below 0.
func (m *Memory) readText(r io.Reader, size int64) ([]byte, error) {
	var buffer bytes.Buffer
	if m != nil {
		buffer = *bytes.NewBuffer(m.text[:0])
	}
	if size > 0 {
		buffer.Grow(int(min(size, 1<<20)) + bytes.MinRead)
	}
	_, err := buffer.ReadFrom(r)
	if m != nil && buffer.Cap() <= maxKept {
		m.text = buffer.Bytes()[:0]
	}
	return buffer.Bytes(), err
}
