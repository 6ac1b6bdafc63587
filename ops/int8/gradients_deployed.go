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
