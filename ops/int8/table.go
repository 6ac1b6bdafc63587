package int8

import (
	"slices"

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
	for i := range t.Values {
		x := entry(i, in)
		if f != nil {
			x = f(x)
		}
		t.Values[i] = uint8(out.Quantize(x, 0))
	}
	return t
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
	x, err := tensor.New(tensor.Float32, 256)
	if err != nil {
		return Table{}, err
	}
	for i := range x.Float32s() {
		x.Float32s()[i] = entry(i, in)
	}
	inputs := slices.Clone(operands)
	inputs[slices.Index(inputs, nil)] = x
	y, err := ops.Eval(op, asm.Generic, nil, inputs...)
	if err != nil {
		return Table{}, err
	}
	t := Table{Label: op.Name(), Values: new([256]uint8), Out: out}
	for i, v := range y[0].Float32s() {
		t.Values[i] = uint8(out.Quantize(v, 0))
	}
	return t, nil
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

func (Table) WantsChannelsLast() bool { return false }
