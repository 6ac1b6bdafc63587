package int8

import (
	"github.com/octet-ml/octet/ops"
)

// Concat is ops.Concat of values with parameters of their own, as float32. Of integers with the same ones, it is ops.Concat itself.
//
// Inputs: uint8 with parameters, or float32. Output: float32.
type Concat struct {
	Axis int
}

// Name returns "int8.concat".
func (Concat) Name() string { return "int8.concat" }

func (op Concat) float() ops.Op { return ops.Concat{Axis: op.Axis} }

// Infer checks what ops.Concat does.
func (op Concat) Infer(in []ops.Type) ([]ops.Type, error) {
	return floatTypes(op, op.float(), in, len(in), nil)
}

// Prepare dequantizes and joins.
func (op Concat) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	return prepareFloat(p, op.float(), len(p.In), nil)
}
