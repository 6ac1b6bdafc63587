package ops

import (
	"math"

	"github.com/octet-ml/octet/tensor"
)

// FoldBatchNorm computes the weight and bias of a layer that has taken in the
// batch norm behind it, with recorded statistics. It does so step by step in
// float32, as torch.nn.utils.fusion.fuse_conv_bn_weights does, because the
// largest weight of a channel, halfway between two integers, is quantized by its
// last bit.
//
// Inputs: the layer's weight [O, ...], its bias [O] when HasBias, and the batch norm's weight, bias,
// mean and variance, each [O]. Outputs: with r = 1/sqrt(variance + Eps),
//
//	weight' = weight * (gamma*r)    bias' = (bias - mean)*r*gamma + beta
type FoldBatchNorm struct {
	Eps     float64
	HasBias bool
}

// foldBatchNormAttributes are the attributes of FoldBatchNorm without its methods, for operators that share only those.
type foldBatchNormAttributes FoldBatchNorm

func (FoldBatchNorm) Name() string { return "fold_batch_norm" }

func (op FoldBatchNorm) Infer(in []Type) ([]Type, error) {
	n := 5
	if op.HasBias {
		n++
	}
	if err := arity(op, in, n, n); err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	if len(in[0].Shape) < 1 {
		return nil, Errorf(op, in, "the weight has no output channels")
	}
	outs := in[0].Shape[:1]
	for _, t := range in[1:] {
		if !t.Shape.Equal(outs) {
			return nil, Errorf(op, in, "bias and statistics must have shape %v", outs)
		}
	}
	return []Type{F32(in[0].Shape...), F32(outs...)}, nil
}

// InPlace lists the weight.
func (FoldBatchNorm) InPlace([]Type) []int { return []int{0} }

// foldedInputs are the inputs of FoldBatchNorm by name; bias is nil without one.
type foldedInputs struct {
	weight, bias, gamma, beta, mean, variance []float32
}

func (op FoldBatchNorm) inputs(in []*tensor.Tensor) foldedInputs {
	f := foldedInputs{weight: in[0].Float32s()}
	if op.HasBias {
		f.bias = in[1].Float32s()
		in = in[1:]
	}
	f.gamma, f.beta, f.mean, f.variance = in[1].Float32s(), in[2].Float32s(), in[3].Float32s(), in[4].Float32s()
	return f
}

// root returns 1/sqrt(variance + Eps) of a channel.
func (op FoldBatchNorm) root(variance float32) float32 {
	return 1 / float32(math.Sqrt(float64(variance+float32(op.Eps))))
}

func (op FoldBatchNorm) Prepare(p *Prepare) (*Kernel, error) {
	return &Kernel{
		Run: func(c *Call) error {
			f := op.inputs(c.In)
			weight, shift := c.Out[0].Float32s(), c.Out[1].Float32s()
			per := len(weight) / max(len(shift), 1)
			for ch, gamma := range f.gamma {
				root := op.root(f.variance[ch])
				factor := gamma * root
				for i := ch * per; i < (ch+1)*per; i++ {
					weight[i] = f.weight[i] * factor
				}
				bias := float32(0)
				if f.bias != nil {
					bias = f.bias[ch]
				}
				shift[ch] = float32(float32((bias-f.mean[ch])*root)*gamma) + f.beta[ch]
			}
			return nil
		},
		Choice:   "channels",
		Parallel: 1,
	}, nil
}
