package int8

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Mul is the product of two quantized values, requantized: with
// t = float32((a-za)*(b-zb)) * (sa*sb/sy), q = clamp(roundToEven(t) + zero point).
//
// The second value has the shape of the first, or one element per image and
// channel, [N, C, 1...]: the gate of squeeze-and-excitation. With NHWC both have
// their channels last.
type Mul struct {
	Act  ops.Activation
	Out  *tensor.QParams
	NHWC bool
}

func (Mul) Name() string { return "int8.mul" }

func (op Mul) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 2 {
		return nil, ops.Errorf(op, in, "it takes two values")
	}
	for i := range in {
		if err := activation(op, in, i); err != nil {
			return nil, err
		}
	}
	if op.Out == nil {
		return nil, ops.Errorf(op, in, "its output must be quantized")
	}
	if !in[0].Shape.Equal(in[1].Shape) && !op.gates(in) {
		return nil, ops.Errorf(op, in, "the second value has neither the first one's shape nor one element per image and channel")
	}
	return []ops.Type{outputType(op.Out, in[0].Shape)}, nil
}

// gates reports whether the second value has one element per image and channel.
func (op Mul) gates(in []ops.Type) bool {
	a, b := in[0].Shape, in[1].Shape
	if len(a) < 3 || len(a) != len(b) {
		return false
	}
	batch, channels, _ := ops.SpatialOf(a, op.NHWC)
	gateBatch, gateChannels, spatial := ops.SpatialOf(b, op.NHWC)
	for _, d := range spatial {
		if d != 1 {
			return false
		}
	}
	return gateBatch == batch && gateChannels == channels
}

// Prepare runs one kernel call over all elements or, for a gate, one per image,
// with the rows of pixels sharing the gate's row.
func (op Mul) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	a, b, y := p.In[0].Q, p.In[1].Q, op.Out
	mult := float32(float64(a.Scale[0]) * float64(b.Scale[0]) / float64(y.Scale[0]))
	lo, hi := Bounds(y, op.Act)
	k := asm.MulU8For(p.Tier)
	args := asm.BinaryU8Args{AZero: a.ZeroPoint[0], BZero: b.ZeroPoint[0], AMult: mult, Zero: y.ZeroPoint[0], Lo: lo, Hi: hi}
	shape := p.In[0].Shape
	if shape.Equal(p.In[1].Shape) {
		return chunked(p, p.Out[0].Numel(), k.Info, func(c *ops.Call, wk *ops.Worker, from, to int) {
			wk.Args.BinaryU8 = args
			run := &wk.Args.BinaryU8
			run.M, run.N = 1, to-from
			run.A, run.B, run.C = &c.In[0].Uint8s()[from], &c.In[1].Uint8s()[from], &c.Out[0].Uint8s()[from]
			k.Run(run)
		}), nil
	}
	if !op.NHWC {
		return nil, &ops.UnsupportedError{Op: op.Name(), Reason: "a gate needs the channels last; compile the graph, or permute its inputs"}
	}
	batch, channels := shape[0], shape[len(shape)-1]
	pixels := p.Out[0].Numel() / max(batch*channels, 1)
	if batch*channels*pixels == 0 {
		return &ops.Kernel{Run: func(*ops.Call) error { return nil }, Choice: "empty", Parallel: 1}, nil
	}
	parts := min(ops.PixelTasks(pixels, channels, p.Threads), pixels)
	task := func(c *ops.Call, i int, wk *ops.Worker) {
		image, part := i/parts, i%parts
		from, to := part*pixels/parts, (part+1)*pixels/parts
		at := (image*pixels + from) * channels
		wk.Args.BinaryU8 = args
		run := &wk.Args.BinaryU8
		run.M, run.N, run.AStride, run.CStride = to-from, channels, channels, channels
		run.A = (*uint8)(unsafe.Add(base(c.In[0]), at))
		run.B = (*uint8)(unsafe.Add(base(c.In[1]), image*channels))
		run.C = (*uint8)(unsafe.Add(base(c.Out[0]), at))
		k.Run(run)
	}
	return &ops.Kernel{
		Run:      func(c *ops.Call) error { c.Parallel(batch*parts, task); return nil },
		Choice:   fmt.Sprintf("%s %s", k.Op, k.Tier),
		Parallel: batch * parts,
	}, nil
}

func (op Mul) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	if op.NHWC || len(in[0].Shape) < 3 {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0, 1}, true
}

// WantsChannelsLast is true: a gate works in no other layout.
func (Mul) WantsChannelsLast() bool { return true }
