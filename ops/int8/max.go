package int8

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Max is the greater of two quantized values, requantized:
// with t = max(float32(a-za)*(sa/sy), float32(b-zb)*(sb/sy)), both products rounded,
// q = clamp(roundToEven(t) + zero point). An operand repeats where it has extent 1.
type Max struct {
	Act ops.Activation
	Out *tensor.QParams
}

func (Max) Name() string { return "int8.max" }

func (op Max) Infer(in []ops.Type) ([]ops.Type, error) { return inferBinary(op, in, op.Out, op.Act) }

func (op Max) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	return prepareBinary(p, asm.MaxU8For(p.Tier), op.Out, op.Act, scaledOperands), nil
}

func (op Max) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) { return binaryChannelsLast(op, in) }
