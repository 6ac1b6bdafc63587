package ops

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// MaxPool takes the maximum of each window, as torch.nn.functional.max_pool1d,
// 2d and 3d do. Padding never wins; a NaN does. It works on float32 and on
// quantized values, whose qparams it keeps.
type MaxPool struct {
	Kernel, Stride, Padding, Dilation []int
	CeilMode                          bool
	NHWC                              bool
}

// MaxPoolAttributes are the attributes of MaxPool without its methods, for operators that share only those.
type MaxPoolAttributes MaxPool

//go:noinline
func (op MaxPool) Name() string { return fmt.Sprintf("max_pool%dd", len(op.Kernel)) }

func (op MaxPool) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if in[0].DType != tensor.Float32 && in[0].DType != tensor.Uint8 {
		return nil, Errorf(op, in, "only float32 and uint8 values are pooled")
	}
	w, err := poolWindow(op, in, op.NHWC, WindowParams{op.Kernel, op.Stride, op.Padding, op.Dilation, op.CeilMode})
	if err != nil {
		return nil, err
	}
	_, c, spatial := SpatialOf(in[0].Shape, op.NHWC)
	return []Type{{DType: in[0].DType, Shape: imageShape(w.Batch, c, w.OutSpatial(len(spatial)), op.NHWC), Q: in[0].Q}}, nil
}

// poolWindow returns the geometry of a pooling operator.
func poolWindow(op Op, in []Type, nhwc bool, p WindowParams) (*Window, error) {
	if len(in[0].Shape) != len(p.Kernel)+2 {
		return nil, Errorf(op, in, "the input must have %d dimensions", len(p.Kernel)+2)
	}
	batch, _, spatial := SpatialOf(in[0].Shape, nhwc)
	w, reason := NewWindow(batch, spatial, p)
	if w == nil {
		return nil, Errorf(op, in, "%s", reason)
	}
	for i := range p.Kernel {
		if p.Padding[i]*2 > p.Kernel[i] {
			return nil, Errorf(op, in, "padding %d is more than half the kernel %d", p.Padding[i], p.Kernel[i])
		}
	}
	return w, nil
}

func (op MaxPool) ChannelsLast(in []Type) (Op, []int, bool) {
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0}, true
}

// WantsChannelsLast is true: all kernels work on NHWC.
func (MaxPool) WantsChannelsLast() bool { return true }

// Prepare runs one kernel call per row of the output. Taps outside the image point at values
// that never win.
func (op MaxPool) Prepare(p *Prepare) (*Kernel, error) {
	if !op.NHWC {
		return nil, &UnsupportedError{Op: op.Name(), Reason: "kernels need the channels last; compile the graph, or permute its input"}
	}
	w, err := poolWindow(op, p.In, true, WindowParams{op.Kernel, op.Stride, op.Padding, op.Dilation, op.CeilMode})
	if err != nil {
		return nil, err
	}
	c := p.In[0].Shape[len(p.In[0].Shape)-1]
	if w.Pixels()*c == 0 {
		return &Kernel{Run: func(*Call) error { return nil }, Choice: "empty", Parallel: 1}, nil
	}
	if p.In[0].DType == tensor.Uint8 {
		k := asm.MaxPoolU8For(p.Tier)
		rows, pad := NewRowTaps(w, c), tensor.AlignedBytes(c)
		return rowKernel(p, rows, c, pad, k.Info, func(wk *Worker, _ int, out unsafe.Pointer) {
			args := &wk.Args.MaxPoolU8
			*args = asm.MaxPoolU8Args{A: &wk.Pointers[0], AStep: rows.Step, KS: w.Taps(), C: c, P: rows.Pixels, Out: (*uint8)(out), OutStride: c}
			k.Run(args)
		}), nil
	}
	k := asm.PoolF32For(p.Tier)
	rows, pad := NewRowTaps(w, 4*c), tensor.AlignedBytes(4*c)
	fill(floatsOf(pad, 0, c), -inf)
	return rowKernel(p, rows, 4*c, pad, k.Info, func(wk *Worker, _ int, out unsafe.Pointer) {
		args := &wk.Args.PoolF32
		*args = asm.PoolF32Args{A: &wk.Pointers[0], AStep: rows.Step, KS: w.Taps(), C: c, P: rows.Pixels, Out: (*float32)(out), OutStride: 4 * c}
		k.Max(args)
	}), nil
}

// rowKernel prepares a kernel that runs once per row of output pixels, with the
// worker's pointers at their taps and pad under those outside the image.
func rowKernel(p *Prepare, rows *RowTaps, pixelBytes int, pad []byte, info asm.Info, run func(wk *Worker, row int, out unsafe.Pointer)) *Kernel {
	tasks := PixelTasks(rows.Rows, rows.Pixels*len(rows.Order)*pixelBytes/4, p.Threads)
	task := func(call *Call, i int, wk *Worker) {
		in, out := base(call.In[0]), base(call.Out[0])
		for row := i * rows.Rows / tasks; row < (i+1)*rows.Rows/tasks; row++ {
			rows.Fill(wk.Pointers, row, in, unsafe.Pointer(&pad[0]))
			run(wk, row, unsafe.Add(out, row*rows.Pixels*pixelBytes))
		}
	}
	return &Kernel{
		Interruptible:  true,
		Run:            func(call *Call) error { call.Parallel(tasks, task); return nil },
		WorkerPointers: rows.Pointers,
		Choice:         fmt.Sprintf("%s %s", info.Op, info.Tier),
		Parallel:       tasks,
	}
}

// PixelTasks returns how many tasks to divide pixels into when each costs the
// given number of operations.
func PixelTasks(pixels, cost, threads int) int {
	if threads == 1 || pixels*cost < 1<<16 {
		return 1
	}
	return min(pixels, 4*threads)
}
