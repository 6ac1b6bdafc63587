package ops

import "slices"

// Grad: with z = conv(x, W) + b + r and dz behind the activation, dx is the
// transposed convolution of dz, dW correlates x with dz, db sums dz over all but
// the channels, dr = dz.
func (op Conv) Grad(b GradBuilder, in, out, dout []Ref, need []bool) []Ref {
	plain := op
	plain.Act = NoActivation
	dz := activationGrad(b, op.Act, plain, in, out[0], dout[0])
	grads := make([]Ref, len(in))
	// The gradient of the weight comes first: x need not be kept beside the gradient of x then.
	if need[1] {
		plain = Conv{Stride: op.Stride, Padding: op.Padding, Dilation: op.Dilation, Groups: op.Groups, NHWC: op.NHWC}
		grads[1] = b.Apply(ConvWeightGrad{ConvAttributes: ConvAttributes(plain), Kernel: b.Type(in[1]).Shape[2:]}, in[0], dz)
	}
	if op.HasBias && need[2] {
		grads[2] = b.Apply(ChannelSum{NHWC: op.NHWC}, dz)
	}
	if need[0] {
		grads[0] = op.inputGrad(b, in, dz)
	}
	if op.HasResidual {
		grads[len(in)-1] = dz
	}
	return grads
}

// inputGrad is the transposed convolution of dz. With strides of 1 that is a
// convolution of its own, which has more kernels.
func (op Conv) inputGrad(b GradBuilder, in []Ref, dz Ref) Ref {
	_, _, x := SpatialOf(b.Type(in[0]).Shape, op.NHWC)
	_, _, z := SpatialOf(b.Type(dz).Shape, op.NHWC)
	kernel := b.Type(in[1]).Shape[2:]
	// What the last stride left over at the end of the input gets a gradient of 0.
	left, padding := make([]int, len(x)), make([]int, len(x))
	direct := true
	for i := range left {
		reach := op.Dilation[i] * (kernel[i] - 1)
		left[i] = x[i] - ((z[i]-1)*op.Stride[i] - 2*op.Padding[i] + reach + 1)
		padding[i] = reach - op.Padding[i]
		direct = direct && op.Stride[i] == 1 && padding[i] >= 0
	}
	if direct {
		conv := Conv{Stride: op.Stride, Padding: padding, Dilation: op.Dilation, Groups: op.Groups, NHWC: op.NHWC}
		return b.Apply(conv, dz, b.Apply(ConvWeightFlip{op.Groups}, in[1]))
	}
	return b.Apply(ConvTranspose{
		Stride: op.Stride, Padding: op.Padding, OutputPadding: left, Dilation: op.Dilation, Groups: op.Groups, NHWC: op.NHWC,
	}, dz, in[1])
}

// Grad: with z = convTranspose(x, W) + b and dz behind the activation, dx is the
// convolution of dz, dW correlates dz with x, db sums dz over all but the channels.
func (op ConvTranspose) Grad(b GradBuilder, in, out, dout []Ref, need []bool) []Ref {
	plain := op
	plain.Act = NoActivation
	dz := activationGrad(b, op.Act, plain, in, out[0], dout[0])
	grads := make([]Ref, len(in))
	conv := Conv{Stride: op.Stride, Padding: op.Padding, Dilation: op.Dilation, Groups: op.Groups, NHWC: op.NHWC}
	// With an output padding of a stride or more, a convolution of the output has
	// positions behind the input's, which count as input of zeros.
	kernel := b.Type(in[1]).Shape[2:]
	shape := b.Type(in[0]).Shape
	_, _, x := SpatialOf(shape, op.NHWC)
	_, _, z := SpatialOf(b.Type(dz).Shape, op.NHWC)
	behind := make([]int, len(x))
	for i := range behind {
		behind[i] = (z[i]+2*op.Padding[i]-op.Dilation[i]*(kernel[i]-1)-1)/op.Stride[i] + 1 - x[i]
	}
	after := imageShape(0, 0, behind, op.NHWC)
	longer := slices.Max(behind) > 0
	none := make([]int, len(shape))
	if need[1] {
		input := in[0]
		if longer {
			input = b.Apply(Pad{Before: none, After: after}, input)
		}
		grads[1] = b.Apply(ConvWeightGrad{ConvAttributes: ConvAttributes(conv), Kernel: kernel}, dz, input)
	}
	if op.HasBias && need[2] {
		grads[2] = b.Apply(ChannelSum{NHWC: op.NHWC}, dz)
	}
	if need[0] {
		grads[0] = b.Apply(conv, dz, in[1])
		if longer {
			crop := make([]int, len(after))
			for i, n := range after {
				crop[i] = -n
			}
			grads[0] = b.Apply(Pad{Before: none, After: crop}, grads[0])
		}
	}
	return grads
}
