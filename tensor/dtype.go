// Package tensor holds the values octet computes with: typed, shaped, strided
// views over flat memory, the quantization parameters that give int8 values
// their meaning, and the conversions between element types.
package tensor

import "fmt"

// DType is the element type of a tensor.
type DType uint8

// The element types. Float64 exists because PyTorch stores Python scalars and
// some constants in it; no kernel computes in it.
const (
	Invalid DType = iota
	Float32
	Float16
	BFloat16
	Float64
	Int8
	Uint8
	Int32
	Int64
	Bool
	Complex64  // two float32, the real and the imaginary part: of inputs, outputs and files; graphs compute with pairs of floats
	Complex128 // two float64
)

var dtypes = [...]struct {
	name  string
	short string
	size  int
}{
	Invalid:  {"invalid", "?", 0},
	Float32:  {"float32", "f32", 4},
	Float16:  {"float16", "f16", 2},
	BFloat16: {"bfloat16", "bf16", 2},
	Float64:  {"float64", "f64", 8},
	Int8:     {"int8", "i8", 1},
	Uint8:    {"uint8", "u8", 1},
	Int32:    {"int32", "i32", 4},
	Int64:    {"int64", "i64", 8},
	Bool:     {"bool", "bool", 1},

	Complex64:  {"complex64", "c64", 8},
	Complex128: {"complex128", "c128", 16},
}

// Size returns the bytes one element takes, 0 for an invalid type.
func (d DType) Size() int {
	if int(d) >= len(dtypes) {
		return 0
	}
	return dtypes[d].size
}

// String returns NumPy's name of the type: "float32", "int64", "bool".
func (d DType) String() string {
	if int(d) >= len(dtypes) {
		return fmt.Sprintf("DType(%d)", uint8(d))
	}
	return dtypes[d].name
}

// Short returns the name used in graph dumps: "f32", "u8".
func (d DType) Short() string {
	if int(d) >= len(dtypes) {
		return d.String()
	}
	return dtypes[d].short
}

// IsFloat reports whether the type is a floating-point type.
func (d DType) IsFloat() bool {
	return d == Float32 || d == Float16 || d == BFloat16 || d == Float64
}

// IsInteger reports whether the type is an integer type; Bool is not.
func (d DType) IsInteger() bool {
	return d == Int8 || d == Uint8 || d == Int32 || d == Int64
}

// IsComplex reports whether elements are complex numbers.
func (d DType) IsComplex() bool { return d == Complex64 || d == Complex128 }

// Part returns the type of the real and of the imaginary part of complex numbers, Invalid of other types.
func (d DType) Part() DType {
	switch d {
	case Complex64:
		return Float32
	case Complex128:
		return Float64
	}
	return Invalid
}

// ParseDType returns the type with the given long or short name.
func ParseDType(name string) (DType, error) {
	for d := Float32; int(d) < len(dtypes); d++ {
		if dtypes[d].name == name || dtypes[d].short == name {
			return d, nil
		}
	}
	return Invalid, fmt.Errorf("tensor: unknown dtype %q", name)
}

// MarshalText returns the long name, and an error for an invalid type.
func (d DType) MarshalText() ([]byte, error) {
	if d.Size() == 0 {
		return nil, fmt.Errorf("tensor: %v has no name", d)
	}
	return []byte(d.String()), nil
}

// UnmarshalText takes a name that ParseDType takes.
func (d *DType) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDType(string(text))
	return err
}
