package exported

import (
	"fmt"

	"github.com/octet-ml/octet/loader/internal/container"
	"github.com/octet-ml/octet/tensor"
)

// dtypes are the element types in the schema's numbering, which is another than that of
// TorchScript. Those of dtypeNames that are not here octet does not have.
var dtypes = map[int]tensor.DType{
	1: tensor.Uint8, 2: tensor.Int8, 3: tensor.Int32, 28: tensor.Int32, 34: tensor.Int64, 35: tensor.Int64, 4: tensor.Int32, 5: tensor.Int64, 6: tensor.Float16,
	7: tensor.Float32, 8: tensor.Float64, 10: tensor.Complex64, 11: tensor.Complex128, 12: tensor.Bool, 13: tensor.BFloat16,
}

var dtypeNames = map[int]string{
	1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64",
	9: "complex32", 10: "complex64", 11: "complex128", 12: "bool", 13: "bfloat16", 28: "uint16",
	29: "float8_e4m3fn", 30: "float8_e5m2", 31: "float8_e4m3fnuz", 32: "float8_e5m2fnuz", 33: "float8_e8m0fnu",
	34: "uint32", 35: "uint64",
}

// wides are the types that those of dtypes hold without being them.
var wides = map[int]*container.Wide{3: container.Int16, 28: container.Uint16, 34: container.Uint32, 35: container.Uint64}

// DType returns the element type, Invalid where octet does not compute with it.
func (t ScalarType) DType() tensor.DType {
	if wides[int(t)] != nil {
		return tensor.Invalid
	}
	return dtypes[int(t)]
}

func (t ScalarType) String() string { return dtypeName(int(t)) }

func dtypeName(n int) string {
	if name, ok := dtypeNames[n]; ok {
		return name
	}
	return fmt.Sprintf("element type %d", n)
}
