package ops

import (
	"fmt"

	"github.com/octet-ml/octet/tensor"
)

// Cast converts elements to another type, as torch.Tensor.to does: floats
// become integers by truncation, integers wrap, and anything but zero is true.
type Cast struct {
	DType tensor.DType
}

func (Cast) Name() string { return "cast" }

// String shows the type in dumps.
func (op Cast) String() string { return fmt.Sprintf("cast(%v)", op.DType) }

func (op Cast) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if op.DType.Size() == 0 {
		return nil, Errorf(op, in, "there is no element type %v", op.DType)
	}
	if in[0].Q != nil {
		return nil, Errorf(op, in, "quantized values are not converted: dequantize first")
	}
	return fold(op, in, Type{DType: op.DType, Shape: in[0].Shape})
}

// IsView holds when nothing is to be converted.
func (op Cast) IsView(in, out []Type) bool { return in[0].DType == op.DType }

func (op Cast) Prepare(p *Prepare) (*Kernel, error) {
	switch in := p.In[0].DType; {
	case in == op.DType:
		return copyKernel(), nil
	case in.IsFloat():
		return castKernel[float64](p), nil
	}
	return castKernel[int64](p), nil
}

// castKernel converts through a type that holds every value of the input's.
func castKernel[W compute](p *Prepare) *Kernel {
	out := p.Out[0]
	r := newRows(out.Shape, out.Shape.Strides())
	load, store := loader[W](p.In[0].DType), storer[W](out.DType)
	task := func(c *Call, i int, w *Worker) {
		buf := buffers[W](w, 1)
		r.each(i, func(o int, _ [maxOperands]int, n int) {
			for k := 0; k < n; k += bufferLen {
				part := buf[:min(bufferLen, n-k)]
				load(part, base(c.In[0]), o+k, 1)
				store(base(c.Out[0]), o+k, part)
			}
		})
	}
	k := r.kernel("convert", task)
	k.WorkerScratch = bufferBytes[W](1)
	return k
}

// ChannelsLast is the same operator.
func (op Cast) ChannelsLast(in []Type) (Op, []int, bool) {
	return op, []int{0}, len(in[0].Shape) >= 3
}
