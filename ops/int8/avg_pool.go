package int8

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// AvgPool is ops.AvgPool on quantized values: the exact sum of the window's
// integers, requantized:
// q = clamp(roundToEven(float32(sum - n*zx) * m) + zero point), m = sx / (sy * count).
type AvgPool struct {
	ops.AvgPoolAttributes
	Out *tensor.QParams
}

// float returns the operator that this one stands for.
func (op AvgPool) float() ops.AvgPool { return ops.AvgPool(op.AvgPoolAttributes) }

func (op AvgPool) Name() string { return "int8." + op.float().Name() }

func (op AvgPool) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 1 {
		return nil, ops.Errorf(op, in, "it takes one value")
	}
	if err := activation(op, in, 0); err != nil {
		return nil, err
	}
	w, err := op.float().Window(op, in)
	if err != nil {
		return nil, err
	}
	return []ops.Type{outputType(op.Out, op.float().OutShape(w, in))}, nil
}

func (op AvgPool) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0}, true
}

// WantsChannelsLast is true: all kernels work on NHWC.
func (AvgPool) WantsChannelsLast() bool { return true }

// Prepare runs one kernel call per row of the output, or per pixel where their
// divisors differ. Taps outside the image are zero points, which add nothing.
func (op AvgPool) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	w, err := op.float().Window(op, p.In)
	if err != nil {
		return nil, err
	}
	if err := averageable(op, op.NHWC, op.Out); err != nil {
		return nil, err
	}
	c := p.In[0].Shape[len(p.In[0].Shape)-1]
	if w.Pixels()*c == 0 {
		return &ops.Kernel{Run: func(*ops.Call) error { return nil }, Choice: "empty", Parallel: 1}, nil
	}
	k, x := asm.AvgPoolU8For(p.Tier), p.In[0].Q
	rows := ops.NewRowTaps(w, c)
	count := make([]int, w.Pixels())
	for i := range count {
		count[i] = op.float().Count(w, i)
	}
	tasks := ops.PixelTasks(rows.Rows, rows.Pixels*c*w.Taps()/4, p.Threads)
	task := func(call *ops.Call, i int, wk *ops.Worker) {
		in, out, pad := base(call.In[0]), base(call.Out[0]), unsafe.Pointer(unsafe.SliceData(call.Scratch))
		args := &wk.Args.AvgPoolU8
		for row := i * rows.Rows / tasks; row < (i+1)*rows.Rows/tasks; row++ {
			rows.Fill(wk.Pointers, row, in, pad)
			for from := 0; from < rows.Pixels; {
				m := count[row*rows.Pixels+from:][:rows.Pixels-from]
				n := 1
				for n < len(m) && m[n] == m[0] {
					n++
				}
				*args = asm.AvgPoolU8Args{
					A: &wk.Pointers[from*rows.Step], AStep: rows.Step, KS: w.Taps(), C: c, P: n,
					Offset: int32(w.Taps()) * x.ZeroPoint[0], Mult: averageMultiplier(x, op.Out, m[0]),
					Zero: op.Out.ZeroPoint[0], Lo: op.Out.Min, Hi: op.Out.Max,
					Out: (*uint8)(unsafe.Add(out, c*(row*rows.Pixels+from))), OutStride: c,
				}
				k.Run(args)
				from += n
			}
		}
	}
	return &ops.Kernel{
		Run: func(call *ops.Call) error {
			for i := range call.Scratch[:c] {
				call.Scratch[i] = uint8(x.ZeroPoint[0])
			}
			call.Parallel(tasks, task)
			return nil
		},
		Scratch:        c,
		WorkerPointers: rows.Pointers,
		Choice:         fmt.Sprintf("%s %s", k.Op, k.Tier),
		Parallel:       tasks,
	}, nil
}

// averageable reports why an average has no kernel.
func averageable(op ops.Op, nhwc bool, out *tensor.QParams) error {
	switch {
	case !nhwc:
		return &ops.UnsupportedError{Op: op.Name(), Reason: "kernels need the channels last; compile the graph, or permute its input"}
	case out == nil:
		return &ops.UnsupportedError{Op: op.Name(), Reason: "its output must be quantized"}
	}
	return nil
}

// averageMultiplier returns sx / (sy * count), rounded once.
func averageMultiplier(x, y *tensor.QParams, count int) float32 {
	return float32(float64(x.Scale[0]) / (float64(y.Scale[0]) * float64(max(count, 1))))
}

// AdaptiveAvgPool is ops.AdaptiveAvgPool on quantized values, with the arithmetic of AvgPool.
type AdaptiveAvgPool struct {
	ops.AdaptiveAvgPoolAttributes
	Out *tensor.QParams
}

// float returns the operator that this one stands for.
func (op AdaptiveAvgPool) float() ops.AdaptiveAvgPool {
	return ops.AdaptiveAvgPool(op.AdaptiveAvgPoolAttributes)
}

func (op AdaptiveAvgPool) Name() string { return "int8." + op.float().Name() }

func (op AdaptiveAvgPool) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 1 {
		return nil, ops.Errorf(op, in, "it takes one value")
	}
	if err := activation(op, in, 0); err != nil {
		return nil, err
	}
	r, err := op.float().Regions(op, in)
	if err != nil {
		return nil, err
	}
	return []ops.Type{outputType(op.Out, op.float().OutShape(r, in))}, nil
}

func (op AdaptiveAvgPool) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0}, true
}

// WantsChannelsLast is true: all kernels work on NHWC.
func (AdaptiveAvgPool) WantsChannelsLast() bool { return true }

func (op AdaptiveAvgPool) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	r, err := op.float().Regions(op, p.In)
	if err != nil {
		return nil, err
	}
	if err := averageable(op, op.NHWC, op.Out); err != nil {
		return nil, err
	}
	c := p.In[0].Shape[len(p.In[0].Shape)-1]
	pixels := r.Pixels()
	if pixels*c == 0 {
		return &ops.Kernel{Run: func(*ops.Call) error { return nil }, Choice: "empty", Parallel: 1}, nil
	}
	k, x := asm.AvgPoolU8For(p.Tier), p.In[0].Q
	tasks := ops.PixelTasks(pixels, c*r.MaxTaps()/4, p.Threads)
	task := func(call *ops.Call, i int, wk *ops.Worker) {
		in, out := base(call.In[0]), base(call.Out[0])
		args := &wk.Args.AvgPoolU8
		for px := i * pixels / tasks; px < (i+1)*pixels/tasks; px++ {
			n := r.Fill(wk.Pointers, in, c, px)
			*args = asm.AvgPoolU8Args{
				A: &wk.Pointers[0], KS: n, C: c, P: 1,
				Offset: int32(n) * x.ZeroPoint[0], Mult: averageMultiplier(x, op.Out, n),
				Zero: op.Out.ZeroPoint[0], Lo: op.Out.Min, Hi: op.Out.Max,
				Out: (*uint8)(unsafe.Add(out, px*c)), OutStride: c,
			}
			k.Run(args)
		}
	}
	return &ops.Kernel{
		Interruptible:  true,
		Run:            func(call *ops.Call) error { call.Parallel(tasks, task); return nil },
		WorkerPointers: r.MaxTaps(),
		Choice:         fmt.Sprintf("%s %s", k.Op, k.Tier),
		Parallel:       tasks,
	}, nil
}
