package oip

import "github.com/octet-ml/octet/tensor"

// Datatype is the protocol's name of an element type.
type Datatype string

// The element types of the protocol. UINT16, UINT32, UINT64 and INT16 are names that no tensor of this module has.
const (
	Bool   Datatype = "BOOL"
	Uint8  Datatype = "UINT8"
	Uint16 Datatype = "UINT16"
	Uint32 Datatype = "UINT32"
	Uint64 Datatype = "UINT64"
	Int8   Datatype = "INT8"
	Int16  Datatype = "INT16"
	Int32  Datatype = "INT32"
	Int64  Datatype = "INT64"
	FP16   Datatype = "FP16"
	BF16   Datatype = "BF16"
	FP32   Datatype = "FP32"
	FP64   Datatype = "FP64"
	Bytes  Datatype = "BYTES" // elements of any length: encoded images, texts
)

var dtypes = map[Datatype]tensor.DType{
	Bool:  tensor.Bool,
	Uint8: tensor.Uint8,
	Int8:  tensor.Int8,
	Int32: tensor.Int32,
	Int64: tensor.Int64,
	FP16:  tensor.Float16,
	BF16:  tensor.BFloat16,
	FP32:  tensor.Float32,
	FP64:  tensor.Float64,
}

var datatypes = func() map[tensor.DType]Datatype {
	names := make(map[tensor.DType]Datatype, len(dtypes))
	for name, dtype := range dtypes {
		names[dtype] = name
	}
	return names
}()

// DatatypeOf returns the name of a tensor's element type, "" for tensor.Invalid.
func DatatypeOf(dtype tensor.DType) Datatype { return datatypes[dtype] }

// DType returns the element type of tensors with this name, tensor.Invalid for BYTES and for names that tensors lack.
func (d Datatype) DType() tensor.DType { return dtypes[d] }

// check returns an error for a name that is not the protocol's, or of a type that tensors lack.
func (d Datatype) check(place string) error {
	switch d {
	case Bytes:
		return nil
	case Uint16, Uint32, Uint64, Int16:
		return invalid(place, "tensors of %s are not supported; those of BOOL, UINT8, INT8, INT32, INT64, FP16, BF16, FP32, FP64 and BYTES are", string(d))
	}
	if d.DType() == tensor.Invalid {
		return invalid(place, "%s is no datatype of the protocol, such as FP32 or INT64", quote(string(d)))
	}
	return nil
}
