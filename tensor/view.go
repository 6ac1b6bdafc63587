package tensor

import (
	"fmt"
	"slices"
	"unsafe"
)

// Reshape returns a view with another shape of as many elements; one extent may
// be -1 and is inferred. It fails on a tensor that is not contiguous.
func (t *Tensor) Reshape(shape ...int) (*Tensor, error) {
	if !t.IsContiguous() {
		return nil, fmt.Errorf("tensor: cannot reshape the non-contiguous %v with strides %v: take Contiguous first", t, t.strides)
	}
	s, err := InferShape(t.Numel(), shape)
	if err != nil {
		return nil, err
	}
	return &Tensor{dtype: t.dtype, shape: s, strides: s.Strides(), data: t.data, offset: t.offset, q: t.q, storage: t.storage}, nil
}

// InferShape resolves a single -1 in shape so that it holds n elements, as
// torch.reshape does.
func InferShape(n int, shape []int) (Shape, error) {
	s := slices.Clone(shape)
	infer := -1
	known := 1
	for i, d := range s {
		switch {
		case d == -1 && infer < 0:
			infer = i
		case d < 0:
			return nil, fmt.Errorf("tensor: bad shape %v: extents are at least 0, and one may be -1", Shape(shape))
		default:
			known *= d
		}
	}
	if infer >= 0 {
		if known == 0 || n%known != 0 {
			return nil, fmt.Errorf("tensor: shape %v does not divide %d elements", Shape(shape), n)
		}
		s[infer] = n / known
	}
	if got, err := Shape(s).Numel(); err != nil || got != n {
		return nil, fmt.Errorf("tensor: shape %v does not hold %d elements", Shape(shape), n)
	}
	return s, nil
}

// Permute returns a view with its dimensions in the given order, as
// torch.permute does.
func (t *Tensor) Permute(order ...int) (*Tensor, error) {
	if len(order) != len(t.shape) {
		return nil, fmt.Errorf("tensor: permutation %v does not fit %v", order, t)
	}
	seen := make([]bool, len(order))
	v := &Tensor{dtype: t.dtype, shape: make(Shape, len(order)), strides: make([]int, len(order)), data: t.data, offset: t.offset, q: t.q, storage: t.storage}
	for i, o := range order {
		if o < 0 {
			o += len(order)
		}
		if o < 0 || o >= len(order) || seen[o] {
			return nil, fmt.Errorf("tensor: %v is not a permutation of the dimensions of %v", order, t)
		}
		seen[o] = true
		v.shape[i], v.strides[i] = t.shape[o], t.strides[o]
	}
	return v, nil
}

// Slice returns the view of elements start, start+step, ... below end of one
// dimension. Bounds are taken as torch.Tensor slices are: negative ones count
// from the end, and both are clamped. step must be at least 1.
func (t *Tensor) Slice(axis, start, end, step int) (*Tensor, error) {
	a, err := t.shape.Axis(axis)
	if err != nil || len(t.shape) == 0 {
		return nil, fmt.Errorf("tensor: cannot slice dimension %d of %v", axis, t)
	}
	if step < 1 {
		return nil, fmt.Errorf("tensor: slice step %d is below 1", step)
	}
	start, n := SliceBounds(t.shape[a], start, end, step)
	v := &Tensor{dtype: t.dtype, shape: t.shape.Clone(), strides: slices.Clone(t.strides), data: t.data, offset: t.offset, q: t.q, storage: t.storage}
	v.shape[a] = n
	v.strides[a] *= step
	if n > 0 {
		v.offset += start * t.strides[a]
	}
	return v, nil
}

// SliceBounds returns the first index and the number of elements that a
// Python slice start:end:step takes of an extent; step is at least 1.
func SliceBounds(extent, start, end, step int) (first, n int) {
	clamp := func(i int) int {
		if i < 0 {
			i += extent
		}
		return min(max(i, 0), extent)
	}
	first, end = clamp(start), clamp(end)
	if end <= first {
		return first, 0
	}
	return first, (end-first-1)/step + 1
}

// Contiguous returns the tensor itself when its elements are contiguous, else a
// copy in row-major order.
func (t *Tensor) Contiguous() *Tensor {
	if t.IsContiguous() {
		return t
	}
	return t.Clone()
}

// Clone returns a contiguous copy.
func (t *Tensor) Clone() *Tensor {
	c := &Tensor{dtype: t.dtype, shape: t.shape.Clone(), strides: t.shape.Strides(), data: AlignedBytes(t.Numel() * t.dtype.Size()), q: t.q}
	copyInto(c, t)
	return c
}

// CopyFrom copies the elements of src, which must have the same shape and
// element type. The two may not overlap.
func (t *Tensor) CopyFrom(src *Tensor) error {
	if src == nil || t.dtype != src.dtype || !t.shape.Equal(src.shape) {
		return fmt.Errorf("tensor: cannot copy %v into %v", src, t)
	}
	copyInto(t, src)
	return nil
}

func copyInto(dst, src *Tensor) {
	if dst.Numel() == 0 {
		return
	}
	if d, s := dst.Bytes(), src.Bytes(); d != nil && s != nil {
		copy(d, s)
		return
	}
	switch src.dtype.Size() {
	case 1:
		copyStrided[uint8](dst, src)
	case 2:
		copyStrided[uint16](dst, src)
	case 4:
		copyStrided[uint32](dst, src)
	default:
		copyStrided[uint64](dst, src)
	}
}

// copyStrided copies between any two strided views of the same shape, one row
// of the innermost dimension at a time.
func copyStrided[T uint8 | uint16 | uint32 | uint64](dst, src *Tensor) {
	d, s := elements[T](dst), elements[T](src)
	rank := len(src.shape)
	if rank == 0 {
		d[dst.offset] = s[src.offset]
		return
	}
	inner, ds, ss := src.shape[rank-1], dst.strides[rank-1], src.strides[rank-1]
	index := make([]int, rank-1)
	do, so := dst.offset, src.offset
	for {
		for i, p, q := 0, do, so; i < inner; i, p, q = i+1, p+ds, q+ss {
			d[p] = s[q]
		}
		k := rank - 2
		for ; k >= 0; k-- {
			index[k]++
			do, so = do+dst.strides[k], so+src.strides[k]
			if index[k] < src.shape[k] {
				break
			}
			do, so = do-index[k]*dst.strides[k], so-index[k]*src.strides[k]
			index[k] = 0
		}
		if k < 0 {
			return
		}
	}
}

// elements returns the whole storage of a view as elements of T's size.
func elements[T any](t *Tensor) []T {
	var zero T
	data := t.memory()
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(data))), len(data)/int(unsafe.Sizeof(zero)))
}

// ViewID returns a text that two tensors have in common where they are the same view of the same memory, as long as they live.
func (t *Tensor) ViewID() string {
	return fmt.Sprint(unsafe.Pointer(t.storage), unsafe.Pointer(unsafe.SliceData(t.data)), len(t.data), t.dtype, t.offset, t.shape, t.strides)
}

// Span returns where a tensor lies: in a Storage the number of its first byte and of that behind its last, of other memory, nil, their
// addresses; 0 and 0 of a tensor without elements.
func (t *Tensor) Span() (memory *Storage, first, last uintptr) {
	if t.Numel() == 0 {
		return nil, 0, 0
	}
	end := t.offset + 1
	for i, d := range t.shape {
		end += (d - 1) * t.strides[i]
	}
	first, last = uintptr(t.offset*t.dtype.Size()), uintptr(end*t.dtype.Size())
	if t.storage != nil {
		return t.storage, first, last
	}
	at := uintptr(unsafe.Pointer(unsafe.SliceData(t.data)))
	return nil, at + first, at + last
}
