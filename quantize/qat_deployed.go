package quantize

import (
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
)

// The operators of the deployed forward compute with the arithmetic of the int8 operators; their
// gradients are those of the float operators, followed by a learnable fake-quantize, on the same values.

// params returns what int8 operators need to know of a spec.
func (s Spec) params() int8.Params {
	lo, hi := s.Range()
	return int8.Params{DType: s.DType, Scheme: s.Scheme, Min: lo, Max: hi}
}

// deployedLayer is int8.DeployedLayer with gradients.
type deployedLayer struct {
	int8.DeployedLayer
	weight Spec
	y      *Spec // nil: float32 output
}

// ChannelsLast lays out x, the residual and the outputs as NHWC.
func (op deployedLayer) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	inner, inputs, ok := op.DeployedLayer.ChannelsLast(in)
	if ok {
		op.DeployedLayer = inner.(int8.DeployedLayer)
	}
	return op, inputs, ok
}

// Grad goes back through the output's fake-quantize and the activation, then through the layer with the
// fake-quantized weight, and through the fake-quantize of the weight.
func (op deployedLayer) Grad(b ops.GradBuilder, in, out, dout []ops.Ref, need []bool) []ops.Ref {
	at := op.Inputs()
	grads := make([]ops.Ref, len(in))
	layer, act := withoutActivation(op.Layer)
	dz := dout[0]
	if op.y != nil {
		if dout[1] != nil {
			b.Fail(ops.NoGradient(op, "what is rounded has no gradient of its own"))
			return grads
		}
		if d := b.ApplyAll(LSQGrad{*op.y, act}, out[1], in[at.Y], in[at.Y+1], dz); len(d) == 3 {
			dz, grads[at.Y], grads[at.Y+1] = d[0], d[1], d[2]
		}
	} else if act != ops.NoActivation {
		lo, hi := act.Bounds()
		dz = b.Apply(ops.ClampGrad{Lo: lo, Hi: hi}, out[0], dz)
	}
	learn := LSQOp{op.weight}
	float := []int{at.X, at.W}
	args := []ops.Ref{in[at.X], b.Apply(learn, in[at.W], in[at.W+1], in[at.W+2])}
	needed := []bool{need[at.X], need[at.W] || need[at.W+1] || need[at.W+2]}
	for _, i := range []int{at.Bias, at.R} {
		if i >= 0 {
			float, args, needed = append(float, i), append(args, in[i]), append(needed, need[i])
		}
	}
	for i, d := range layer.Grad(b, args, []ops.Ref{dz}, []ops.Ref{dz}, needed) {
		grads[float[i]] = d
	}
	if d := grads[at.W]; d != nil {
		copy(grads[at.W:at.W+3], learn.Grad(b, in[at.W:at.W+3], nil, []ops.Ref{d}, nil))
	}
	return grads
}

// withoutActivation returns a layer and its activation apart.
func withoutActivation(op ops.Op) (ops.Differentiable, ops.Activation) {
	switch l := op.(type) {
	case ops.Conv:
		act := l.Act
		l.Act = ops.NoActivation
		return l, act
	case ops.Linear:
		act := l.Act
		l.Act = ops.NoActivation
		return l, act
	}
	return nil, ops.NoActivation
}

// deployedBinary is int8.DeployedBinary with gradients.
type deployedBinary struct {
	int8.DeployedBinary
	y Spec
}

// ChannelsLast works in any layout.
func (op deployedBinary) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	_, inputs, ok := op.DeployedBinary.ChannelsLast(in)
	return op, inputs, ok
}

// Grad goes back through the fake-quantize and the activation, and through the float sum or product.
func (op deployedBinary) Grad(b ops.GradBuilder, in, out, dout []ops.Ref, need []bool) []ops.Ref {
	grads := make([]ops.Ref, len(in))
	d := b.ApplyAll(LSQGrad{op.y, op.Act}, out[1], in[6], in[7], dout[0])
	if len(d) != 3 {
		return grads
	}
	operands := ops.Binary{Fn: op.Fn}.Grad(b, []ops.Ref{in[0], in[3]}, out[1:], d[:1], []bool{need[0], need[3]})
	grads[0], grads[3], grads[6], grads[7] = operands[0], operands[1], d[1], d[2]
	return grads
}

// deployedTable is int8.DeployedTable with gradients.
type deployedTable struct {
	int8.DeployedTable
	y Spec
}

// ChannelsLast works in any layout.
func (op deployedTable) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	_, inputs, ok := op.DeployedTable.ChannelsLast(in)
	return op, inputs, ok
}

// Grad goes back through the fake-quantize and the float function.
func (op deployedTable) Grad(b ops.GradBuilder, in, out, dout []ops.Ref, _ []bool) []ops.Ref {
	grads := make([]ops.Ref, len(in))
	float, ok := op.Op.(ops.Differentiable)
	if !ok {
		b.Fail(ops.NoGradient(op, "it has no gradient"))
		return grads
	}
	d := b.ApplyAll(LSQGrad{Spec: op.y}, out[1], in[3], in[4], dout[0])
	if len(d) != 3 {
		return grads
	}
	operands, need, at := make([]ops.Ref, len(op.Operands)), make([]bool, len(op.Operands)), 0
	for i, t := range op.Operands {
		if t != nil {
			operands[i] = b.Const(t)
			continue
		}
		operands[i], need[i], at = in[0], true, i
	}
	grads[0] = float.Grad(b, operands, out[1:], d[:1], need)[at]
	grads[3], grads[4] = d[1], d[2]
	return grads
}

// deployedAverage is int8.DeployedAverage with gradients.
type deployedAverage struct {
	int8.DeployedAverage
	y Spec
}

// ChannelsLast lays out input and outputs as NHWC.
func (op deployedAverage) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	inner, inputs, ok := op.DeployedAverage.ChannelsLast(in)
	if ok {
		op.DeployedAverage = inner.(int8.DeployedAverage)
	}
	return op, inputs, ok
}

// Grad goes back through the fake-quantize and the float pooling.
func (op deployedAverage) Grad(b ops.GradBuilder, in, out, dout []ops.Ref, _ []bool) []ops.Ref {
	grads := make([]ops.Ref, len(in))
	pool, ok := op.Pool.(ops.Differentiable)
	d := b.ApplyAll(LSQGrad{Spec: op.y}, out[1], in[3], in[4], dout[0])
	if len(d) == 3 && ok {
		grads[0], grads[3], grads[4] = pool.Grad(b, in[:1], out[1:], d[:1], []bool{true})[0], d[1], d[2]
	}
	return grads
}
