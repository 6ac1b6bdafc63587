package ops

import (
	"unsafe"

	"github.com/octet-ml/octet/tensor"
)

// Gather takes, for every element of an index tensor, the element of the input
// at the same place but for one dimension, where the index says, as torch.gather does.
//
// Inputs: x and int64 indices of as many dimensions, no larger than x in any
// other dimension. Output: the shape of the indices.
type Gather struct {
	Axis int
}

func (Gather) Name() string { return "gather" }

func (op Gather) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	if _, err := indexAlong(op, in, op.Axis); err != nil {
		return nil, err
	}
	if q := in[0].Q; q != nil && q.Scheme.PerChannel() {
		return nil, Errorf(op, in, "elements quantized per channel differ in scale")
	}
	return fold(op, in, Type{DType: in[0].DType, Shape: in[1].Shape, Q: in[0].Q})
}

// indexAlong checks the indices of an operator that indexes one dimension of
// its first input element by element.
func indexAlong(op Op, in []Type, axis int) (int, error) {
	a, err := lineAxis(op, in, axis)
	if err != nil {
		return 0, err
	}
	x, index := in[0].Shape, in[1].Shape
	if in[1].DType != tensor.Int64 || in[1].Q != nil {
		return 0, Errorf(op, in, "the indices must be int64")
	}
	if in[1].Numel() == 0 {
		return a, nil // PyTorch takes empty indices of any shape
	}
	if max(len(x), 1) != max(len(index), 1) {
		return 0, Errorf(op, in, "the indices must have as many dimensions as the input")
	}
	for i := range min(len(x), len(index)) {
		if i != a && index[i] > x[i] {
			return 0, Errorf(op, in, "the indices are larger than the input in dimension %d", i)
		}
	}
	return a, nil
}

// alongRows walks indices of one dimension: operand 0 of the rows is the
// indexed tensor with that dimension left out.
func alongRows(index, x tensor.Shape, axis int) (r *rows, stride, extent int) {
	if len(index) == 0 {
		index = tensor.Shape{1}
	}
	if len(x) == 0 {
		x = tensor.Shape{1}
	}
	strides := x.Strides()
	stride, extent = strides[axis], x[axis]
	strides[axis] = 0
	return newRows(index, strides), stride, extent
}

func (op Gather) Prepare(p *Prepare) (*Kernel, error) {
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	axis, err := lineAxis(op, p.In, op.Axis)
	if err != nil {
		return nil, err
	}
	r, stride, extent := alongRows(p.In[1].Shape, p.In[0].Shape, axis)
	gather := bySize(p.In[0].DType, gatherRow[uint8], gatherRow[uint16], gatherRow[uint32], gatherRow[uint64])
	k := r.kernel("elements", func(c *Call, i int, _ *Worker) {
		src, dst, index := base(c.In[0]), base(c.Out[0]), base(c.In[1])
		r.each(i, func(o int, in [maxOperands]int, n int) {
			gather(dst, src, row[int64](index, o, n), o, in[0], r.step[0], stride)
		})
	})
	run, name := k.Run, op.Name()
	k.Run = func(c *Call) error {
		if err := CheckIndices(name, c.In[1], 0, extent); err != nil {
			return err
		}
		return run(c)
	}
	return k, nil
}

// bySize returns the function for elements of a type's size.
func bySize[F any](d tensor.DType, one, two, four, eight F) F {
	switch d.Size() {
	case 1:
		return one
	case 2:
		return two
	case 4:
		return four
	}
	return eight
}

// gatherRow copies to elements o, o+1, ... those at from, from+step, ... plus
// index*stride.
func gatherRow[T any](dst, src unsafe.Pointer, index []int64, o, from, step, stride int) {
	for j, v := range index {
		*element[T](dst, o+j) = *element[T](src, from+j*step+int(v)*stride)
	}
}
