package ops

import (
	"unsafe"

	"github.com/octet-ml/octet/tensor"
)

// ArgMax finds the first greatest element along a dimension, or the first
// least with Min, as torch.argmax, torch.max and their opposites do. A NaN is
// greater and less than everything.
//
// Outputs: the int64 indices; with Values the elements and then the indices.
type ArgMax struct {
	Axis     int
	Flat     bool // over all elements in row-major order; Axis is not used
	KeepDims bool
	Min      bool
	Values   bool
}

// Name returns argmax or argmin, with Values max or min.
func (op ArgMax) Name() string {
	name := "max"
	if op.Min {
		name = "min"
	}
	if op.Values {
		return name
	}
	return "arg" + name
}

func (op ArgMax) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	axis, err := lineAxis(op, in, op.Axis)
	if err != nil && !op.Flat {
		return nil, err
	}
	t := in[0]
	if t.DType == tensor.Bool && !op.Values {
		return nil, Errorf(op, in, "it is not defined on bool")
	}
	if t.Q != nil && t.Q.Scheme.PerChannel() {
		return nil, Errorf(op, in, "elements quantized per channel do not compare")
	}
	shape := tensor.Shape{}
	for i, d := range t.Shape {
		switch {
		case i != axis && !op.Flat:
			shape = append(shape, d)
		case d == 0 && (!op.Flat || op.KeepDims) || op.Flat && t.Numel() == 0:
			return nil, Errorf(op, in, "no element of dimension %d is the greatest or least", i)
		case op.KeepDims:
			shape = append(shape, 1)
		}
	}
	indices := Type{DType: tensor.Int64, Shape: shape}
	if op.Values {
		return fold(op, in, Type{DType: t.DType, Shape: shape, Q: t.Q}, indices)
	}
	return fold(op, in, indices)
}

func (op ArgMax) Prepare(p *Prepare) (*Kernel, error) {
	switch computeType(p.In[0].DType) {
	case tensor.Float32:
		return argMaxKernel[float32](op, p), nil
	case tensor.Float64:
		return argMaxKernel[float64](op, p), nil
	}
	return argMaxKernel[int64](op, p), nil
}

func argMaxKernel[W compute](op ArgMax, p *Prepare) *Kernel {
	in := p.In[0]
	outer, n, inner := 1, in.Numel(), 1
	if !op.Flat {
		axis, _ := in.Shape.Axis(op.Axis)
		outer, n, inner = axisSplit(in.Shape, axis)
	}
	count := outer * inner
	if count*n == 0 {
		return emptyKernel()
	}
	src, dst := newSource[W](in.DType, computeTypeOf[W](), inner), newSink[W](in.DType)
	src.direct = src.direct && inner == 1
	perTask, tasks := split(count, n)
	task := func(c *Call, i int, w *Worker) {
		from := base(c.In[0])
		buf := scratchOf[W](w.Scratch, 0, bufferLen)
		for line := i * perTask; line < min((i+1)*perTask, count); line++ {
			at := line/inner*n*inner + line%inner
			best, index := argMaxLine(op.Min, &src, from, at, n, buf)
			*element[int64](base(c.Out[len(c.Out)-1]), line) = int64(index)
			if op.Values {
				buf[0] = best
				dst.store(base(c.Out[0]), line, buf[:1])
			}
		}
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		WorkerScratch: bufferBytes[W](1),
		Choice:        "rows",
		Parallel:      tasks,
	}
}

func argMaxLine[W compute](least bool, src *source[W], from unsafe.Pointer, at, n int, buf []W) (best W, index int) {
	for k := 0; k < n; k += bufferLen {
		for j, v := range src.take(from, at, k, min(bufferLen, n-k), buf) {
			if k+j == 0 {
				best = v
				if v != v {
					return best, 0
				}
				continue
			}
			if v > best && !least || v < best && least || v != v {
				best, index = v, k+j
				if v != v {
					return best, index
				}
			}
		}
	}
	return best, index
}
