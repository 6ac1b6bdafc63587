package int8

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Mul is the product of two quantized values, requantized:
// with t = float32((a-za)*(b-zb)) * (sa*sb/sy),
// q = clamp(roundToEven(t) + zero point). An operand repeats where it
// has extent 1, as the factors of squeeze-and-excite do over pixels.
type Mul struct {
	Act ops.Activation
	Out *tensor.QParams
}

func (Mul) Name() string { return "int8.mul" }

func (op Mul) Infer(in []ops.Type) ([]ops.Type, error) { return inferBinary(op, in, op.Out, op.Act) }

func (op Mul) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	return prepareBinary(p, asm.MulU8For(p.Tier), op.Out, op.Act, factors), nil
}

// factors returns the arguments of a kernel that brings the product of operands with parameters a and b to the scale of y.
func factors(a, b, y *tensor.QParams, act ops.Activation) asm.BinaryU8Args {
	args := scaledOperands(a, b, y, act)
	args.AMult, args.BMult = Multiplier(a.Scale[0], b.Scale[0], y.Scale[0]), 0
	return args
}

func (op Mul) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) { return binaryChannelsLast(op, in) }
