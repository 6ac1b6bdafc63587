package tensor

import (
	"fmt"
	"math"

	"github.com/x448/float16"
)

// convertChunk is how many elements a conversion widens at a time: enough to
// amortise the calls, few enough to stay in the first-level cache.
const convertChunk = 1024

// To returns the tensor with its elements converted to dtype, as torch.Tensor.to
// does: the tensor itself when it has that type already, else a contiguous copy.
//
// Floats become integers by truncation toward zero. Beyond that PyTorch's result
// is the machine's; To gives on every machine what x86-64 gives: int64 and int32
// take their least value for NaN and whatever does not fit, int8 wraps what fits
// an int32, uint8 wraps what fits an int64. Integers wrap to narrower integers.
// float16 and bfloat16 are rounded to nearest even from float32, so float64 and
// int64 are rounded to float32 first. Anything but zero, NaN included, is true.
//
// A quantized tensor is not converted: its integers mean nothing without their
// scale. Dequantize it, or take WithQParams(nil) to convert the integers themselves.
func (t *Tensor) To(dtype DType) (*Tensor, error) {
	if dtype.Size() == 0 {
		return nil, fmt.Errorf("tensor: cannot convert %v to %v", t, dtype)
	}
	if t.dtype == dtype {
		return t, nil
	}
	if t.dtype.IsComplex() || dtype.IsComplex() {
		return nil, fmt.Errorf("tensor: cannot convert %v to %v: ViewAsReal gives the parts of complex numbers", t, dtype)
	}
	if t.q != nil {
		return nil, fmt.Errorf("tensor: cannot convert the quantized %v to %v: dequantize it first", t, dtype)
	}
	if t.storage != nil && t.Numel()*dtype.Size() >= leastDerived {
		return Derived(dtype, t.shape.Clone(), func() (*Tensor, error) {
			defer t.Evict()
			out := t.converted(dtype)
			return out, t.Err()
		})
	}
	return t.converted(dtype), nil
}

// leastDerived is the number of bytes from which on a conversion of memory that may be given back may be, too.
const leastDerived = 64 << 10

// converted is To where the types differ.
func (t *Tensor) converted(dtype DType) *Tensor {
	src := t.Contiguous()
	out := &Tensor{dtype: dtype, shape: t.shape.Clone(), strides: t.shape.Strides(), data: AlignedBytes(t.Numel() * dtype.Size())}
	if t.dtype.IsFloat() {
		convert(out, src, widenFloat, narrowFloat)
	} else {
		convert(out, src, widenInt, narrowInt)
	}
	return out
}

// convert runs src through a buffer of a type that holds each of its values
// exactly: float64 for floats, int64 for integers and bool.
func convert[W int64 | float64](dst, src *Tensor, widen func([]W, *Tensor, int), narrow func(*Tensor, int, []W)) {
	var buf [convertChunk]W
	for i, n := 0, src.Numel(); i < n; i += convertChunk {
		chunk := buf[:min(convertChunk, n-i)]
		widen(chunk, src, i)
		narrow(dst, i, chunk)
	}
}

func widenFloat(dst []float64, src *Tensor, at int) {
	switch src.dtype {
	case Float32:
		for i, v := range src.Float32s()[at : at+len(dst)] {
			dst[i] = float64(v)
		}
	case Float64:
		copy(dst, Data[float64](src)[at:])
	case Float16:
		for i, v := range Data[uint16](src)[at : at+len(dst)] {
			dst[i] = float64(float16.Frombits(v).Float32())
		}
	case BFloat16:
		for i, v := range Data[uint16](src)[at : at+len(dst)] {
			dst[i] = float64(math.Float32frombits(uint32(v) << 16))
		}
	}
}

func narrowFloat(dst *Tensor, at int, src []float64) {
	switch dst.dtype {
	case Float32:
		put(Data[float32](dst)[at:], src, func(v float64) float32 { return float32(v) })
	case Float64:
		copy(Data[float64](dst)[at:], src)
	case Float16:
		put(Data[uint16](dst)[at:], src, func(v float64) uint16 { return float16.Fromfloat32(float32(v)).Bits() })
	case BFloat16:
		put(Data[uint16](dst)[at:], src, func(v float64) uint16 { return bfloat16Bits(float32(v)) })
	case Int8:
		put(Data[int8](dst)[at:], src, func(v float64) int8 { return int8(truncInt32(v)) })
	case Uint8:
		put(Data[uint8](dst)[at:], src, func(v float64) uint8 { return uint8(truncInt64(v)) })
	case Int32:
		put(Data[int32](dst)[at:], src, truncInt32)
	case Int64:
		put(Data[int64](dst)[at:], src, truncInt64)
	case Bool:
		put(Data[bool](dst)[at:], src, func(v float64) bool { return v != 0 })
	}
}

func widenInt(dst []int64, src *Tensor, at int) {
	switch src.dtype {
	case Int8:
		for i, v := range src.Int8s()[at : at+len(dst)] {
			dst[i] = int64(v)
		}
	case Uint8:
		for i, v := range src.Uint8s()[at : at+len(dst)] {
			dst[i] = int64(v)
		}
	case Int32:
		for i, v := range src.Int32s()[at : at+len(dst)] {
			dst[i] = int64(v)
		}
	case Int64:
		copy(dst, src.Int64s()[at:])
	case Bool:
		for i, v := range Data[bool](src)[at : at+len(dst)] {
			dst[i] = 0
			if v {
				dst[i] = 1
			}
		}
	}
}

func narrowInt(dst *Tensor, at int, src []int64) {
	switch dst.dtype {
	case Float32:
		put(Data[float32](dst)[at:], src, func(v int64) float32 { return float32(v) })
	case Float64:
		put(Data[float64](dst)[at:], src, func(v int64) float64 { return float64(v) })
	case Float16:
		put(Data[uint16](dst)[at:], src, func(v int64) uint16 { return float16.Fromfloat32(float32(v)).Bits() })
	case BFloat16:
		put(Data[uint16](dst)[at:], src, func(v int64) uint16 { return bfloat16Bits(float32(v)) })
	case Int8:
		put(Data[int8](dst)[at:], src, func(v int64) int8 { return int8(v) })
	case Uint8:
		put(Data[uint8](dst)[at:], src, func(v int64) uint8 { return uint8(v) })
	case Int32:
		put(Data[int32](dst)[at:], src, func(v int64) int32 { return int32(v) })
	case Int64:
		copy(Data[int64](dst)[at:], src)
	case Bool:
		put(Data[bool](dst)[at:], src, func(v int64) bool { return v != 0 })
	}
}

func put[W int64 | float64, T Element](dst []T, src []W, f func(W) T) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = f(v)
	}
}

// bfloat16Bits rounds to the upper half of the bits, to nearest even. Rounding
// would carry some NaNs into infinity, so NaN is one fixed quiet pattern.
func bfloat16Bits(v float32) uint16 {
	if v != v {
		return 0x7fc0
	}
	b := math.Float32bits(v)
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// Go leaves the conversion of a float that does not fit to the machine, so the
// range is checked first.

func truncInt32(v float64) int32 {
	if v > math.MinInt32-1 && v < math.MaxInt32+1 {
		return int32(v)
	}
	return math.MinInt32
}

func truncInt64(v float64) int64 {
	if v >= -1<<63 && v < 1<<63 {
		return int64(v)
	}
	return math.MinInt64
}

// ViewAsReal returns complex numbers as pairs of floats [..., 2], the real and the imaginary part, as torch.view_as_real does. Numbers that do not
// lie in row-major order are copied.
func (t *Tensor) ViewAsReal() (*Tensor, error) {
	if !t.dtype.IsComplex() {
		return nil, fmt.Errorf("tensor: %v holds no complex numbers", t)
	}
	if err := t.Load(); err != nil {
		return nil, err
	}
	return FromBytes(t.dtype.Part(), t.Contiguous().Bytes(), append(t.shape.Clone(), 2)...)
}
