package ops

import (
	"fmt"
	"slices"

	"github.com/octet-ml/octet/tensor"
)

// PadFn says what a border takes.
type PadFn uint8

// The modes of torch.nn.functional.pad, but for constant, which is Pad.
const (
	Reflect   PadFn = iota // the elements inside the border, mirrored at it
	Replicate              // the nearest element
	Circular               // the elements at the other end
	numPadFns
)

var padNames = [numPadFns]string{"reflect", "replicate", "circular"}

// String returns PyTorch's name of the mode.
//
//go:noinline
func (f PadFn) String() string {
	if f < numPadFns {
		return padNames[f]
	}
	return fmt.Sprintf("PadFn(%d)", uint8(f))
}

// MarshalText returns the name.
func (f PadFn) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText takes a name that String gives.
func (f *PadFn) UnmarshalText(text []byte) error {
	i := slices.Index(padNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown padding %q", text)
	}
	*f = PadFn(i)
	return nil
}

// PadMode adds a border that takes its elements from the input, as
// torch.nn.functional.pad does in the other modes than constant. Before and
// After hold the elements added to each dimension; negative ones crop.
type PadMode struct {
	Fn            PadFn
	Before, After []int
}

// Name returns pad_reflect, pad_replicate or pad_circular.
func (op PadMode) Name() string { return "pad_" + op.Fn.String() }

func (op PadMode) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	s := in[0].Shape
	if op.Fn >= numPadFns || len(op.Before) != len(s) || len(op.After) != len(s) {
		return nil, Errorf(op, in, "padding %v, %v does not fit its dimensions", op.Before, op.After)
	}
	if q := in[0].Q; q != nil && q.Scheme.PerChannel() {
		return nil, Errorf(op, in, "cannot pad a value quantized per channel")
	}
	shape := make(tensor.Shape, len(s))
	for i, d := range s {
		before, after := op.Before[i], op.After[i]
		if before == 0 && after == 0 {
			shape[i] = d
			continue
		}
		// What a border of each mode can take at most.
		most := [numPadFns]int{d - 1, 1 << 30, d}[op.Fn]
		if d == 0 || before > most || after > most {
			return nil, Errorf(op, in, "padding %d, %d is more than dimension %d has", before, after, i)
		}
		if shape[i] = d + before + after; shape[i] < 1 || before < -d || after < -d {
			return nil, Errorf(op, in, "padding %d, %d crops all of dimension %d", before, after, i)
		}
	}
	if _, err := shape.Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return fold(op, in, Type{DType: in[0].DType, Shape: shape, Q: in[0].Q})
}

// source returns the input index of each output index of a dimension, in
// elements of the input.
func (op PadMode) source(axis, extent, out, stride int) []int {
	from := make([]int, out)
	for i := range from {
		k := i - op.Before[axis]
		switch {
		case k >= 0 && k < extent:
		case op.Fn == Reflect && k < 0:
			k = -k
		case op.Fn == Reflect:
			k = 2*(extent-1) - k
		case op.Fn == Replicate:
			k = min(max(k, 0), extent-1)
		default:
			k = (k + extent) % extent
		}
		from[i] = k * stride
	}
	return from
}

func (op PadMode) Prepare(p *Prepare) (*Kernel, error) {
	in, out := p.In[0].Shape, p.Out[0].Shape
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	strides := in.Strides()
	tables := make([][]int, len(out))
	for i := range out {
		tables[i] = op.source(i, in[i], out[i], strides[i])
	}
	if len(tables) == 0 {
		return copyKernel(), nil
	}
	// Dimensions at the end that are not padded move together.
	size, last := p.In[0].DType.Size(), len(out)-1
	for last > 0 && op.Before[last] == 0 && op.After[last] == 0 {
		last--
	}
	inner := size
	for _, d := range out[last+1:] {
		inner *= d
	}
	count := 1
	for _, d := range out[:last] {
		count *= d
	}
	line := tables[last]
	perTask, tasks := split(count, len(line)*inner/4)
	task := func(c *Call, i int, _ *Worker) {
		src, dst := c.In[0].Bytes(), c.Out[0].Bytes()
		for r := i * perTask; r < min((i+1)*perTask, count); r++ {
			at := 0
			for rest, d := r, last-1; d >= 0; d-- {
				at += tables[d][rest%out[d]]
				rest /= out[d]
			}
			to := dst[r*len(line)*inner:]
			for j, k := range line {
				copy(to[j*inner:(j+1)*inner], src[(at+k)*size:])
			}
		}
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		Choice:        "rows",
		Parallel:      tasks,
	}, nil
}

// ChannelsLast permutes the padding.
func (op PadMode) ChannelsLast(in []Type) (Op, []int, bool) {
	rank := len(in[0].Shape)
	if rank < 3 || len(op.Before) != rank || len(op.After) != rank {
		return nil, nil, false
	}
	before, after := make([]int, rank), make([]int, rank)
	for i := range rank {
		before[ChannelsLastAxis(i, rank)] = op.Before[i]
		after[ChannelsLastAxis(i, rank)] = op.After[i]
	}
	op.Before, op.After = before, after
	return op, []int{0}, true
}
