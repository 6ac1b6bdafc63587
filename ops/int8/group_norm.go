package int8

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

func init() {
	registerForm(ops.GroupNorm{}, func(n Node) *Form {
		op := n.Op.(ops.GroupNorm)
		return normForm(n, func(out *tensor.QParams, both bool) ops.Op {
			return GroupNorm{GroupNormAttributes: ops.GroupNormAttributes(op), Out: out, Both: both}
		})
	})
	registerForm(ops.InstanceNorm{}, func(n Node) *Form {
		op := n.Op.(ops.InstanceNorm)
		return normForm(n, func(out *tensor.QParams, both bool) ops.Op {
			return InstanceNorm{InstanceNormAttributes: ops.InstanceNormAttributes(op), Out: out, Both: both}
		})
	})
}

// GroupNorm is ops.GroupNorm with a quantized output, q = quantize(group_norm(x)), whose float32 arithmetic is the same on every tier.
//
// Inputs: x, uint8 with parameters or float32, then weight and bias as ops.GroupNorm has them. Outputs: uint8 with qparams Out,
// then with Both what it is in float32.
type GroupNorm struct {
	ops.GroupNormAttributes
	Out  *tensor.QParams
	Both bool
}

// Name returns "int8.group_norm".
func (GroupNorm) Name() string { return "int8.group_norm" }

func (op GroupNorm) float() ops.Op { return ops.GroupNorm(op.GroupNormAttributes) }

// Infer checks what ops.GroupNorm does, and the parameters.
func (op GroupNorm) Infer(in []ops.Type) ([]ops.Type, error) {
	return normTypes(op, op.float(), in, 1, op.Out, op.Both)
}

// Prepare computes in float32 between integers.
func (op GroupNorm) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	return prepareFloat(p, op.float(), 1, op.Out)
}

// ChannelsLast leaves weight and bias as they are.
func (op GroupNorm) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	if op.NHWC || len(in[0].Shape) < 3 {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0}, true
}

// InstanceNorm is ops.InstanceNorm with a quantized output. Inputs, output and arithmetic are those of GroupNorm.
type InstanceNorm struct {
	ops.InstanceNormAttributes
	Out  *tensor.QParams
	Both bool
}

// Name returns "int8.instance_norm".
func (InstanceNorm) Name() string { return "int8.instance_norm" }

func (op InstanceNorm) float() ops.Op { return ops.InstanceNorm(op.InstanceNormAttributes) }

// Infer checks what ops.InstanceNorm does, and the parameters.
func (op InstanceNorm) Infer(in []ops.Type) ([]ops.Type, error) {
	return normTypes(op, op.float(), in, 1, op.Out, op.Both)
}

// Prepare computes in float32 between integers.
func (op InstanceNorm) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	return prepareFloat(p, op.float(), 1, op.Out)
}

// ChannelsLast leaves weight and bias as they are.
func (op InstanceNorm) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	if op.NHWC {
		return nil, nil, false
	}
	op.NHWC = true
	return op, []int{0}, true
}
