package int8

import (
	"context"
	"slices"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Table maps each integer of a quantized value through 256 entries: requantization to other
// parameters and, in between, any function of one element.
type Table struct {
	Label  string // what the table computes: "requantize", "sigmoid"
	Values *[256]uint8
	Out    *tensor.QParams
}

// NewTable returns the table of y = f(x) from parameters in to out; f nil means the identity.
// Entry q is quantize(f(dequantize(q))).
func NewTable(label string, in, out *tensor.QParams, f func(float32) float32) Table {
	t := Table{Label: label, Values: new([256]uint8), Out: out}
	t.fill(in, f)
	return t
}

func (op Table) fill(in *tensor.QParams, f func(float32) float32) {
	for i := range op.Values {
		x := entry(i, in)
		if f != nil {
			x = f(x)
		}
		op.Values[i] = uint8(op.Out.Quantize(x, 0))
	}
}

// entry returns the value of integer i; those not in use have that of the nearest.
func entry(i int, q *tensor.QParams) float32 {
	return float32(min(max(int32(i), q.Min), q.Max)-q.ZeroPoint[0]) * q.Scale[0]
}

// TableOf returns the table of a float32 operator that works element by element, from
// parameters in to out: ops.Unary, or ops.Binary with a constant. operands are the
// operator's inputs, nil in the place of the quantized value and of one element elsewhere.
// The operator is computed by the plain Go kernels, so that the table is the same on every tier.
func TableOf(op ops.Op, in, out *tensor.QParams, operands ...*tensor.Tensor) (Table, error) {
	t := Table{Label: op.Name(), Values: new([256]uint8), Out: out}
	tab, err := newTabulation(op, operands)
	if err != nil {
		return Table{}, err
	}
	return t, tab.fill(t, in)
}

// tabulation computes an operator of one element on 256 values.
type tabulation struct {
	kernel *ops.Kernel
	call   ops.Call
	x, y   []float32
}

func newTabulation(op ops.Op, operands []*tensor.Tensor) (*tabulation, error) {
	x, err := tensor.New(tensor.Float32, 256)
	if err != nil {
		return nil, err
	}
	t := &tabulation{x: x.Float32s()}
	p := &ops.Prepare{Tier: asm.Generic, Threads: 1}
	for _, c := range operands {
		if c == nil {
			c = x
		} else if err := c.Load(); err != nil {
			return nil, err
		}
		t.call.In = append(t.call.In, c.Contiguous())
		p.In = append(p.In, ops.TypeOf(c))
	}
	p.In[slices.Index(operands, nil)] = ops.F32(256)
	if p.Out, err = op.Infer(p.In); err != nil {
		return nil, err
	}
	if p.Out[0].Numel() != 256 || p.Out[0].DType != tensor.Float32 {
		return nil, ops.Errorf(op, p.In, "it is no function of one element")
	}
	y, err := tensor.New(tensor.Float32, p.Out[0].Shape...)
	if err != nil {
		return nil, err
	}
	if t.kernel, err = op.Prepare(p); err != nil {
		return nil, err
	}
	t.y, t.call.Out, t.call.Context = y.Float32s(), []*tensor.Tensor{y}, context.Background()
	t.call.Scratch = tensor.AlignedBytes(t.kernel.Scratch)
	t.call.Workers = []ops.Worker{{Scratch: tensor.AlignedBytes(t.kernel.WorkerScratch), Pointers: make([]unsafe.Pointer, t.kernel.WorkerPointers)}}
	return t, nil
}

// compute computes the operator on any number of values.
func (t *tabulation) compute(dst, src []float32) error {
	for len(src) > 0 {
		n := copy(t.x, src)
		if err := t.kernel.Run(&t.call); err != nil {
			return err
		}
		copy(dst, t.y[:n])
		dst, src = dst[n:], src[n:]
	}
	return nil
}

// fill sets the values of a table from parameters in to its own.
func (t *tabulation) fill(table Table, in *tensor.QParams) error {
	for i := range t.x {
		t.x[i] = entry(i, in)
	}
	if err := t.kernel.Run(&t.call); err != nil {
		return err
	}
	for i, v := range t.y {
		table.Values[i] = uint8(table.Out.Quantize(v, 0))
	}
	return nil
}

func (op Table) Name() string { return "int8." + op.Label }

func (op Table) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 1 || op.Values == nil || op.Out == nil {
		return nil, ops.Errorf(op, in, "it takes one value and needs a table")
	}
	if err := activation(op, in, 0); err != nil {
		return nil, err
	}
	return []ops.Type{outputType(op.Out, in[0].Shape)}, nil
}

func (op Table) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	k := asm.LutU8For(p.Tier)
	return chunked(p, p.Out[0].Numel(), k.Info, func(c *ops.Call, _ *ops.Worker, from, to int) {
		k.Run(c.Out[0].Uint8s()[from:to], c.In[0].Uint8s()[from:to], op.Values)
	}), nil
}

func (op Table) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	return op, []int{0}, len(in[0].Shape) >= 3
}
