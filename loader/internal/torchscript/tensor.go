package torchscript

import (
	"errors"
	"fmt"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Tensor is a tensor of the program: as in PyTorch a reference to memory, which
// others may refer to, too, and operators may write to. A graph has no memory, only
// values; what is written is a new value of the memory, and views of it are
// computed again when they are next read.
type Tensor struct {
	store   *storage
	views   []view // how to get from the memory to the tensor
	value   *graph.Value
	version int // of the memory, that value is of
	strides []int
	number  *number // the only element of a tensor that was made from a number
	complex bool    // the value has the real and the imaginary part as a last dimension
}

// storage is memory.
type storage struct {
	value   *graph.Value // nil as long as param or number says it
	version int          // one more with each time that something is written
	number  *number      // of a tensor that was made from one, until something is written
	// Of a tensor that the file holds:
	param *tensor.Tensor
	name  string // path of the attribute
	id    int    // among what the program may change, 0 for what it made itself
}

// held returns the tensor that the file holds, as long as nothing was written
// to it, and nil for a view.
func (t *Tensor) held() *tensor.Tensor {
	if t.store.value != nil || len(t.views) > 0 {
		return nil
	}
	return t.store.param
}

// fresh returns a tensor with memory of its own.
func fresh(v *graph.Value) *Tensor {
	return &Tensor{store: &storage{value: v}, value: v, strides: v.Type.Shape.Strides()}
}

// parameter returns a tensor that the file holds, under the name of its first use.
func parameter(name string, t *tensor.Tensor) *Tensor {
	return &Tensor{store: &storage{param: t, name: name}, strides: t.Shape().Strides()}
}

// whole returns a tensor that is all of a memory.
func whole(s *storage) *Tensor {
	return &Tensor{store: s, value: s.value, version: s.version, number: s.number}
}

// ofNumber returns a tensor without dimensions that holds a number.
func ofNumber(n *number) *Tensor { return whole(&storage{number: n}) }

// typ returns element type, shape and quantization parameters.
func (t *Tensor) typ() ops.Type {
	switch {
	case t.value != nil:
		return t.value.Type
	case t.number != nil:
		return ops.Type{DType: t.number.kind.dtype(), Shape: tensor.Shape{}}
	}
	return ops.TypeOf(t.store.param)
}

// dtype returns the element type.
func (t *Tensor) dtype() tensor.DType { return t.typ().DType }

// rank returns the number of dimensions.
func (t *Tensor) rank() int {
	if t.complex {
		return len(t.typ().Shape) - 1
	}
	return len(t.typ().Shape)
}

// dims returns the extents of a tensor.
func (b *builder) dims(t *Tensor) []*number {
	if t.value != nil {
		return b.info[t.value].dims[:t.rank()]
	}
	return fixed(t.typ().Shape)
}

// valueDims returns the extents of a value.
func (b *builder) valueDims(v *graph.Value) []*number { return b.info[v].dims }

// setDims says what the extents of a value follow from, where its operator does not.
func (b *builder) setDims(v *graph.Value, dims []*number) { b.info[v].dims = dims }

// read returns the value of a tensor as it is now.
func (b *builder) read(t *Tensor) (*graph.Value, error) {
	s := t.store
	if t.value != nil && t.version == s.version && b.visible(t.value) {
		return b.local(t.value), nil
	}
	v, err := b.memory(t)
	if err != nil {
		return nil, err
	}
	for _, w := range t.views {
		if v, err = w.apply(b, v); err != nil {
			return nil, err
		}
	}
	t.value, t.version = v, s.version
	return v, nil
}

// memory returns the value of a tensor's memory.
func (b *builder) memory(t *Tensor) (*graph.Value, error) {
	s := t.store
	switch {
	case s.value != nil && b.visible(s.value):
		return b.local(s.value), nil
	case s.number != nil && s.version == 0:
		v, err := b.scalar(s.number)
		s.value = v
		return v, err
	case s.value == nil && s.param != nil:
		return b.constant(s.name, s.param), nil
	}
	return nil, errors.New("a value of a branch is used outside of it")
}

// write makes v the value of a tensor, and so of everything that shares its memory.
func (b *builder) write(t *Tensor, v *graph.Value) error {
	have := t.typ()
	if v.Type.DType != have.DType || !v.Type.Shape.Equal(have.Shape) || !v.Type.Q.Equal(have.Q) {
		return fmt.Errorf("a value of type %v is written to a tensor of %v", v.Type, have)
	}
	whole := v
	if len(t.views) > 0 {
		bases := make([]*graph.Value, len(t.views))
		base, err := b.memory(t)
		if err != nil {
			return err
		}
		for i, w := range t.views {
			bases[i] = base
			if base, err = w.apply(b, base); err != nil {
				return err
			}
		}
		for i := len(t.views) - 1; i >= 0; i-- {
			if whole, err = t.views[i].put(b, bases[i], whole); err != nil {
				return err
			}
		}
	}
	if b.beforeWrite != nil {
		b.beforeWrite(t.store)
	}
	t.store.value = whole
	t.store.version++
	t.value, t.version = v, t.store.version
	return nil
}

// viewOf returns a tensor that shares the memory of t.
func (b *builder) viewOf(t *Tensor, w view, strides []int) (*Tensor, error) {
	x, err := b.read(t)
	if err != nil {
		return nil, err
	}
	v, err := w.apply(b, x)
	if err != nil {
		return nil, err
	}
	return &Tensor{
		store: t.store, views: append(t.views[:len(t.views):len(t.views)], w),
		value: v, version: t.store.version, strides: strides, complex: t.complex,
	}, nil
}

// alias returns another tensor of the same memory and shape.
func alias(t *Tensor) *Tensor {
	a := *t
	return &a
}

// withStrides gives a tensor the strides of row-major order.
func (t *Tensor) withStrides() *Tensor {
	t.strides = t.typ().Shape.Strides()
	return t
}

// isContiguous reports whether PyTorch's tensor would lie in memory in
// row-major order.
func (t *Tensor) isContiguous() bool {
	n := 1
	shape := t.typ().Shape
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] == 0 {
			return true
		}
		if shape[i] != 1 && t.strides[i] != n {
			return false
		}
		n *= shape[i]
	}
	return true
}

// viewStrides returns the strides of a tensor under another shape, and false
// where PyTorch would have to copy it.
func viewStrides(shape tensor.Shape, strides []int, to tensor.Shape) ([]int, bool) {
	out := to.Strides()
	if n, err := shape.Numel(); err != nil || n == 0 {
		return out, true
	}
	// Runs of dimensions that lie side by side in memory can be divided anew.
	at := len(to) - 1
	end := len(shape) - 1
	run := 1
	for d := len(shape) - 1; d >= 0; d-- {
		run *= shape[d]
		if d > 0 && (shape[d-1] == 1 || strides[d-1] == shape[d]*strides[d]) {
			continue
		}
		stride := 0
		if end >= 0 {
			stride = strides[end]
		}
		have := 1
		for at >= 0 && (have < run || to[at] == 1) {
			out[at] = have * stride
			have *= to[at]
			at--
		}
		if have != run {
			return nil, false
		}
		end, run = d-1, 1
	}
	return out, at < 0
}
