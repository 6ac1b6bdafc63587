package oip

import (
	"fmt"
	"io"
	"strconv"

	"github.com/octet-ml/octet/tensor"
)

// maxRank is how many dimensions a tensor may have, as in PyTorch.
const maxRank = 64

// Body describes the bytes of a message before they are read.
type Body struct {
	Size         int64 // bytes, -1 where that is not known before
	HeaderLength int64 // bytes of JSON in front of binary tensors, from the header of that name; -1 where it is absent
}

// ReadInferRequest reads a request from r, which the caller bounds. Binary tensors are read into their own memory, which is taken
// only if the body is as long as it says. A body with a header length of 0 is the input that raw describes, without JSON; raw is nil
// for a model that has more than one. What does not follow the protocol is an *InvalidError; other errors are those of r.
func ReadInferRequest(r io.Reader, body Body, raw *TensorMetadata) (*InferRequest, error) {
	return readInferRequest(r, body, raw, nil)
}

func readInferRequest(r io.Reader, body Body, raw *TensorMetadata, memory *Memory) (*InferRequest, error) {
	if body.HeaderLength == 0 {
		input, err := readRaw(r, body, raw, memory)
		if err != nil {
			return nil, err
		}
		return &InferRequest{Inputs: []*Tensor{input}, Parameters: Parameters{BinaryDataOutput: true}}, nil
	}
	s, err := readHeader(r, body, memory)
	if err != nil {
		return nil, err
	}
	m := message{scanner: s}
	request := &InferRequest{}
	err = m.members(func(key string) (err error) {
		switch key {
		case "id":
			request.ID, err = m.text()
		case "parameters":
			request.Parameters, err = m.parameters(key)
		case "inputs":
			request.Inputs, err = m.tensors(key)
		case "outputs":
			request.Outputs, err = m.requestedOutputs()
		default:
			_, err = m.skip(maxDepth)
		}
		return err
	})
	if err == nil && request.Inputs == nil {
		err = invalid("inputs", "missing: a request has a list of tensors")
	}
	if err == nil {
		err = m.finish(r, body, request.Inputs)
	}
	if err != nil {
		return nil, err
	}
	return request, nil
}

// ReadInferResponse reads an answer from r, as ReadInferRequest reads a request.
func ReadInferResponse(r io.Reader, body Body) (*InferResponse, error) {
	s, err := readHeader(r, body, nil)
	if err != nil {
		return nil, err
	}
	m := message{scanner: s}
	response := &InferResponse{}
	err = m.members(func(key string) (err error) {
		switch key {
		case "model_name":
			response.ModelName, err = m.text()
		case "model_version":
			response.ModelVersion, err = m.text()
		case "id":
			response.ID, err = m.text()
		case "parameters":
			response.Parameters, err = m.parameters(key)
		case "outputs":
			response.Outputs, err = m.tensors(key)
		default:
			_, err = m.skip(maxDepth)
		}
		return err
	})
	if err == nil {
		err = m.finish(r, body, response.Outputs)
	}
	if err != nil {
		return nil, err
	}
	return response, nil
}

// readHeader reads the JSON of a message.
func readHeader(r io.Reader, body Body, memory *Memory) (*scanner, error) {
	size := body.Size
	if body.HeaderLength > 0 {
		if size >= 0 && body.HeaderLength > size {
			return nil, invalid("", "%s of %d in a body of %d bytes", HeaderLength, body.HeaderLength, size)
		}
		size = body.HeaderLength
		r = io.LimitReader(r, size)
	} else if body.HeaderLength < -1 {
		return nil, invalid("", "%s of %d", HeaderLength, body.HeaderLength)
	}
	text, err := memory.readText(r, size)
	if err != nil {
		return nil, err
	}
	if int64(len(text)) < size {
		return nil, invalid("", "%d bytes where %d are announced", len(text), size)
	}
	return &scanner{data: text, memory: memory}, nil
}

// message reads the JSON of a message and remembers how many bytes its binary tensors have.
type message struct {
	*scanner
	binary map[*Tensor]int64
}

// members reads an object of the protocol. A member that is null is as one that is not there: clients and servers that are made of data
// classes write all of them.
func (m *message) members(field func(key string) error) error {
	return m.object(func(key string) error {
		if m.next() == 'n' {
			_, err := m.literal()
			return err
		}
		return field(key)
	})
}

func (m *message) tensors(list string) ([]*Tensor, error) {
	tensors := []*Tensor{}
	names := map[string]bool{}
	err := m.array(func(i int) error {
		t, err := m.tensor()
		if err != nil {
			return at(fmt.Sprintf("%s[%d]", list, i), err)
		}
		if names[t.Name] {
			return invalid(fmt.Sprintf("%s[%d]", list, i), "a second tensor %s", quote(t.Name))
		}
		names[t.Name] = true
		tensors = append(tensors, t)
		return nil
	})
	return tensors, err
}

// at puts a place in front of that of an error.
func at(place string, err error) error {
	if e, ok := err.(*InvalidError); ok {
		if e.Place != "" {
			place += "." + e.Place
		}
		return &InvalidError{Place: place, Reason: e.Reason, Err: e.Err}
	}
	return err
}

// tensor reads a tensor. Its data may stand in front of the shape and datatype by which they are read.
func (m *message) tensor() (*Tensor, error) {
	t := &Tensor{}
	dataAt := -1
	var hasData bool
	err := m.members(func(key string) (err error) {
		switch key {
		case "name":
			t.Name, err = m.text()
		case "datatype":
			var name string
			if name, err = m.text(); err == nil {
				t.Datatype = Datatype(name)
				err = t.Datatype.check(key)
			}
		case "shape":
			t.Shape, err = m.shape()
		case "parameters":
			t.Parameters, err = m.parameters(key)
		case "data":
			hasData = true
			if t.Shape != nil && t.Datatype != "" {
				return at(key, m.elements(t))
			}
			m.next()
			dataAt = m.at
			_, err = m.skip(maxRank)
		default:
			_, err = m.skip(maxDepth)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := t.complete(); err != nil {
		return nil, err
	}
	if dataAt >= 0 {
		s := scanner{data: m.scanner.data, at: dataAt, memory: m.memory}
		if err := s.elements(t); err != nil {
			return nil, at("data", err)
		}
	}
	return t, m.binarySize(t, hasData)
}

// complete returns an error for a tensor that lacks a part.
func (t *Tensor) complete() error {
	switch {
	case t.Name == "":
		return invalid("name", "missing")
	case t.Datatype == "":
		return invalid("datatype", "tensor %s has none, such as FP32", quote(t.Name))
	case t.Shape == nil:
		return invalid("shape", "tensor %s has none", quote(t.Name))
	}
	return nil
}

// binarySize notes the bytes of a binary tensor, after checking them against its shape.
func (m *message) binarySize(t *Tensor, hasData bool) error {
	value, binary := t.Parameters[BinaryDataSize]
	if !binary {
		if !hasData {
			return invalid("data", "tensor %s has neither data nor the parameter %s", quote(t.Name), BinaryDataSize)
		}
		return nil
	}
	delete(t.Parameters, BinaryDataSize)
	size, ok := value.(int64)
	n, err := t.Shape.Numel()
	element := t.Datatype.DType().Size()
	switch {
	case hasData:
		return invalid("data", "tensor %s has data beside the parameter %s", quote(t.Name), BinaryDataSize)
	case !ok || size < 0:
		return invalid("parameters", "%s of %#v where a number of bytes is needed", BinaryDataSize, value)
	case err != nil:
		return invalid("shape", "%v", err)
	case t.Datatype != Bytes && size != int64(n)*int64(element):
		return invalid("parameters", "%s of %d where %s%v has %d", BinaryDataSize, size, string(t.Datatype), t.Shape, n*element)
	case t.Datatype == Bytes && size/4 < int64(n):
		return invalid("parameters", "%s of %d where %d elements have lengths of 4 bytes alone", BinaryDataSize, size, n)
	}
	t.Binary = true
	if m.binary == nil {
		m.binary = map[*Tensor]int64{}
	}
	m.binary[t] = size
	return nil
}

func (m *message) shape() (tensor.Shape, error) {
	shape := tensor.Shape{}
	err := m.array(func(i int) error {
		extent, err := m.integer(64)
		switch {
		case err != nil:
			return at("shape", err)
		case extent < 0 || extent > int64(^uint(0)>>1):
			return invalid("shape", "extent %d", extent)
		case i == maxRank:
			return invalid("shape", "more than %d dimensions", maxRank)
		}
		shape = append(shape, int(extent))
		return nil
	})
	if err != nil {
		return nil, err
	}
	if _, err := shape.Numel(); err != nil {
		return nil, invalid("shape", "%v", err)
	}
	return shape, nil
}

func (m *message) parameters(place string) (Parameters, error) {
	parameters := Parameters{}
	err := m.members(func(key string) error {
		if c := m.next(); c == '{' || c == '[' {
			return invalid(place, "%s: an array or object where a bool, number or string is needed", quote(key))
		}
		raw, err := m.skip(0)
		if err != nil {
			return at(place, err)
		}
		value, err := parameter(raw)
		if err != nil {
			return invalid(place, "%s: %v", quote(key), err)
		}
		parameters[key] = value
		return nil
	})
	return parameters, err
}

// parameter decodes a value that is no array, object or null, and whose form was checked.
func parameter(raw []byte) (any, error) {
	switch raw[0] {
	case 't', 'f':
		return raw[0] == 't', nil
	case '"':
		s := scanner{data: raw}
		return s.text()
	}
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return n, nil
	}
	v, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return nil, fmt.Errorf("%s does not fit FP64", raw)
	}
	return v, nil
}

func (m *message) requestedOutputs() ([]RequestedOutput, error) {
	var outputs []RequestedOutput
	err := m.array(func(i int) error {
		var o RequestedOutput
		err := m.members(func(key string) (err error) {
			switch key {
			case "name":
				o.Name, err = m.text()
			case "parameters":
				o.Parameters, err = m.parameters(key)
			default:
				_, err = m.skip(maxDepth)
			}
			return err
		})
		if err == nil && o.Name == "" {
			err = invalid("name", "missing")
		}
		for _, other := range outputs {
			if err == nil && other.Name == o.Name {
				err = invalid("", "a second output %s", quote(o.Name))
			}
		}
		outputs = append(outputs, o)
		return at(fmt.Sprintf("outputs[%d]", i), err)
	})
	return outputs, err
}
