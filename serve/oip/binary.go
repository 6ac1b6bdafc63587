package oip

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/octet-ml/octet/tensor"
)

// finish reads the binary tensors behind the JSON, in the order of the tensors, and fails where bytes are left.
func (m *message) finish(r io.Reader, body Body, tensors []*Tensor) error {
	if len(m.binary) > 0 && body.HeaderLength < 0 {
		return invalid("", "tensors with %s in a body without the header %s", BinaryDataSize, HeaderLength)
	}
	if err := m.end(); err != nil {
		return err
	}
	var total int64
	for _, size := range m.binary {
		total += size // each is at most what a shape of addressable elements has
		if total < 0 {
			return invalid("", "binary tensors of more bytes than can be counted")
		}
	}
	switch left := body.Size - body.HeaderLength; {
	case body.HeaderLength < 0:
		return nil
	case body.Size >= 0 && left != total:
		return invalid("", "%d bytes behind the JSON where the tensors' %s add up to %d", left, BinaryDataSize, total)
	}
	for _, t := range tensors {
		if t.Binary {
			if err := t.readBinary(r, m.binary[t], body.Size >= 0, m.memory); err != nil {
				return err
			}
		}
	}
	if n, err := io.ReadFull(r, make([]byte, 1)); n > 0 {
		return invalid("", "more bytes behind the JSON than the tensors' %s add up to", BinaryDataSize)
	} else if err != io.EOF {
		return err
	}
	return nil
}

// readBinary reads the size bytes of t. Where the length of the body did not vouch for them, memory is taken as they come.
func (t *Tensor) readBinary(r io.Reader, size int64, vouched bool, memory *Memory) error {
	if t.Datatype == Bytes || !vouched {
		data, err := io.ReadAll(io.LimitReader(r, size))
		if err != nil {
			return err
		}
		if int64(len(data)) < size {
			return t.cut(int64(len(data)), size)
		}
		return t.setBinary(data, memory)
	}
	var err error
	if t.Value, err = memory.tensor(t.Datatype.DType(), t.Shape); err != nil {
		return err
	}
	n, err := io.ReadFull(r, t.Value.Bytes())
	if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF && size > 0 {
		return t.cut(int64(n), size)
	}
	t.normalize()
	if size == 0 {
		return nil
	}
	return err
}

func (t *Tensor) cut(got, want int64) error {
	return invalid("", "the body ends in tensor %s, after %d of %d bytes", quote(t.Name), got, want)
}

func (t *Tensor) normalize() {
	if t.Datatype == Bool {
		tensor.NormalizeBools(t.Value.Bytes())
	}
}

// setBinary takes the elements from data, little-endian or, of BYTES, each behind its length of 4 bytes.
func (t *Tensor) setBinary(data []byte, memory *Memory) error {
	n, err := t.Shape.Numel()
	if err != nil {
		return invalid("shape", "%v", err)
	}
	if t.Datatype == Bytes {
		return t.setElements(data, n, memory)
	}
	if size := n * t.Datatype.DType().Size(); len(data) != size {
		return invalid("", "tensor %s: %d bytes where %s%v has %d", quote(t.Name), len(data), string(t.Datatype), t.Shape, size)
	}
	if t.Value, err = tensor.New(t.Datatype.DType(), t.Shape...); err != nil {
		return err
	}
	copy(t.Value.Bytes(), data)
	t.normalize()
	return nil
}

func (t *Tensor) setElements(data []byte, n int, memory *Memory) (err error) {
	if t.Elements, err = memory.elements(min(n, len(data)/4)); err != nil {
		return err
	}
	for range n {
		if len(data) < 4 || uint64(binary.LittleEndian.Uint32(data)) > uint64(len(data)-4) {
			return invalid("", "tensor %s: its bytes end in element %d of %d", quote(t.Name), len(t.Elements), n)
		}
		end := 4 + int(binary.LittleEndian.Uint32(data))
		t.Elements = append(t.Elements, bytes.Clone(data[4:end]))
		data = data[end:]
	}
	if len(data) > 0 {
		return invalid("", "tensor %s: %d bytes behind its last element", quote(t.Name), len(data))
	}
	return nil
}

// readRaw reads a body that is one tensor, without JSON.
func readRaw(r io.Reader, body Body, raw *TensorMetadata, memory *Memory) (*Tensor, error) {
	if raw == nil {
		return nil, invalid("", "%s of 0: a body that is raw data is for models with one input", HeaderLength)
	}
	t := &Tensor{Name: raw.Name, Datatype: raw.Datatype, Binary: true}
	var err error
	if t.Datatype != Bytes && body.Size >= 0 {
		if t.Shape, err = rawShape(raw, body.Size); err != nil {
			return nil, err
		}
		return t, t.readBinary(r, body.Size, true, memory)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if int64(len(data)) < body.Size {
		return nil, invalid("", "%d bytes where %d are announced", len(data), body.Size)
	}
	if t.Datatype == Bytes {
		t.Shape, t.Elements = tensor.Shape{1}, [][]byte{data}
		return t, nil
	}
	if t.Shape, err = rawShape(raw, int64(len(data))); err != nil {
		return nil, err
	}
	return t, t.setBinary(data, memory)
}

// rawShape gives the free extents of a model's input for a number of bytes: the first what is left, others 1.
func rawShape(raw *TensorMetadata, size int64) (tensor.Shape, error) {
	shape, free, fixed := make(tensor.Shape, len(raw.Shape)), -1, int64(raw.Datatype.DType().Size())
	for i, extent := range raw.Shape {
		switch {
		case extent < 0 && free < 0:
			free, shape[i] = i, 1
		case extent < 0:
			shape[i] = 1
		default:
			shape[i] = int(extent)
			fixed *= extent
		}
	}
	if free >= 0 && fixed > 0 && size%fixed == 0 {
		shape[free] = int(size / fixed)
		return shape, nil
	}
	if free < 0 && size == fixed {
		return shape, nil
	}
	return nil, invalid("", "%d bytes of raw data do not fill input %s, %s%s", size, quote(raw.Name), string(raw.Datatype), strings.ReplaceAll(fmt.Sprint(raw.Shape), " ", ","))
}

// binarySize returns how many bytes t takes in binary.
func (t *Tensor) binarySize() int {
	if t.Datatype != Bytes {
		return len(t.Value.Bytes())
	}
	size := 4 * len(t.Elements)
	for _, element := range t.Elements {
		size += len(element)
	}
	return size
}

func (t *Tensor) appendBinary(to []byte) []byte {
	if t.Datatype != Bytes {
		return append(to, t.Value.Bytes()...)
	}
	for _, element := range t.Elements {
		to = binary.LittleEndian.AppendUint32(to, uint32(len(element)))
		to = append(to, element...)
	}
	return to
}

func validText(element []byte) bool { return utf8.Valid(element) }
