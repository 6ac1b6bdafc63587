package int8

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// Add is the sum of two quantized values, requantized:
// with t = float32(a-za)*(sa/sy) + float32(b-zb)*(sb/sy), both products rounded,
// q = clamp(roundToEven(t) + zero point). An operand repeats where it
// has extent 1.
//
// Without Out the sum is float32, of operands that are quantized or float32: (a-za)*sa + (b-zb)*sb.
type Add struct {
	Act ops.Activation
	Out *tensor.QParams
}

func (Add) Name() string { return "int8.add" }

func (op Add) Infer(in []ops.Type) ([]ops.Type, error) {
	if op.Out == nil {
		return floatTypes(op, op.float(), in, 2, nil)
	}
	return inferBinary(op, in, op.Out, op.Act)
}

// float returns the float32 operator, nil where the sum is requantized.
func (op Add) float() ops.Op {
	if op.Out != nil {
		return nil
	}
	return ops.Binary{Fn: ops.Add, Act: op.Act}
}

func (op Add) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	if op.Out == nil {
		return prepareFloat(p, op.float(), 2, nil)
	}
	return prepareBinary(p, asm.AddU8For(p.Tier), op.Out, op.Act, scaledOperands), nil
}

func (op Add) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) { return binaryChannelsLast(op, in) }
