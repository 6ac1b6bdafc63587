package int8

import (
	"math"

	"github.com/octet-ml/octet/ops"
)

// TrainedLayer is Conv or Linear with parameters that are inputs, and on real values that integers stand for: what training
// runs, so that what it sees is what will be deployed.
//
// Inputs: x float32, values that integers of X stand for, its scale and zero point; the float32 weight, and its
// scale and zero point, one or one per output channel; then the bias when the layer has one; a residual when it has one,
// with its scale and zero point where Y is set; and the scale and zero point of the output when Y is set.
// Outputs: the layer's output as float32 values of Y's integers, and what it was before it was
// rounded and bounded; without Y, the float32 output alone.
type TrainedLayer struct {
	Layer ops.Op // ops.Conv or ops.Linear
	X, W  Params
	R, Y  *Params // of a residual and of the output that are quantized, nil without
	// FloatBias adds the bias in float32 instead of rounding it to the scale of the accumulators.
	FloatBias bool
}

// Name returns "trained.conv2d" and the like.
//
//go:noinline
func (op TrainedLayer) Name() string { return "trained." + op.Layer.Name() }

// TrainedInputs are the indices of the inputs of a TrainedLayer, -1 for those it has not.
type TrainedInputs struct {
	X, W, Bias, R, Y, N int
}

// Inputs returns which input is which. A scale follows its value, and a zero point the scale.
func (op TrainedLayer) Inputs() TrainedInputs {
	l := op.layer()
	i := TrainedInputs{X: 0, W: 3, Bias: -1, R: -1, Y: -1, N: 6}
	if l.HasBias {
		i.Bias = i.N
		i.N++
	}
	if l.HasResidual {
		i.R = i.N
		i.N++
		if op.R != nil {
			i.N += 2
		}
	}
	if op.Y != nil {
		i.Y = i.N
		i.N += 2
	}
	return i
}

// layer returns what the layer knows of itself, nothing where it is none.
//
//go:noinline
func (op TrainedLayer) layer() Layer {
	if l := LayerOf(op.Layer); l != nil {
		return *l
	}
	return Layer{}
}

func (op TrainedLayer) Infer(in []ops.Type) ([]ops.Type, error) {
	at := op.Inputs()
	if len(in) != at.N {
		return nil, ops.Errorf(op, in, "it takes %d inputs", at.N)
	}
	float := []ops.Type{in[at.X], in[at.W]}
	if at.Bias >= 0 {
		float = append(float, in[at.Bias])
	}
	act, residual := op.layer().Act, op.layer().HasResidual
	if (op.R != nil) != (residual && op.Y != nil) {
		return nil, ops.Errorf(op, in, "a residual has parameters where the output has, and else none")
	}
	if residual {
		float = append(float, in[at.R])
	}
	if err := ops.CheckClamp(op, in, act); err != nil {
		return nil, err
	}
	out, err := op.Layer.Infer(float)
	if err != nil {
		return nil, err
	}
	if err := checkParams(op, in, at.X+1, 1, op.X); err != nil {
		return nil, err
	}
	if err := checkParams(op, in, at.W+1, in[at.W].Shape[0], op.W); err != nil {
		return nil, err
	}
	if op.R != nil {
		if err := checkParams(op, in, at.R+1, 1, *op.R); err != nil {
			return nil, err
		}
	}
	if op.Y == nil {
		return out[:1], nil
	}
	if err := checkParams(op, in, at.Y, 1, *op.Y); err != nil {
		return nil, err
	}
	return []ops.Type{out[0], out[0]}, nil
}

// ChannelsLast lays out x, the residual and the outputs as NHWC.
func (op TrainedLayer) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	conv, ok := op.Layer.(ops.Conv)
	if !ok || conv.NHWC {
		return nil, nil, false
	}
	conv.NHWC = true
	op.Layer = conv
	if at := op.Inputs(); at.R >= 0 {
		return op, []int{at.X, at.R}, true
	}
	return op, []int{0}, true
}

// WantsChannelsLast is true of convolutions, whose kernels work on NHWC.
func (op TrainedLayer) WantsChannelsLast() bool { _, ok := op.Layer.(ops.Conv); return ok }

// The gradients are those of the float operator, followed by a learnable fake-quantize, on the same values.

// Grad goes back through the output's fake-quantize and the activation, then through the layer with the
// fake-quantized weight, and through the fake-quantize of the weight.
func (op TrainedLayer) Grad(b ops.GradBuilder, in, out, dout []ops.Ref, need []bool) []ops.Ref {
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

// maxTrainedDepth is the number of weights of a column below which no accumulator can overflow, whatever
// the values: products of 255*128, twice for the zero point of x, twice those of a weight's, and a bias of 2^29.
const maxTrainedDepth = (math.MaxInt32 - biasLimit) / (4 * 255 * 128)

// Trainable reports whether TrainedLayer computes a layer of so many weights an output.
func Trainable(depth int) bool { return depth <= maxTrainedDepth }

// biasLimit is the largest integer that a bias becomes.
const biasLimit = 1 << 29

// LeastWeightScale returns the smallest scale of weights with which a bias fits the
// accumulators of a layer whose input has scale sx.
func LeastWeightScale(bias, sx float32) float32 {
	return float32(math.Abs(float64(bias)) / (float64(sx) * biasLimit))
}
