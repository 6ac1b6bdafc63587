package grpcserve

import (
	"github.com/octet-ml/octet/serve/grpcserve/pb"
	"github.com/octet-ml/octet/serve/oip"
	"github.com/octet-ml/octet/tensor"
)

// contentsField is a field of InferTensorContents.
type contentsField struct {
	name   string
	length int
}

// filled returns the fields of contents that have elements.
func filled(c *pb.InferTensorContents) []contentsField {
	var fields []contentsField
	for _, f := range []contentsField{
		{"bool_contents", len(c.GetBoolContents())},
		{"int_contents", len(c.GetIntContents())},
		{"int64_contents", len(c.GetInt64Contents())},
		{"uint_contents", len(c.GetUintContents())},
		{"uint64_contents", len(c.GetUint64Contents())},
		{"fp32_contents", len(c.GetFp32Contents())},
		{"fp64_contents", len(c.GetFp64Contents())},
		{"bytes_contents", len(c.GetBytesContents())},
	} {
		if f.length > 0 {
			fields = append(fields, f)
		}
	}
	return fields
}

// fieldOf has the field of each datatype. FP16 and BF16 have none.
var fieldOf = map[oip.Datatype]string{
	oip.Bool:  "bool_contents",
	oip.Int8:  "int_contents",
	oip.Int32: "int_contents",
	oip.Int64: "int64_contents",
	oip.Uint8: "uint_contents",
	oip.FP32:  "fp32_contents",
	oip.FP64:  "fp64_contents",
	oip.Bytes: "bytes_contents",
}

// readContents fills t. Memory is taken once the number of elements is right.
func readContents(t *oip.Tensor, c *pb.InferTensorContents) error {
	want, err := t.Shape.Numel()
	if err != nil {
		return invalid("shape", "%v", err)
	}
	field, ok := fieldOf[t.Datatype]
	if !ok {
		return invalid("contents", "%s has no contents: give it in raw_input_contents", string(t.Datatype))
	}
	got := 0
	for _, f := range filled(c) {
		if f.name != field {
			return invalid("contents", "%s where the elements of %s are in %s", f.name, string(t.Datatype), field)
		}
		got = f.length
	}
	if got != want {
		return invalid("contents", "%d elements in %s where shape %v needs %d", got, field, t.Shape, want)
	}
	if t.Datatype == oip.Bytes {
		t.Elements = c.GetBytesContents()
		if t.Elements == nil {
			t.Elements = [][]byte{}
		}
		return nil
	}
	if t.Value, err = tensor.New(t.Datatype.DType(), t.Shape...); err != nil {
		return err
	}
	return copyContents(t, c)
}

func copyContents(t *oip.Tensor, c *pb.InferTensorContents) error {
	switch t.Datatype {
	case oip.Bool:
		copy(tensor.Data[bool](t.Value), c.GetBoolContents())
	case oip.Int8:
		return narrow(t, t.Value.Int8s(), c.GetIntContents())
	case oip.Int32:
		copy(t.Value.Int32s(), c.GetIntContents())
	case oip.Int64:
		copy(t.Value.Int64s(), c.GetInt64Contents())
	case oip.Uint8:
		return narrow(t, t.Value.Uint8s(), c.GetUintContents())
	case oip.FP32:
		copy(t.Value.Float32s(), c.GetFp32Contents())
	case oip.FP64:
		copy(tensor.Data[float64](t.Value), c.GetFp64Contents())
	}
	return nil
}

// narrow copies numbers that have to fit a type of fewer bits.
func narrow[T int8 | uint8, S int32 | uint32](t *oip.Tensor, to []T, from []S) error {
	for i, v := range from {
		to[i] = T(v)
		if S(to[i]) != v {
			return invalid("contents", "element %d is %d, which does not fit %s", i, v, string(t.Datatype))
		}
	}
	return nil
}

// writeResponse makes a message of an answer. Tensors that contents do not have are raw, and then all are.
func writeResponse(r *oip.InferResponse, raw bool) *pb.ModelInferResponse {
	answer := &pb.ModelInferResponse{ModelName: r.ModelName, ModelVersion: r.ModelVersion, Id: r.ID}
	for _, t := range r.Outputs {
		if _, ok := fieldOf[t.Datatype]; !ok {
			raw = true
		}
	}
	for _, t := range r.Outputs {
		out := &pb.ModelInferResponse_InferOutputTensor{Name: t.Name, Datatype: string(t.Datatype), Shape: make([]int64, len(t.Shape))}
		for i, n := range t.Shape {
			out.Shape[i] = int64(n)
		}
		if raw {
			answer.RawOutputContents = append(answer.RawOutputContents, t.Raw())
		} else {
			out.Contents = writeContents(t)
		}
		answer.Outputs = append(answer.Outputs, out)
	}
	return answer
}

// writeContents returns the elements of t, which are not copied where they have the type of their field.
func writeContents(t *oip.Tensor) *pb.InferTensorContents {
	c := &pb.InferTensorContents{}
	switch t.Datatype {
	case oip.Bool:
		c.BoolContents = tensor.Data[bool](t.Value)
	case oip.Int8:
		c.IntContents = widen[int32](t.Value.Int8s())
	case oip.Int32:
		c.IntContents = t.Value.Int32s()
	case oip.Int64:
		c.Int64Contents = t.Value.Int64s()
	case oip.Uint8:
		c.UintContents = widen[uint32](t.Value.Uint8s())
	case oip.FP32:
		c.Fp32Contents = t.Value.Float32s()
	case oip.FP64:
		c.Fp64Contents = tensor.Data[float64](t.Value)
	case oip.Bytes:
		c.BytesContents = t.Elements
	}
	return c
}

func widen[T int32 | uint32, S int8 | uint8](from []S) []T {
	to := make([]T, len(from))
	for i, v := range from {
		to[i] = T(v)
	}
	return to
}
