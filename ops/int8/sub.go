package int8

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Sub is the difference of two quantized values, requantized:
// with t = float32(a-za)*(sa/sy) - float32(b-zb)*(sb/sy), both products rounded,
// q = clamp(roundToEven(t) + zero point). An operand repeats where it
// has extent 1.
type Sub struct {
	Act ops.Activation
	Out *tensor.QParams
}

func (Sub) Name() string { return "int8.sub" }

func (op Sub) Infer(in []ops.Type) ([]ops.Type, error) { return inferBinary(op, in, op.Out, op.Act) }

func (op Sub) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	return prepareBinary(p, asm.AddU8For(p.Tier), op.Out, op.Act, oppositeOperands), nil
}

func (op Sub) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) { return binaryChannelsLast(op, in) }

// oppositeOperands are scaledOperands with the second one's sign changed.
func oppositeOperands(a, b, y *tensor.QParams, act ops.Activation) asm.BinaryU8Args {
	args := scaledOperands(a, b, y, act)
	args.BMult = -args.BMult
	return args
}
