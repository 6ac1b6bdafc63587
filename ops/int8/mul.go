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
	a, b, y := p.In[0].Q, p.In[1].Q, op.Out
	lo, hi := Bounds(y, op.Act)
	return prepareBinary(p, asm.MulU8For(p.Tier), asm.BinaryU8Args{
		AZero: a.ZeroPoint[0], BZero: b.ZeroPoint[0], AMult: Multiplier(a.Scale[0], b.Scale[0], y.Scale[0]),
		Zero: y.ZeroPoint[0], Lo: lo, Hi: hi,
	}), nil
}

func (op Mul) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) { return binaryChannelsLast(op, in) }

func (Mul) WantsChannelsLast() bool { return false }
