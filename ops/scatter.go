package ops

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/octet-ml/octet/tensor"
)

// ScatterFn is what becomes of an element that Scatter meets.
type ScatterFn uint8

// The functions, named as the reduce arguments of torch.scatter and
// torch.scatter_reduce.
const (
	ScatterSet ScatterFn = iota // is replaced; the last one in row-major order counts
	ScatterAdd
	ScatterMultiply
	ScatterMax
	ScatterMin
	numScatterFns
)

var scatterNames = [numScatterFns]string{"set", "add", "multiply", "amax", "amin"}

// String returns the name.
//
//go:noinline
func (f ScatterFn) String() string {
	if f < numScatterFns {
		return scatterNames[f]
	}
	return fmt.Sprintf("ScatterFn(%d)", uint8(f))
}

// MarshalText returns the name.
func (f ScatterFn) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText takes a name that String gives.
func (f *ScatterFn) UnmarshalText(text []byte) error {
	i := slices.Index(scatterNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown scatter function %q", text)
	}
	*f = ScatterFn(i)
	return nil
}

// Scatter puts elements into a copy of its first input, at their own place but
// for one dimension, where an index says, as torch.scatter, scatter_add and
// scatter_reduce (with include_self) do.
//
// Inputs: x, int64 indices, and the elements: of x's type and at least as large
// as the indices, or with Number one Python number for all.
type Scatter struct {
	Axis   int
	Fn     ScatterFn
	Number bool
}

func (Scatter) Name() string { return "scatter" }

func (op Scatter) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 3, 3); err != nil {
		return nil, err
	}
	if op.Fn >= numScatterFns {
		return nil, Errorf(op, in, "no such function")
	}
	if _, err := indexAlong(op, in, op.Axis); err != nil {
		return nil, err
	}
	if in[0].Q != nil || in[2].Q != nil {
		return nil, Errorf(op, in, "quantized values are not scattered: dequantize first")
	}
	src, index := in[2].Shape, in[1].Shape
	switch {
	case op.Number && len(src) != 0:
		return nil, Errorf(op, in, "a Python number has no dimensions")
	case op.Number:
	case in[2].DType != in[0].DType:
		return nil, Errorf(op, in, "the elements have another type")
	case in[1].Numel() == 0:
	case max(len(src), 1) != max(len(index), 1):
		return nil, Errorf(op, in, "the elements must have as many dimensions as the indices")
	default:
		for i := range min(len(src), len(index)) {
			if index[i] > src[i] {
				return nil, Errorf(op, in, "there are more indices than elements in dimension %d", i)
			}
		}
	}
	return fold(op, in, Type{DType: in[0].DType, Shape: in[0].Shape})
}

func (op Scatter) Prepare(p *Prepare) (*Kernel, error) {
	switch computeType(p.In[0].DType) {
	case tensor.Float32:
		return scatterKernel[float32](op, p)
	case tensor.Float64:
		return scatterKernel[float64](op, p)
	}
	return scatterKernel[int64](op, p)
}

func scatterKernel[W compute](op Scatter, p *Prepare) (*Kernel, error) {
	axis, err := lineAxis(op, p.In, op.Axis)
	if err != nil {
		return nil, err
	}
	if p.In[1].Numel() == 0 {
		return copyKernel(), nil
	}
	from := make([]int, max(len(p.In[2].Shape), 1))
	copy(from, p.In[2].Shape.Strides())
	if op.Number {
		from = make([]int, max(len(p.In[1].Shape), 1))
	} else if len(p.In[2].Shape) == 0 {
		from[0] = 1
	}
	to, extent := []int{1}, 1
	if s := p.In[0].Shape; len(s) > 0 {
		to, extent = s.Strides(), s[axis]
	}
	stride := to[axis]
	to[axis] = 0
	shape := p.In[1].Shape
	if len(shape) == 0 {
		shape = tensor.Shape{1}
	}
	r := newRows(shape, to, from)
	src, get, put := newSource[W](p.In[2].DType, p.In[0].DType, r.step[1]), loader[W](p.In[0].DType), storer[W](p.In[0].DType)
	combine := scatterFunction[W](op.Fn)
	name, size := op.Name(), p.In[0].DType.Size()
	runs := op.Fn == ScatterSet && !op.Number && r.step[0] == 1 && r.step[1] == 1 // of one index, such as one that is repeated for whole rows
	return &Kernel{
		Run: func(c *Call) error {
			if err := CheckIndices(name, c.In[1], 0, extent); err != nil {
				return err
			}
			copy(c.Out[0].Bytes(), c.In[0].Bytes())
			buf := buffers[W](&c.Workers[0], 1)
			one := scratchOf[W](c.Workers[0].Scratch, bufferBytes[W](1), 1)
			out, index, elements := base(c.Out[0]), base(c.In[1]), base(c.In[2])
			for i := range r.tasks {
				r.each(i, func(o int, in [maxOperands]int, n int) {
					if runs {
						copyRuns(out, elements, row[int64](index, o, n), in[0], in[1], stride, size)
						return
					}
					for k := 0; k < n; k += bufferLen {
						m := min(bufferLen, n-k)
						values := src.take(elements, in[1], k, m, buf)
						for j, v := range row[int64](index, o+k, m) {
							at := in[0] + (k+j)*r.step[0] + int(v)*stride
							get(one, out, at, 1)
							one[0] = combine(one[0], values[min(j, len(values)-1)])
							put(out, at, one)
						}
					}
				})
			}
			return nil
		},
		WorkerScratch: bufferBytes[W](1) + 8,
		Choice:        "elements",
		Parallel:      1,
	}, nil
}

// copyRuns copies elements of size bytes from one place on, each to its place from another on and an index times the stride further.
func copyRuns(out, elements unsafe.Pointer, index []int64, to, from, stride, size int) {
	for k := 0; k < len(index); {
		end := k + 1
		for end < len(index) && index[end] == index[k] {
			end++
		}
		n := (end - k) * size
		copy(row[byte](out, (to+k+int(index[k])*stride)*size, n), row[byte](elements, (from+k)*size, n))
		k = end
	}
}

func scatterFunction[W compute](fn ScatterFn) func(old, v W) W {
	switch fn {
	case ScatterAdd:
		return func(old, v W) W { return old + v }
	case ScatterMultiply:
		return func(old, v W) W { return old * v }
	case ScatterMax:
		return func(old, v W) W {
			if old > v || old != old {
				return old
			}
			return v
		}
	case ScatterMin:
		return func(old, v W) W {
			if old < v || old != old {
				return old
			}
			return v
		}
	}
	return func(_, v W) W { return v }
}
