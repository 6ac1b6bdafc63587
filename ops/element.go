package ops

import (
	"math"
	"unsafe"

	"github.com/x448/float16"

	"github.com/octet-ml/octet/tensor"
)

// Elements of any type are computed in one of three Go types, which hold every
// value of the element types they stand for: float32 for float32, float16 and
// bfloat16, float64 for float64, int64 for integers and bool. Rows of other
// element types are converted through a buffer of the worker.

type compute interface{ float32 | float64 | int64 }

// bufferLen is how many elements are converted at a time: enough to amortise
// the calls, few enough to stay in the first-level cache.
const bufferLen = 1024

// computeType returns the element type that values of d are computed in.
func computeType(d tensor.DType) tensor.DType {
	switch d {
	case tensor.Float32, tensor.Float16, tensor.BFloat16:
		return tensor.Float32
	case tensor.Float64:
		return tensor.Float64
	}
	return tensor.Int64
}

// loadFunc converts the elements at, at+stride, ... of src into dst.
type loadFunc[W compute] func(dst []W, src unsafe.Pointer, at, stride int)

// storeFunc converts src into the elements from at on of dst.
type storeFunc[W compute] func(dst unsafe.Pointer, at int, src []W)

func loader[W compute](d tensor.DType) loadFunc[W] {
	switch d {
	case tensor.Float32:
		return loadNumbers[W, float32]
	case tensor.Float64:
		return loadNumbers[W, float64]
	case tensor.Float16:
		return loadFloat16s[W]
	case tensor.BFloat16:
		return loadBFloat16s[W]
	case tensor.Int8:
		return loadNumbers[W, int8]
	case tensor.Uint8, tensor.Bool: // a bool is stored as 0 or 1
		return loadNumbers[W, uint8]
	case tensor.Int32:
		return loadNumbers[W, int32]
	}
	return loadNumbers[W, int64]
}

func loadNumbers[W compute, T float32 | float64 | int8 | uint8 | int32 | int64](dst []W, src unsafe.Pointer, at, stride int) {
	if stride == 1 {
		for i, v := range row[T](src, at, len(dst)) {
			dst[i] = W(v)
		}
		return
	}
	for i := range dst {
		dst[i] = W(*element[T](src, at+i*stride))
	}
}

func loadFloat16s[W compute](dst []W, src unsafe.Pointer, at, stride int) {
	for i := range dst {
		dst[i] = W(float16.Frombits(*element[uint16](src, at+i*stride)).Float32())
	}
}

func loadBFloat16s[W compute](dst []W, src unsafe.Pointer, at, stride int) {
	for i := range dst {
		dst[i] = W(math.Float32frombits(uint32(*element[uint16](src, at+i*stride)) << 16))
	}
}

// storer returns the conversion to d that torch.Tensor.to makes: floats become
// integers by truncation toward zero, integers wrap, and anything but zero is
// true. Floats outside the integer's range give what they give on x86-64.
func storer[W compute](d tensor.DType) storeFunc[W] {
	switch d {
	case tensor.Float32:
		return storeNumbers[W, float32]
	case tensor.Float64:
		return storeNumbers[W, float64]
	case tensor.Float16:
		return func(dst unsafe.Pointer, at int, src []W) {
			out := row[uint16](dst, at, len(src))
			for i, v := range src {
				out[i] = float16.Fromfloat32(float32(v)).Bits()
			}
		}
	case tensor.BFloat16:
		return func(dst unsafe.Pointer, at int, src []W) {
			out := row[uint16](dst, at, len(src))
			for i, v := range src {
				out[i] = bfloat16Bits(float32(v))
			}
		}
	case tensor.Int8:
		return storeIntegers[W, int8](truncInt32)
	case tensor.Uint8:
		return storeIntegers[W, uint8](truncInt64)
	case tensor.Int32:
		return storeIntegers[W, int32](truncInt32)
	case tensor.Int64:
		return storeIntegers[W, int64](truncInt64)
	}
	return func(dst unsafe.Pointer, at int, src []W) {
		out := row[bool](dst, at, len(src))
		for i, v := range src {
			out[i] = v != 0
		}
	}
}

func storeNumbers[W compute, T float32 | float64](dst unsafe.Pointer, at int, src []W) {
	out := row[T](dst, at, len(src))
	for i, v := range src {
		out[i] = T(v)
	}
}

func storeIntegers[W compute, T int8 | uint8 | int32 | int64](trunc func(float64) int64) storeFunc[W] {
	if computeTypeOf[W]() == tensor.Int64 {
		return func(dst unsafe.Pointer, at int, src []W) {
			out := row[T](dst, at, len(src))
			for i, v := range src {
				out[i] = T(v)
			}
		}
	}
	return func(dst unsafe.Pointer, at int, src []W) {
		out := row[T](dst, at, len(src))
		for i, v := range src {
			out[i] = T(trunc(float64(v)))
		}
	}
}

// Go leaves the conversion of a float that does not fit to the machine, so the
// range is checked first.

func truncInt32(v float64) int64 {
	if v > math.MinInt32-1 && v < math.MaxInt32+1 {
		return int64(v)
	}
	return math.MinInt32
}

func truncInt64(v float64) int64 {
	if v >= -1<<63 && v < 1<<63 {
		return int64(v)
	}
	return math.MinInt64
}

// bfloat16Bits rounds to nearest even; NaN is one fixed quiet pattern, as
// rounding would carry some into infinity.
func bfloat16Bits(v float32) uint16 {
	if v != v {
		return 0x7fc0
	}
	b := math.Float32bits(v)
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

func computeTypeOf[W compute]() tensor.DType {
	var w W
	switch any(w).(type) {
	case float32:
		return tensor.Float32
	case float64:
		return tensor.Float64
	}
	return tensor.Int64
}

// element returns the address of element i of an array at p.
func element[T any](p unsafe.Pointer, i int) *T {
	var zero T
	return (*T)(unsafe.Add(p, i*int(unsafe.Sizeof(zero))))
}

// row returns elements at to at+n of an array at p.
func row[T any](p unsafe.Pointer, at, n int) []T { return unsafe.Slice(element[T](p, at), n) }

// scratchOf returns scratch memory as n elements, from the given byte on.
func scratchOf[T any](b []byte, from, n int) []T {
	var zero T
	_ = b[from : from+n*int(unsafe.Sizeof(zero))]
	return unsafe.Slice((*T)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), from)), n)
}
