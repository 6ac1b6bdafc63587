package onnx

import (
	"encoding/binary"
	"math"
)

// message is a message of protocol buffers as it is written. Its methods are not inlined, for the size of programs.
type message []byte

// Kinds of fields.
const (
	varint  = 0
	bytesOf = 2
	fixed32 = 5
)

//go:noinline
func (m *message) tag(field, kind int) { *m = binary.AppendUvarint(*m, uint64(field<<3|kind)) }

//go:noinline
func (m *message) int(field int, v int64) {
	m.tag(field, varint)
	*m = binary.AppendUvarint(*m, uint64(v))
}

//go:noinline
func (m *message) ints(field int, list []int) {
	for _, v := range list {
		m.int(field, int64(v))
	}
}

//go:noinline
func (m *message) float(field int, v float32) {
	m.tag(field, fixed32)
	*m = binary.LittleEndian.AppendUint32(*m, math.Float32bits(v))
}

// bytes writes a string, bytes or an inner message.
//
//go:noinline
func (m *message) bytes(field int, b []byte) {
	m.tag(field, bytesOf)
	*m = binary.AppendUvarint(*m, uint64(len(b)))
	*m = append(*m, b...)
}

//go:noinline
func (m *message) string(field int, s string) { m.bytes(field, []byte(s)) }

// signedByte is int8, whose name package int8 has where operators are written.
type signedByte = int8
