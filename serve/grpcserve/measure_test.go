package grpcserve

import (
	"encoding/binary"
	"runtime"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/octet-ml/octet/serve/grpcserve/pb"
)

// field appends a field that has bytes.
func field(message []byte, number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(message, number, protowire.BytesType), value)
}

// TestMeasureParts repeats each part of a request in its shortest form: what is measured is at least what the decoded message and the
// request take.
func TestMeasureParts(t *testing.T) {
	const n = 1 << 13
	repeat := func(f func(m []byte, key []byte) []byte) (m []byte) {
		for i := range n {
			m = f(m, binary.BigEndian.AppendUint16(nil, uint16(i))) // keys that differ
		}
		return m
	}
	same := func(f func(m []byte) []byte) []byte { return repeat(func(m, _ []byte) []byte { return f(m) }) }
	numbers := func(number protowire.Number, kind protowire.Type, zero []byte) func([]byte) []byte {
		return func(m []byte) []byte { return append(protowire.AppendTag(m, number, kind), zero...) }
	}
	key := func(key []byte) []byte {
		return field(nil, 1, []byte{'a' + key[0]>>4, 'a' + key[0]&15, 'a' + key[1]>>4, 'a' + key[1]&15})
	}
	input := func(m []byte) []byte { return field(nil, fieldInputs, m) }
	contents := func(m []byte) []byte { return input(field(nil, fieldContents, m)) }
	for name, message := range map[string][]byte{
		"inputs":                  same(func(m []byte) []byte { return field(m, fieldInputs, nil) }),
		"contents":                same(func(m []byte) []byte { return field(m, fieldInputs, field(nil, fieldContents, nil)) }),
		"raw_input_contents":      same(func(m []byte) []byte { return field(m, fieldRaw, nil) }),
		"raw bytes":               same(func(m []byte) []byte { return field(m, fieldRaw, []byte{1}) }),
		"outputs":                 same(func(m []byte) []byte { return field(m, fieldWanted, nil) }),
		"parameters":              repeat(func(m, k []byte) []byte { return field(m, fieldParameters, key(k)) }),
		"parameters of an input":  input(repeat(func(m, k []byte) []byte { return field(m, fieldInputParameters, key(k)) })),
		"parameters of an output": field(nil, fieldWanted, repeat(func(m, k []byte) []byte { return field(m, fieldOutputParameters, key(k)) })),
		"extents":                 input(same(numbers(fieldExtents, protowire.VarintType, []byte{0}))),
		"packed extents":          input(field(nil, fieldExtents, make([]byte, n))),
		"bool_contents":           contents(field(nil, fieldBool, make([]byte, n))),
		"int_contents":            contents(field(nil, 2, make([]byte, n))),
		"int64_contents":          contents(field(nil, 3, make([]byte, n))),
		"single int64_contents":   contents(same(numbers(3, protowire.VarintType, []byte{0}))),
		"uint_contents":           contents(field(nil, 4, make([]byte, n))),
		"uint64_contents":         contents(field(nil, 5, make([]byte, n))),
		"fp32_contents":           contents(same(numbers(fieldFloat, protowire.Fixed32Type, make([]byte, 4)))),
		"fp64_contents":           contents(same(numbers(fieldDouble, protowire.Fixed64Type, make([]byte, 8)))),
		"bytes_contents":          contents(same(func(m []byte) []byte { return field(m, fieldElements, nil) })),
	} {
		m, err := measure(message)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		before := liveBytes()
		r := &pb.ModelInferRequest{}
		if err := proto.Unmarshal(message, r); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		request, _, _ := readRequest(r, func(int64) error { return nil })
		took := int64(liveBytes()) - int64(before)
		runtime.KeepAlive(r)
		runtime.KeepAlive(request)
		runtime.KeepAlive(message)
		if took > m.bytes-int64(len(message)) {
			t.Errorf("%s: %d bytes of message take %d bytes, measured %d", name, len(message), took, m.bytes-int64(len(message)))
		}
	}
}
