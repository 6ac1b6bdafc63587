package oip

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/octet-ml/octet/tensor"
)

// Parameters are the optional parameters of a message, a tensor or an output: values of bool, int64, float64 or string.
type Parameters map[string]any

// The parameters of the binary tensor data extension, and those of Triton's schedule policy and sequences.
const (
	BinaryDataSize   = "binary_data_size"   // of a tensor: its bytes behind the JSON
	BinaryData       = "binary_data"        // of a requested output: answer it in binary
	BinaryDataOutput = "binary_data_output" // of a request: answer all outputs in binary
)

// HeaderLength is the HTTP header that says how many bytes of a body are JSON, where binary tensors follow.
const HeaderLength = "Inference-Header-Content-Length"

// Tensor is a named tensor of a request or an answer.
type Tensor struct {
	Name       string
	Datatype   Datatype
	Shape      tensor.Shape
	Value      *tensor.Tensor // contiguous, of Datatype's element type and Shape; nil for BYTES
	Elements   [][]byte       // of BYTES, in row-major order
	Parameters Parameters     // without BinaryDataSize
	Binary     bool           // travels in binary, behind the JSON
}

// NewTensor returns a tensor of a message over the elements of t.
func NewTensor(name string, t *tensor.Tensor) *Tensor {
	return &Tensor{Name: name, Datatype: DatatypeOf(t.DType()), Shape: t.Shape(), Value: t.Contiguous()}
}

// NewBytes returns a tensor of BYTES with one dimension.
func NewBytes(name string, elements ...[]byte) *Tensor {
	return &Tensor{Name: name, Datatype: Bytes, Shape: tensor.Shape{len(elements)}, Elements: elements}
}

// check returns an error for a tensor whose parts do not fit together: it was not made by this package.
func (t *Tensor) check() error {
	n, err := t.Shape.Numel()
	switch {
	case err != nil:
		return fmt.Errorf("tensor %q: %w", t.Name, err)
	case t.Datatype == Bytes && len(t.Elements) != n:
		return fmt.Errorf("tensor %q: %d elements of BYTES for shape %v", t.Name, len(t.Elements), t.Shape)
	case t.Datatype != Bytes && (t.Value == nil || t.Value.DType() != t.Datatype.DType() || !t.Value.Shape().Equal(t.Shape)):
		return fmt.Errorf("tensor %q: value %v where %s %v is said", t.Name, t.Value, t.Datatype, t.Shape)
	case t.Datatype != Bytes && !t.Value.IsContiguous():
		return fmt.Errorf("tensor %q: its elements are not contiguous", t.Name)
	}
	return nil
}

// RequestedOutput is an output that a request asks for.
type RequestedOutput struct {
	Name       string
	Parameters Parameters // BinaryData: whether it is to come in binary
}

// InferRequest is a request for one inference. Model and version stand in its URL.
type InferRequest struct {
	ID         string
	Parameters Parameters
	Inputs     []*Tensor
	Outputs    []RequestedOutput // none: all outputs
}

// WantsBinary reports whether the request asks for the output with the given name in binary.
func (r *InferRequest) WantsBinary(output string) bool {
	all, _ := r.Parameters[BinaryDataOutput].(bool)
	for _, o := range r.Outputs {
		if one, ok := o.Parameters[BinaryData].(bool); ok && o.Name == output {
			return one
		}
	}
	return all
}

// InferResponse is the answer to an InferRequest.
type InferResponse struct {
	ModelName    string
	ModelVersion string
	ID           string
	Parameters   Parameters
	Outputs      []*Tensor
}

// keys returns the names of the parameters in order.
func (p Parameters) keys() []string {
	keys := make([]string, 0, len(p))
	for key := range p {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// append writes the parameters as a JSON object, its keys in order.
func (p Parameters) append(to []byte) ([]byte, error) {
	to = append(to, '{')
	for i, key := range p.keys() {
		if i > 0 {
			to = append(to, ',')
		}
		to = append(appendText(to, key), ':')
		switch value := p[key].(type) {
		case bool:
			to = strconv.AppendBool(to, value)
		case int64:
			to = strconv.AppendInt(to, value, 10)
		case int:
			to = strconv.AppendInt(to, int64(value), 10)
		case string:
			to = appendText(to, value)
		case float64:
			text, err := json.Marshal(value)
			if err != nil {
				return nil, fmt.Errorf("parameter %q: JSON has no %v", key, value)
			}
			to = append(to, text...)
		default:
			return nil, fmt.Errorf("parameter %q: a %T where bool, int64, float64 or string is needed", key, value)
		}
	}
	return append(to, '}'), nil
}

// appendText writes a JSON string.
func appendText(to []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(text) // there is no error for a string
			return append(to, quoted...)
		}
	}
	to = append(append(to, '"'), text...)
	return append(to, '"')
}
