package ops

import (
	"fmt"

	"github.com/octet-ml/octet/ops/asm"
)

// ChannelSum adds up a value over all dimensions but the channels: the gradient of a bias. Input: x [N, C, ...], or
// with NHWC [..., C]. Output: [C]. Sums of up to 256 rows are float32, those of sums float64.
type ChannelSum struct {
	NHWC bool
}

func (ChannelSum) Name() string { return "channel_sum" }

func (op ChannelSum) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	rank := len(in[0].Shape)
	switch {
	case op.NHWC && rank >= 1:
		return []Type{F32(in[0].Shape[rank-1])}, nil
	case !op.NHWC && rank >= 2:
		return []Type{F32(in[0].Shape[1])}, nil
	}
	return nil, Errorf(op, in, "there are no channels")
}

// ChannelsLast adds up over all dimensions but the last.
func (op ChannelSum) ChannelsLast(in []Type) (Op, []int, bool) {
	if op.NHWC || len(in[0].Shape) < 3 {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0}, true
}

// OutputsStay says that the output is no image.
func (ChannelSum) OutputsStay() {}

func (op ChannelSum) Prepare(p *Prepare) (*Kernel, error) {
	if p.In[0].Numel() == 0 {
		return clearKernel(), nil
	}
	m := newChannelMatrix(p.In[0].Shape, op.NHWC)
	c, kernel := m.channels, asm.ReduceF32For(p.Tier)
	task := func(call *Call, i int, w *Worker) {
		sum := scratchOf[float64](call.Scratch, 8*i*c, c)
		clear(sum)
		from, to := m.bounds(i)
		x, part := call.In[0].Float32s(), floatsOf(w.Scratch, 0, c)
		args := &w.Args.ReduceF32
		const rows = 256
		for o := from; o < to; {
			if m.inner > 1 {
				*args = asm.ReduceF32Args{Dst: &part[0], Src: &x[o*c*m.inner], SrcStride: 4 * m.inner, Rows: c, Cols: m.inner}
				kernel.RowSum(args)
				o++
			} else {
				n := min(rows, to-o)
				*args = asm.ReduceF32Args{Dst: &part[0], Src: &x[o*c], SrcStride: 4 * c, Rows: n, Cols: c}
				kernel.ColSum(args)
				o += n
			}
			for ch, v := range part {
				sum[ch] += float64(v)
			}
		}
	}
	return &Kernel{
		Run: func(call *Call) error {
			call.Parallel(m.tasks, task)
			for ch := range c {
				total := 0.0
				for i := range m.tasks {
					total += scratchOf[float64](call.Scratch, 8*i*c, c)[ch]
				}
				call.Out[0].Float32s()[ch] = float32(total)
			}
			return nil
		},
		Scratch:       scratchBytes(8, c, m.tasks),
		WorkerScratch: 4 * c,
		Choice:        fmt.Sprintf("%s %s", kernel.Op, kernel.Tier),
		Parallel:      m.tasks,
	}, nil
}
