package build

import (
	"errors"
	"fmt"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Tensor is a tensor of the program: as in PyTorch a reference to memory, which
// others may refer to, too, and operators may write to. A graph has no memory, only
// values; what is written is a new value of the memory, and views of it are
// computed again when they are next read.
type Tensor struct {
	Store   *Storage
	Path    *Path // from the memory to the tensor
	Value   *graph.Value
	Version int // of the memory, that value is of
	Strides []int
	Number  *Number // the only element of a tensor that was made from a number
	Complex bool    // the value has the real and the imaginary part as a last dimension
	Literal bool    // a constant that the program's code names, by itself and not an alias of it
}

// Storage is memory.
type Storage struct {
	Value   *graph.Value // nil as long as param or number says it
	Version int          // one more with each time that something is written
	Number  *Number      // of a tensor that was made from one, until something is written
	Short   bool         // its elements are int16 to the program, kept in int32
	// Of a tensor that the file holds:
	Param *tensor.Tensor
	Name  string // path of the attribute
	ID    int    // among what the program may change, 0 for what it made itself
}

// Held returns the tensor that the file holds, as long as nothing was written
// to it, and nil for a view.
func (t *Tensor) Held() *tensor.Tensor {
	if t.Store.Value != nil || t.Path != nil {
		return nil
	}
	return t.Store.Param
}

// NewTensor returns a tensor with memory of its own.
//
//go:noinline
func NewTensor(v *graph.Value) *Tensor {
	return &Tensor{Store: &Storage{Value: v}, Value: v, Strides: v.Type.Shape.Strides()}
}

// Parameter returns a tensor that the file holds, under the name of its first use.
//
//go:noinline
func Parameter(name string, t *tensor.Tensor) *Tensor {
	return &Tensor{Store: &Storage{Param: t, Name: name}, Strides: t.Shape().Strides()}
}

// OfStorage returns a tensor that is all of a memory.
//
//go:noinline
func OfStorage(s *Storage) *Tensor {
	return &Tensor{Store: s, Value: s.Value, Version: s.Version, Number: s.Number}
}

// OfNumber returns a tensor without dimensions that holds a number.
func OfNumber(n *Number) *Tensor { return OfStorage(&Storage{Number: n}) }

// Unwritten returns the number that the tensor was made from, as long as nothing was written to its memory.
func (t *Tensor) Unwritten() *Number {
	if t.Store.Version > 0 {
		return nil
	}
	return t.Number
}

// MadeFrom returns the same where the tensor has the element type that stands for such numbers: an
// int32 input is a number, too, but what is computed with it is of another type.
func (t *Tensor) MadeFrom() *Number {
	if n := t.Unwritten(); n != nil && t.DType() == n.Kind.DType() {
		return n
	}
	return nil
}

// Type returns element type, shape and quantization parameters.
//
//go:noinline
func (t *Tensor) Type() ops.Type {
	switch {
	case t.Value != nil:
		return t.Value.Type
	case t.Number != nil:
		return ops.Type{DType: t.Number.Kind.DType(), Shape: tensor.Shape{}}
	}
	return ops.TypeOf(t.Store.Param)
}

// DType returns the element type.
//
//go:noinline
func (t *Tensor) DType() tensor.DType { return t.Type().DType }

// Rank returns the number of dimensions.
func (t *Tensor) Rank() int {
	if t.Complex {
		return len(t.Type().Shape) - 1
	}
	return len(t.Type().Shape)
}

// Dims returns the extents of a tensor.
func (b *Builder) Dims(t *Tensor) []*Number {
	if t.Value != nil {
		return b.info[t.Value].dims[:t.Rank()]
	}
	return fixed(t.Type().Shape)
}

// ValueDims returns the extents of a value.
func (b *Builder) ValueDims(v *graph.Value) []*Number { return b.info[v].dims }

// SetDims says what the extents of a value follow from, where its operator does not.
func (b *Builder) SetDims(v *graph.Value, dims []*Number) { b.info[v].dims = b.settled(v, dims) }

// Read returns the value of a tensor as it is now.
func (b *Builder) Read(t *Tensor) (*graph.Value, error) {
	s := t.Store
	if t.Value != nil && t.Version == s.Version && b.visible(t.Value) {
		return b.local(t.Value), nil
	}
	v, err := b.Memory(t)
	if err != nil {
		return nil, err
	}
	for _, w := range t.Path.Views() {
		if v, err = w.Apply(b, v); err != nil {
			return nil, err
		}
	}
	t.Value, t.Version = v, s.Version
	return v, nil
}

// Memory returns the value of a tensor's memory.
func (b *Builder) Memory(t *Tensor) (*graph.Value, error) {
	s := t.Store
	switch {
	case s.Value != nil && b.visible(s.Value):
		return b.local(s.Value), nil
	case s.Number != nil && s.Version == 0:
		v, err := b.Scalar(s.Number)
		s.Value = v
		return v, err
	case s.Value == nil && s.Param != nil:
		return b.Constant(s.Name, s.Param), nil
	}
	return nil, errors.New("a value of a branch is used outside of it")
}

// Write makes v the value of a tensor, and so of everything that shares its memory.
func (b *Builder) Write(t *Tensor, v *graph.Value) error {
	have := t.Type()
	if v.Type.DType != have.DType || !v.Type.Shape.Equal(have.Shape) || !v.Type.Q.Equal(have.Q) {
		return fmt.Errorf("a value of type %v is written to a tensor of %v", v.Type, have)
	}
	whole := v
	if views := t.Path.Views(); len(views) > 0 {
		bases := make([]*graph.Value, len(views))
		base, err := b.Memory(t)
		if err != nil {
			return err
		}
		for i, w := range views {
			bases[i] = base
			if base, err = w.Apply(b, base); err != nil {
				return err
			}
		}
		for i, w := range slices.Backward(views) {
			if whole, err = w.Put(b, bases[i], whole); err != nil {
				return err
			}
		}
	}
	if b.BeforeWrite != nil {
		if err := b.BeforeWrite(t.Store); err != nil {
			return err
		}
	}
	t.Store.Value = whole
	t.Store.Version++
	t.Value, t.Version = v, t.Store.Version
	return nil
}

// ViewOf returns a tensor that shares the memory of t.
func (b *Builder) ViewOf(t *Tensor, w View, strides []int) (*Tensor, error) {
	x, err := b.Read(t)
	if err != nil {
		return nil, err
	}
	v, err := w.Apply(b, x)
	if err != nil {
		return nil, err
	}
	return &Tensor{
		Store: t.Store, Path: t.Path.Then(w),
		Value: v, Version: t.Store.Version, Strides: strides, Complex: t.Complex,
	}, nil
}

// Alias returns another tensor of the same memory and shape.
//
//go:noinline
func Alias(t *Tensor) *Tensor {
	a := *t
	a.Literal = false
	return &a
}

// WithStrides gives a tensor the strides of row-major order.
func (t *Tensor) WithStrides() *Tensor {
	t.Strides = t.Type().Shape.Strides()
	return t
}

// IsContiguous reports whether PyTorch's tensor would lie in memory in
// row-major order.
func (t *Tensor) IsContiguous() bool {
	n := 1
	shape := t.Type().Shape
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] == 0 {
			return true
		}
		if shape[i] != 1 && t.Strides[i] != n {
			return false
		}
		n *= shape[i]
	}
	return true
}

// ViewStrides returns the strides of a tensor under another shape, and false
// where PyTorch would have to copy it.
func ViewStrides(shape tensor.Shape, strides []int, to tensor.Shape) ([]int, bool) {
	out := to.Strides()
	if n, err := shape.Numel(); err != nil || n <= 1 {
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
