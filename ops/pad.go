package ops

import (
	"math"
	"unsafe"

	"github.com/octet-ml/octet/tensor"
)

// Pad adds a constant border, as torch.nn.functional.pad does in constant mode.
// Before and After hold the elements added to each dimension; negative ones
// crop. A quantized value is padded with what its qparams make of Value.
type Pad struct {
	Before, After []int
	Value         float64
}

func (Pad) Name() string { return "pad" }

func (op Pad) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	s := in[0].Shape
	if len(op.Before) != len(s) || len(op.After) != len(s) {
		return nil, Errorf(op, in, "padding %v, %v does not fit its dimensions", op.Before, op.After)
	}
	if q := in[0].Q; q != nil && q.Scheme.PerChannel() {
		return nil, Errorf(op, in, "cannot pad a value quantized per channel")
	}
	shape := make(tensor.Shape, len(s))
	const limit = math.MaxInt / 4 // more than any value has, and sums do not overflow
	for i, d := range s {
		if max(op.Before[i], op.After[i]) > limit || min(op.Before[i], op.After[i]) < -limit {
			return nil, Errorf(op, in, "padding %d, %d of dimension %d is too large", op.Before[i], op.After[i], i)
		}
		shape[i] = d + op.Before[i] + op.After[i]
		if shape[i] < 0 || d+min(op.Before[i], 0) < 0 || d+min(op.After[i], 0) < 0 {
			return nil, Errorf(op, in, "padding %d, %d crops more than dimension %d has", op.Before[i], op.After[i], i)
		}
	}
	return []Type{{DType: in[0].DType, Shape: shape, Q: in[0].Q}}, nil
}

func (op Pad) Prepare(p *Prepare) (*Kernel, error) {
	in, out := p.In[0], p.Out[0]
	rank := len(in.Shape)
	inStrides, outStrides := in.Shape.Strides(), out.Shape.Strides()
	extent := make([]int, rank)
	var inOffset, outOffset int
	numel := 1
	for i := range extent {
		extent[i] = in.Shape[i] + min(op.Before[i], 0) + min(op.After[i], 0)
		numel *= max(extent[i], 0)
		inOffset += max(-op.Before[i], 0) * inStrides[i]
		outOffset += max(op.Before[i], 0) * outStrides[i]
	}
	inner := stridedKernel(p.Tier, newStrided(extent, inStrides, outStrides), in.DType.Size(), numel, inOffset, outOffset)
	fill := fillWith(out, op.Value)
	return &Kernel{
		Scratch: inner.Scratch,
		Run: func(c *Call) error {
			fill(c.Out[0])
			return inner.Run(c)
		},
		Choice:   "fill and strided copy",
		Parallel: inner.Parallel,
	}, nil
}

// fillWith returns a function that sets every element to value.
func fillWith(t Type, value float64) func(*tensor.Tensor) {
	if t.Q != nil {
		b := byte(t.Q.Quantize(float32(value), 0))
		return func(out *tensor.Tensor) { fill(out.Bytes(), b) }
	}
	if t.DType == tensor.Float32 {
		return func(out *tensor.Tensor) {
			raw := out.Bytes()
			fill(unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(raw))), len(raw)/4), float32(value))
		}
	}
	one := make([]byte, t.DType.Size())
	storer[float64](t.DType)(unsafe.Pointer(unsafe.SliceData(one)), 0, []float64{value})
	return func(out *tensor.Tensor) {
		raw := out.Bytes()
		for n := copy(raw, one); n < len(raw); n *= 2 {
			copy(raw[n:], raw[:n])
		}
	}
}

func fill[T any](s []T, v T) {
	for i := range s {
		s[i] = v
	}
}

// ChannelsLast permutes the padding.
func (op Pad) ChannelsLast(in []Type) (Op, []int, bool) {
	rank := len(in[0].Shape)
	if rank < 3 {
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
