package ops

// Grad: with z = conv(x, W) + b + r and dz behind the activation, dx is the
// transposed convolution of dz, dW correlates x with dz, db sums dz over all but
// the channels, dr = dz.
func (op Conv) Grad(b GradBuilder, in, out, dout []Ref, need []bool) []Ref {
	dz := activationGrad(b, op.Act, out[0], dout[0])
	grads := make([]Ref, len(in))
	if need[0] {
		_, _, x := SpatialOf(b.Type(in[0]).Shape, op.NHWC)
		_, _, z := SpatialOf(b.Type(dz).Shape, op.NHWC)
		kernel := b.Type(in[1]).Shape[2:]
		// What the last stride left over at the end of the input gets a gradient of 0.
		left := make([]int, len(x))
		for i := range left {
			left[i] = x[i] - ((z[i]-1)*op.Stride[i] - 2*op.Padding[i] + op.Dilation[i]*(kernel[i]-1) + 1)
		}
		grads[0] = b.Apply(ConvTranspose{
			Stride: op.Stride, Padding: op.Padding, OutputPadding: left, Dilation: op.Dilation, Groups: op.Groups, NHWC: op.NHWC,
		}, dz, in[1])
	}
	if need[1] {
		plain := Conv{Stride: op.Stride, Padding: op.Padding, Dilation: op.Dilation, Groups: op.Groups, NHWC: op.NHWC}
		grads[1] = b.Apply(ConvWeightGrad{Conv: plain, Kernel: b.Type(in[1]).Shape[2:]}, in[0], dz)
	}
	if op.HasBias && need[2] {
		rank := len(b.Type(dz).Shape)
		axes := []int{0}
		for i := 2; i < rank; i++ {
			axes = append(axes, i)
		}
		grads[2] = b.Apply(Reduce{Fn: Sum, Axes: axes}, dz)
	}
	if op.HasResidual {
		grads[len(in)-1] = dz
	}
	return grads
}

// Grad: with z = convTranspose(x, W) + b and dz behind the activation, dx is the
// convolution of dz, dW correlates dz with x, db sums dz over all but the channels.
func (op ConvTranspose) Grad(b GradBuilder, in, out, dout []Ref, need []bool) []Ref {
	dz := activationGrad(b, op.Act, out[0], dout[0])
	grads := make([]Ref, len(in))
	conv := Conv{Stride: op.Stride, Padding: op.Padding, Dilation: op.Dilation, Groups: op.Groups, NHWC: op.NHWC}
	// A convolution of the output may reach further than the input does.
	_, _, z := SpatialOf(b.Type(dz).Shape, op.NHWC)
	kernel := b.Type(in[1]).Shape[2:]
	_, _, x := SpatialOf(b.Type(in[0]).Shape, op.NHWC)
	for i := range z {
		if (z[i]+2*op.Padding[i]-op.Dilation[i]*(kernel[i]-1)-1)/op.Stride[i]+1 != x[i] {
			b.Fail(&UnsupportedError{Op: op.Name(), Reason: "an output padding of a stride or more has no gradient"})
			return grads
		}
	}
	if need[0] {
		grads[0] = b.Apply(conv, dz, in[1])
	}
	if need[1] {
		grads[1] = b.Apply(ConvWeightGrad{Conv: conv, Kernel: kernel}, dz, in[0])
	}
	if op.HasBias && need[2] {
		axes := allBut(len(b.Type(dz).Shape), 1)
		if op.NHWC {
			axes = allBut(len(b.Type(dz).Shape), len(b.Type(dz).Shape)-1)
		}
		grads[2] = b.Apply(Reduce{Fn: Sum, Axes: axes}, dz)
	}
	return grads
}
