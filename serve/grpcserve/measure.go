package grpcserve

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/octet-ml/octet/serve/oip"
)

// measured is what is known of a ModelInferRequest before it is decoded.
type measured struct {
	model, version string
	// bytes is what the message, its decoded form and the tensors take, at most. Two bytes of a message can be a tensor, or an
	// integer of 8 bytes.
	bytes int64
}

// Bytes that parts of a message take once they are decoded.
const (
	partBytes    = 256 // a tensor, a requested output, a parameter: with its place in a list or map
	elementBytes = 48  // an element of BYTES, or a raw tensor, without its contents: in the message and in the tensor
	varintFactor = 16  // a byte can be a number of 8, in the message and in the tensor
	copyFactor   = 2   // numbers that take what they have in the message
)

// The numbers of the fields that are looked at.
const (
	fieldModel, fieldVersion                  = 1, 2    // of ModelInferRequest
	fieldParameters, fieldInputs, fieldWanted = 4, 5, 6 // of ModelInferRequest
	fieldRaw                                  = 7       // of ModelInferRequest
	fieldExtents, fieldInputParameters        = 3, 4    // of InferInputTensor
	fieldContents                             = 5       // of InferInputTensor
	fieldBool, fieldFloat, fieldDouble        = 1, 6, 7 // of InferTensorContents
	fieldElements                             = 8       // of InferTensorContents
	fieldOutputParameters                     = 2       // of InferRequestedOutputTensor
)

// measure reads the names of model and version, and adds up what the rest takes.
func measure(message []byte) (measured, error) {
	m := measured{bytes: int64(len(message))}
	err := fields(message, func(field protowire.Number, kind protowire.Type, value []byte) error {
		switch {
		case kind != protowire.BytesType: // of none of the fields: decoding leaves it as it is
		case field == fieldModel:
			m.model = string(value)
		case field == fieldVersion:
			m.version = string(value)
		case field == fieldInputs:
			return m.input(value)
		case field == fieldWanted:
			return m.part(value, fieldOutputParameters)
		case field == fieldParameters:
			m.bytes += partBytes
		case field == fieldRaw:
			m.bytes += elementBytes
		}
		m.bytes += int64(len(value))
		return nil
	})
	return m, err
}

// part adds up a message whose own field of parameters is given.
func (m *measured) part(message []byte, parameters protowire.Number) error {
	m.bytes += partBytes + int64(len(message))
	return fields(message, func(field protowire.Number, _ protowire.Type, _ []byte) error {
		if field == parameters {
			m.bytes += partBytes
		}
		return nil
	})
}

func (m *measured) input(message []byte) error {
	m.bytes += partBytes + int64(len(message))
	return fields(message, func(field protowire.Number, kind protowire.Type, value []byte) error {
		switch field {
		case fieldInputParameters:
			m.bytes += partBytes
		case fieldExtents:
			m.bytes += varintFactor * int64(len(value))
		case fieldContents:
			if kind == protowire.BytesType {
				return m.contents(value)
			}
		}
		return nil
	})
}

func (m *measured) contents(message []byte) error {
	m.bytes += partBytes
	return fields(message, func(field protowire.Number, _ protowire.Type, value []byte) error {
		switch field {
		case fieldElements:
			m.bytes += elementBytes + int64(len(value))
		case fieldBool, fieldFloat, fieldDouble:
			m.bytes += copyFactor * int64(len(value))
		default:
			m.bytes += varintFactor * int64(len(value))
		}
		return nil
	})
}

// fields calls f with each field of a message: of text, bytes, messages and lists of numbers their bytes, else those of the number.
func fields(message []byte, f func(field protowire.Number, kind protowire.Type, value []byte) error) error {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return malformed(n)
		}
		message = message[n:]
		n = protowire.ConsumeFieldValue(field, kind, message)
		if n < 0 {
			return malformed(n)
		}
		value := message[:n]
		if kind == protowire.BytesType {
			value, _ = protowire.ConsumeBytes(value)
		}
		if err := f(field, kind, value); err != nil {
			return err
		}
		message = message[n:]
	}
	return nil
}

func malformed(n int) error {
	return &oip.InvalidError{Reason: "the message is no ModelInferRequest", Err: protowire.ParseError(n)}
}
