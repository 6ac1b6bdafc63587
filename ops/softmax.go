package ops

import (
	"math"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Softmax is exp(x - max) / sum(exp(x - max)) along one dimension, or its
// logarithm, as torch.softmax and torch.log_softmax compute them.
type Softmax struct {
	Axis int
	Log  bool
}

// SoftmaxAttributes are the attributes of Softmax without its methods, for operators that share only those.
type SoftmaxAttributes Softmax

// Name returns softmax or log_softmax.
func (op Softmax) Name() string {
	if op.Log {
		return "log_softmax"
	}
	return "softmax"
}

func (op Softmax) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if _, err := lineAxis(op, in, op.Axis); err != nil {
		return nil, err
	}
	if !in[0].DType.IsFloat() || in[0].Q != nil {
		return nil, Errorf(op, in, "it is defined on floats only")
	}
	return fold(op, in, Type{DType: in[0].DType, Shape: in[0].Shape})
}

func (op Softmax) Prepare(p *Prepare) (*Kernel, error) {
	axis, err := lineAxis(op, p.In, op.Axis)
	if err != nil {
		return nil, err
	}
	if p.In[0].DType == tensor.Float64 {
		if op.Log {
			return lineKernel(p, axis, "rows", logSoftmaxRow[float64]), nil
		}
		return lineKernel(p, axis, "rows", softmaxRow[float64]), nil
	}
	if op.Log {
		return lineKernel(p, axis, "rows", logSoftmaxRow[float32]), nil
	}
	kernel := asm.SoftmaxF32For(p.Tier)
	if outer, n, inner := axisSplit(p.In[0].Shape, axis); p.In[0].DType == tensor.Float32 && inner > 1 && outer*n > 0 {
		return softmaxColumns(p.Tier, kernel, outer, n, inner), nil
	}
	return lineKernel(p, axis, kernel.Op+" "+kernel.Tier.String(), func(w *Worker, dst, src []float32) {
		args := &w.Args.SoftmaxF32
		*args = asm.SoftmaxF32Args{Dst: &dst[0], Src: &src[0], Rows: 1, Cols: len(src), Scale: 1}
		kernel.Run(args)
	}), nil
}

// softmaxBlock is how many lines across the innermost dimension are brought
// together at a time.
const softmaxBlock = 64

// softmaxColumns computes lines whose elements are inner apart: blocks of them
// are transposed, computed as rows and transposed back.
func softmaxColumns(tier asm.Tier, kernel *asm.SoftmaxF32, outer, n, inner int) *Kernel {
	t := asm.TransposeF32For(tier)
	blocks := (inner + softmaxBlock - 1) / softmaxBlock
	perTask, tasks := split(outer*blocks, n*min(inner, softmaxBlock))
	task := func(c *Call, i int, w *Worker) {
		for b := i * perTask; b < min((i+1)*perTask, outer*blocks); b++ {
			first := b % blocks * softmaxBlock
			cols := min(softmaxBlock, inner-first)
			at, length := b/blocks*n*inner+first, (n-1)*inner+cols
			lines := scratchOf[float32](w.Scratch, 0, n*cols)
			t.Run(lines, row[float32](base(c.In[0]), at, length), n, cols, n, inner)
			args := &w.Args.SoftmaxF32
			*args = asm.SoftmaxF32Args{Dst: &lines[0], Src: &lines[0], DstStride: 4 * n, SrcStride: 4 * n, Rows: cols, Cols: n, Scale: 1}
			kernel.Run(args)
			t.Run(row[float32](base(c.Out[0]), at, length), lines, cols, n, inner, n)
		}
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		WorkerScratch: scratchBytes(4, n, softmaxBlock),
		Choice:        kernel.Op + " " + kernel.Tier.String() + " over transposed blocks",
		Parallel:      tasks,
	}
}

func softmaxRow[W float32 | float64](_ *Worker, dst, src []W) {
	top := maxOf(src)
	var sum float64
	for i, x := range src {
		e := math.Exp(float64(x - top))
		dst[i] = W(e)
		sum += e
	}
	scale := W(1 / sum)
	for i := range dst {
		dst[i] *= scale
	}
}

func logSoftmaxRow[W float32 | float64](_ *Worker, dst, src []W) {
	top := maxOf(src)
	var sum float64
	for _, x := range src {
		sum += math.Exp(float64(x - top))
	}
	shift := math.Log(sum)
	for i, x := range src {
		dst[i] = W(float64(x-top) - shift)
	}
}

// maxOf returns the greatest of at least one value; a NaN may be passed over.
func maxOf[W float32 | float64](x []W) W {
	top := x[0]
	for _, v := range x[1:] {
		if v > top {
			top = v
		}
	}
	return top
}

// ChannelsLast moves the axis.
func (op Softmax) ChannelsLast(in []Type) (Op, []int, bool) {
	axis, err := in[0].Shape.Axis(op.Axis)
	if err != nil || len(in[0].Shape) < 3 {
		return nil, nil, false
	}
	op.Axis = ChannelsLastAxis(axis, len(in[0].Shape))
	return op, []int{0}, true
}
