package int8

import "github.com/octet-ml/octet/ops"

// The gradients of operators with learned parameters are those of the float operators, followed by a learnable fake-quantize, on the
// same values.

// Grad goes back through the output's fake-quantize and the activation, then through the layer with the
// fake-quantized weight, and through the fake-quantize of the weight.
func (op DeployedLayer) Grad(b ops.GradBuilder, in, out, dout []ops.Ref, need []bool) []ops.Ref {
	at := op.Inputs()
	grads := make([]ops.Ref, len(in))
	float := op.layer()
	act := float.Act
	float.Act = ops.NoActivation
	dz := dout[0]
	if op.Y != nil {
		if dout[1] != nil {
			b.Fail(ops.NoGradient(op, "what is rounded has no gradient of its own"))
			return grads
		}
		if d := b.ApplyAll(LSQGrad{*op.Y, act}, out[1], in[at.Y], in[at.Y+1], dz); len(d) == 3 {
			dz, grads[at.Y], grads[at.Y+1] = d[0], d[1], d[2]
		}
	} else if act != ops.NoActivation {
		lo, hi := act.Bounds()
		dz = b.Apply(ops.ClampGrad{Lo: lo, Hi: hi}, out[0], dz)
	}
	learn := LSQ{op.W}
	inputs := []int{at.X, at.W}
	args := []ops.Ref{in[at.X], b.Apply(learn, in[at.W], in[at.W+1], in[at.W+2])}
	needed := []bool{need[at.X], need[at.W] || need[at.W+1] || need[at.W+2]}
	for _, i := range []int{at.Bias, at.R} {
		if i >= 0 {
			inputs, args, needed = append(inputs, i), append(args, in[i]), append(needed, need[i])
		}
	}
	for i, d := range float.Float().(ops.Differentiable).Grad(b, args, []ops.Ref{dz}, []ops.Ref{dz}, needed) {
		grads[inputs[i]] = d
	}
	if d := grads[at.W]; d != nil {
		copy(grads[at.W:at.W+3], learn.Grad(b, in[at.W:at.W+3], nil, []ops.Ref{d}, nil))
	}
	return grads
}

// Grad goes back through the fake-quantize and the activation, and through the float sum or product.
func (op DeployedBinary) Grad(b ops.GradBuilder, in, out, dout []ops.Ref, need []bool) []ops.Ref {
	grads := make([]ops.Ref, len(in))
	d := b.ApplyAll(LSQGrad{op.Y, op.Act}, out[1], in[6], in[7], dout[0])
	if len(d) != 3 {
		return grads
	}
	operands := ops.Binary{Fn: op.Fn}.Grad(b, []ops.Ref{in[0], in[3]}, out[1:], d[:1], []bool{need[0], need[3]})
	grads[0], grads[3], grads[6], grads[7] = operands[0], operands[1], d[1], d[2]
	return grads
}

// Grad goes back through the fake-quantize and the float function.
func (op DeployedTable) Grad(b ops.GradBuilder, in, out, dout []ops.Ref, _ []bool) []ops.Ref {
	grads := make([]ops.Ref, len(in))
	float, ok := op.Op.(ops.Differentiable)
	if !ok {
		b.Fail(ops.NoGradient(op, "it has no gradient"))
		return grads
	}
	d := b.ApplyAll(LSQGrad{Params: op.Y}, out[1], in[3], in[4], dout[0])
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

// Grad goes back through the fake-quantize and the float pooling.
func (op DeployedAverage) Grad(b ops.GradBuilder, in, out, dout []ops.Ref, _ []bool) []ops.Ref {
	grads := make([]ops.Ref, len(in))
	pool, ok := op.Pool.(ops.Differentiable)
	d := b.ApplyAll(LSQGrad{Params: op.Y}, out[1], in[3], in[4], dout[0])
	if len(d) == 3 && ok {
		grads[0], grads[3], grads[4] = pool.Grad(b, in[:1], out[1:], d[:1], []bool{true})[0], d[1], d[2]
	}
	return grads
}
