package int8

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Min is the lesser of two quantized values, requantized:
// with t = min(float32(a-za)*(sa/sy), float32(b-zb)*(sb/sy)), both products rounded,
// q = clamp(roundToEven(t) + zero point). An operand repeats where it has extent 1.
type Min struct {
	Act ops.Activation
	Out *tensor.QParams
}

func (Min) Name() string { return "int8.min" }

func (op Min) Infer(in []ops.Type) ([]ops.Type, error) { return inferBinary(op, in, op.Out, op.Act) }

func (op Min) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	return prepareBinary(p, asm.MinU8For(p.Tier), op.Out, op.Act, scaledOperands), nil
}

func (op Min) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) { return binaryChannelsLast(op, in) }
