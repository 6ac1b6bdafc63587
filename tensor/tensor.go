package tensor

import (
	"fmt"
	"math"
	"slices"
	"unsafe"
)

// Alignment is the address alignment, in bytes, of memory New allocates: one
// cache line, which is also the widest vector register.
const Alignment = 64

// Tensor is a strided view of typed elements. The zero value is not usable;
// make one with New, FromSlice or FromBytes. A Tensor does not guard its memory: two
// goroutines may read one, and must not write one at the same time.
type Tensor struct {
	dtype   DType
	shape   Shape
	strides []int  // in elements
	data    []byte // from the view's first storage byte
	offset  int    // of the view's first element, in elements
	q       *QParams
	filler  int // rows at the end that are no samples

	storage *Storage // has the memory instead of data, nil where data is
}

// Element is the set of Go types that tensors store.
type Element interface {
	float32 | float64 | int8 | uint8 | int32 | int64 | bool | uint16 | complex64 | complex128
}

// AlignedBytes returns n zero bytes whose address is a multiple of Alignment.
//
//go:noinline
func AlignedBytes(n int) []byte {
	buf := make([]byte, n+Alignment-1)
	skip := 0
	if n > 0 {
		skip = -int(uintptr(unsafe.Pointer(unsafe.SliceData(buf)))) & (Alignment - 1)
	}
	return buf[skip : skip+n : skip+n]
}

// New returns a contiguous tensor of zeros.
func New(dtype DType, shape ...int) (*Tensor, error) {
	if dtype.Size() == 0 {
		return nil, fmt.Errorf("tensor: cannot make a tensor of %v", dtype)
	}
	n, err := Shape(shape).Numel()
	if err != nil {
		return nil, err
	}
	s := Shape(shape).Clone()
	if most := (math.MaxInt - Alignment) / dtype.Size(); n > most { // of 16 bytes, where ints have 32 bits
		return nil, fmt.Errorf("tensor: %v%v has too many elements: at most %d can be addressed", dtype, s, most)
	}
	return &Tensor{dtype: dtype, shape: s, strides: s.Strides(), data: AlignedBytes(n * dtype.Size())}, nil
}

// FromBytes returns a contiguous tensor over data, which it does not copy.
// data must hold exactly the shape's elements in little-endian order and be
// aligned to the element size.
func FromBytes(dtype DType, data []byte, shape ...int) (*Tensor, error) {
	n, err := Shape(shape).Numel()
	if err != nil {
		return nil, err
	}
	size := dtype.Size()
	if size == 0 || len(data) != n*size {
		return nil, fmt.Errorf("tensor: %d bytes do not hold shape %v of %v", len(data), Shape(shape), dtype)
	}
	if n > 0 && uintptr(unsafe.Pointer(unsafe.SliceData(data)))%uintptr(size) != 0 {
		return nil, fmt.Errorf("tensor: data for %v is not aligned to %d bytes", dtype, size)
	}
	s := Shape(shape).Clone()
	return &Tensor{dtype: dtype, shape: s, strides: s.Strides(), data: data}, nil
}

// FromSlice returns a contiguous tensor over values, which it does not copy.
// uint16 values are taken as float16 bit patterns.
func FromSlice[T Element](values []T, shape ...int) (*Tensor, error) {
	dtype := dtypeOf[T]()
	raw := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), len(values)*dtype.Size())
	return FromBytes(dtype, raw, shape...)
}

// Scalar returns a tensor of no dimensions that holds v.
func Scalar[T Element](v T) *Tensor {
	t, _ := FromSlice([]T{v})
	return t
}

func dtypeOf[T Element]() DType {
	var zero T
	switch any(zero).(type) {
	case float32:
		return Float32
	case float64:
		return Float64
	case int8:
		return Int8
	case uint8:
		return Uint8
	case int32:
		return Int32
	case int64:
		return Int64
	case bool:
		return Bool
	case complex64:
		return Complex64
	case complex128:
		return Complex128
	}
	return Float16
}

// View returns a tensor that reads data with the given strides and offset, both
// in elements. Every element the view can reach must lie inside data; strides
// must not be negative.
func View(dtype DType, data []byte, offset int, shape, strides []int) (*Tensor, error) {
	t, err := newView(dtype, len(data), offset, shape, strides)
	if err != nil {
		return nil, err
	}
	if t.Numel() > 0 && uintptr(unsafe.Pointer(unsafe.SliceData(data)))%uintptr(dtype.Size()) != 0 {
		return nil, fmt.Errorf("tensor: data for %v is not aligned to %d bytes", dtype, dtype.Size())
	}
	t.data = data
	return t, nil
}

// newView is View without the memory, of so many bytes.
func newView(dtype DType, bytes, offset int, shape, strides []int) (*Tensor, error) {
	size := dtype.Size()
	if size == 0 || len(shape) != len(strides) || offset < 0 {
		return nil, fmt.Errorf("tensor: bad view: dtype %v, shape %v, strides %v, offset %d", dtype, Shape(shape), strides, offset)
	}
	n, err := Shape(shape).Numel()
	if err != nil {
		return nil, err
	}
	have := bytes / size
	if n > 0 {
		last := offset
		for i, d := range shape {
			if strides[i] < 0 {
				return nil, fmt.Errorf("tensor: view %v has negative strides %v", Shape(shape), strides)
			}
			if d > 1 && strides[i] > 0 && strides[i] > (have-1-min(last, have-1))/(d-1) {
				last = have
				break
			}
			last += (d - 1) * strides[i]
		}
		if last >= have {
			return nil, fmt.Errorf("tensor: view %v with strides %v and offset %d reaches outside its storage of %d elements", Shape(shape), strides, offset, have)
		}
	}
	rank := len(shape)
	dims := slices.Concat(shape, strides)
	return &Tensor{dtype: dtype, shape: dims[:rank:rank], strides: dims[rank:], offset: offset}, nil
}

// DType returns the element type.
func (t *Tensor) DType() DType { return t.dtype }

// Shape returns the shape; the caller must not change it.
func (t *Tensor) Shape() Shape { return t.shape }

// Strides returns the strides in elements; the caller must not change them.
func (t *Tensor) Strides() []int { return t.strides }

// Dim returns the extent of dimension i; negative i counts from the end.
func (t *Tensor) Dim(i int) int {
	if i < 0 {
		i += len(t.shape)
	}
	return t.shape[i]
}

// Rank returns the number of dimensions.
func (t *Tensor) Rank() int { return len(t.shape) }

// Numel returns the number of elements.
func (t *Tensor) Numel() int { return t.shape.numel() }

// QParams returns the quantization parameters, nil for a tensor that is not
// quantized.
func (t *Tensor) QParams() *QParams { return t.q }

// WithQParams returns a view of the same elements that carries q.
//
//go:noinline
func (t *Tensor) WithQParams(q *QParams) *Tensor {
	v := *t
	v.q = q
	return &v
}

// IsContiguous reports whether the elements lie in row-major order without gaps.
func (t *Tensor) IsContiguous() bool {
	n := 1
	for i := len(t.shape) - 1; i >= 0; i-- {
		if t.shape[i] == 0 {
			return true
		}
		if t.shape[i] != 1 && t.strides[i] != n {
			return false
		}
		n *= t.shape[i]
	}
	return true
}

// memory returns what the view is of, from its first storage byte on.
func (t *Tensor) memory() []byte {
	if t.storage != nil {
		return t.storage.bytes()
	}
	return t.data
}

// Bytes returns the memory of a contiguous tensor, nil of any other.
func (t *Tensor) Bytes() []byte {
	if !t.IsContiguous() {
		return nil
	}
	size := t.dtype.Size()
	n := t.Numel() * size
	if n == 0 {
		return []byte{}
	}
	return t.memory()[t.offset*size : t.offset*size+n : t.offset*size+n]
}

// Data returns the elements of a contiguous tensor without copying, or nil when
// the tensor has another element type or is not contiguous. uint16 reads the bit
// patterns of float16 and bfloat16.
func Data[T Element](t *Tensor) []T {
	want := dtypeOf[T]()
	if t.dtype != want && !(want == Float16 && t.dtype == BFloat16) {
		return nil
	}
	raw := t.Bytes()
	if raw == nil {
		return nil
	}
	if len(raw) == 0 {
		return []T{}
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(raw))), len(raw)/t.dtype.Size())
}

// Float32s is Data[float32].
func (t *Tensor) Float32s() []float32 { return Data[float32](t) }

// Int8s is Data[int8].
func (t *Tensor) Int8s() []int8 { return Data[int8](t) }

// Uint8s is Data[uint8].
func (t *Tensor) Uint8s() []uint8 { return Data[uint8](t) }

// Int32s is Data[int32].
func (t *Tensor) Int32s() []int32 { return Data[int32](t) }

// Int64s is Data[int64].
func (t *Tensor) Int64s() []int64 { return Data[int64](t) }

// String describes the tensor without its elements: "float32[1, 3, 32, 32]".
func (t *Tensor) String() string {
	if t == nil {
		return "nil"
	}
	return t.dtype.String() + t.shape.String()
}

// Unbound returns a tensor of the given type and shape without memory. Rebind
// gives it some; until then it must not be read.
func Unbound(dtype DType, shape ...int) (*Tensor, error) {
	if dtype.Size() == 0 {
		return nil, fmt.Errorf("tensor: cannot make a tensor of %v", dtype)
	}
	if _, err := Shape(shape).Numel(); err != nil {
		return nil, err
	}
	s := Shape(shape).Clone()
	return &Tensor{dtype: dtype, shape: s, strides: s.Strides()}, nil
}

// IsBound reports whether a tensor has memory, or needs none: those of Unbound have
// none before Rebind.
func (t *Tensor) IsBound() bool { return t.data != nil || t.storage != nil || t.Numel() == 0 }

// Rebind makes t, which must be contiguous, use the memory of the contiguous
// src, which has as many bytes. It does not allocate.
func (t *Tensor) Rebind(src *Tensor) {
	t.data, t.storage = src.memory(), nil
	t.offset = src.offset * src.dtype.Size() / max(t.dtype.Size(), 1)
}
