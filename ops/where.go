package ops

import (
	"unsafe"

	"github.com/octet-ml/octet/tensor"
)

// Where takes elements of a where the condition holds and of b elsewhere, as
// torch.where does; torch.masked_fill is Where with the value as a.
//
// Inputs: a bool or uint8 condition, a, b, which broadcast together.
type Where struct {
	// ANumber and BNumber say that an input is a Python number, not a 0-d tensor.
	ANumber, BNumber bool
	// KeepB gives the result b's element type, as masked_fill does.
	KeepB bool
	// NHWC says that dimensions of the output are ordered NHWC. An input of lower
	// rank than the output still aligns with its dimensions in the order NCHW.
	NHWC bool
}

func (Where) Name() string { return "where" }

func (op Where) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 3, 3); err != nil {
		return nil, err
	}
	if d := in[0].DType; d != tensor.Bool && d != tensor.Uint8 || in[0].Q != nil {
		return nil, Errorf(op, in, "the condition must be bool")
	}
	if in[1].Q != nil || in[2].Q != nil {
		return nil, Errorf(op, in, "quantized values have no common scale: dequantize first")
	}
	if op.ANumber && len(in[1].Shape) != 0 || op.BNumber && len(in[2].Shape) != 0 {
		return nil, Errorf(op, in, "a Python number has no dimensions")
	}
	d := resultType([]operand{{in[1].DType, len(in[1].Shape), op.ANumber}, {in[2].DType, len(in[2].Shape), op.BNumber}})
	if op.KeepB {
		d = in[2].DType
		if in[1].DType.IsFloat() && !d.IsFloat() && !op.ANumber {
			return nil, Errorf(op, in, "a float does not fit in %v", d)
		}
	}
	if d == tensor.Invalid {
		return nil, Errorf(op, in, "these element types have no common one")
	}
	shape, err := broadcastShape(in, op.NHWC)
	if err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return fold(op, in, Type{DType: d, Shape: shape})
}

func (op Where) Prepare(p *Prepare) (*Kernel, error) {
	d := computeType(p.Out[0].DType)
	if p.In[1].DType.IsFloat() && !d.IsFloat() {
		d = tensor.Float64
	}
	switch d {
	case tensor.Float32:
		return whereKernel[float32](op, p), nil
	case tensor.Float64:
		return whereKernel[float64](op, p), nil
	}
	return whereKernel[int64](op, p), nil
}

func whereKernel[W compute](op Where, p *Prepare) *Kernel {
	out := p.Out[0]
	rank := len(out.Shape)
	_, cs := align(p.In[0].Shape, rank, op.NHWC)
	_, as := align(p.In[1].Shape, rank, op.NHWC)
	_, bs := align(p.In[2].Shape, rank, op.NHWC)
	r := newRows(out.Shape, cs, as, bs)
	a, b := newSource[W](p.In[1].DType, out.DType, r.step[1]), newSource[W](p.In[2].DType, out.DType, r.step[2])
	dst := newSink[W](out.DType)
	task := func(c *Call, i int, w *Worker) {
		buf := buffers[W](w, 3)
		cond, pa, pb, po := base(c.In[0]), base(c.In[1]), base(c.In[2]), base(c.Out[0])
		r.each(i, func(o int, in [maxOperands]int, n int) {
			for k := 0; k < n; k += bufferLen {
				m := min(bufferLen, n-k)
				y := dst.room(po, o+k, m, buf[2*bufferLen:])
				whereRow(y, cond, in[0]+k*r.step[0], r.step[0],
					a.take(pa, in[1], k, m, buf[:bufferLen]), b.take(pb, in[2], k, m, buf[bufferLen:2*bufferLen]))
				dst.put(po, o+k, y)
			}
		})
	}
	k := r.kernel("rows", task)
	k.WorkerScratch = bufferBytes[W](3)
	return k
}

// whereRow chooses elements of a or b, which have one element where it is the
// same for the whole row. The condition's bytes are step apart.
func whereRow[W compute](dst []W, cond unsafe.Pointer, at, step int, a, b []W) {
	as, bs := 0, 0
	if len(a) > 1 {
		as = 1
	}
	if len(b) > 1 {
		bs = 1
	}
	for i := range dst {
		if *element[uint8](cond, at) != 0 {
			dst[i] = a[i*as]
		} else {
			dst[i] = b[i*bs]
		}
		at += step
	}
}

// ChannelsLast keeps inputs of lower rank as they are.
func (op Where) ChannelsLast(in []Type) (Op, []int, bool) {
	inputs, ok := channelsLastInputs(in)
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	return op, inputs, ok
}
