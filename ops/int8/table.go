package int8

import (
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
		q := min(max(int32(i), in.Min), in.Max)
		x := float32(q-in.ZeroPoint[0]) * in.Scale[0]
		if f != nil {
			x = f(x)
		}
		t.Values[i] = uint8(ops.QuantizeScalar(x, out))
	}
	return t
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
