package quantize

import (
	"math"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/train"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// normalized returns how a layer has taken in a batch norm, nil where it has none.
func (b *qatBuilder) normalized(n *graph.Node) *origin {
	if m, ok := b.a.prepared.origins[n.Inputs[1]]; ok {
		if _, ok := m.by.op.(ops.FoldBatchNorm); ok {
			return m.by
		}
	}
	return nil
}

// normalizedLayer computes a layer whose batch norm uses the statistics of the batch. The weight is quantized
// with the running ones folded in, as it will be deployed; what the convolution gives is then
// normalized, which takes any factor of a channel out again:
//
//	z = conv(x, learned(weight * gamma/sqrt(variance)))    y = batchNorm(z, |gamma|, beta)
//
// The layer's own bias does not count: normalization takes it out. Nor has gamma a gradient through the weight, which
// would be the rounding error of one that is 0. The running statistics are those of the convolution with the weight as it is.
func (b *qatBuilder) normalizedLayer(n *graph.Node, in []*graph.Value, y *learned, o *origin) (*graph.Value, error) {
	conv := n.Op.(ops.Conv)
	act, residual := conv.Act, conv.HasResidual
	conv.Act, conv.HasResidual, conv.HasBias = ops.NoActivation, false, false
	g := graph.Builder{Graph: b.Graph, Scope: n.Scope}
	bn := o.op.(ops.FoldBatchNorm)
	args, err := b.floats(o.in)
	if err != nil {
		return nil, err
	}
	detached := slices.Clone(args)
	detached[len(args)-4] = g.Add(ops.Detach{}, args[len(args)-4])
	folded := g.AddAll(bn, 2, detached...)
	if err := g.Err(); err != nil {
		return nil, err
	}
	weight, err := b.learnWeight(n, folded[0])
	if err != nil {
		return nil, err
	}
	z := g.Add(conv, in[0], weight)
	var bias []*graph.Value
	if bn.HasBias {
		bias = args[1:2]
		args = args[1:]
	}
	gamma, beta, mean, variance := args[1], args[2], args[3], args[4]
	out := g.AddAll(ops.BatchNormTrain{Eps: bn.Eps, Momentum: train.Momentum}, 5, z, g.Add(ops.Unary{Fn: ops.Abs}, gamma), beta, mean, variance)
	count := z.Type.Numel() / max(beta.Type.Numel(), 1)
	running := g.AddAll(runningStatistics{Eps: bn.Eps, Count: count}, 2, append([]*graph.Value{out[1], out[2], gamma, mean, variance}, bias...)...)
	for i, v := range []*graph.Value{mean, variance} {
		if v.Variable != nil {
			g.AddAll(ops.Assign{}, 0, v, running[i])
		}
	}
	v := out[0]
	if residual {
		v = g.Add(ops.Binary{Fn: ops.Add}, v, in[len(in)-1])
	}
	switch act {
	case ops.ActReLU:
		v = g.Add(ops.Unary{Fn: ops.ReLU}, v)
	case ops.ActReLU6:
		v = g.Add(ops.Unary{Fn: ops.ReLU6}, v)
	}
	if err := g.Err(); err != nil || y == nil {
		return v, err
	}
	return b.learn(n.Scope, y, v)
}

// runningStatistics updates the running mean and variance of a convolution by those of one with folded weights.
//
// Inputs: mean and biased variance of the batch, gamma, running mean and variance, and the convolution's
// bias where it has one, all [C]. Outputs: the new running mean and variance; of channels whose
// gamma is 0, which show nothing, the old ones.
type runningStatistics struct {
	Eps   float64
	Count int // values per channel
}

func (runningStatistics) Name() string { return "running_statistics" }

func (op runningStatistics) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 5 && len(in) != 6 {
		return nil, ops.Errorf(op, in, "it takes 5 or 6 inputs")
	}
	for _, t := range in {
		if t.DType != tensor.Float32 || !t.Shape.Equal(in[0].Shape) {
			return nil, ops.Errorf(op, in, "all inputs must be float32 of one shape")
		}
	}
	t := ops.F32(in[0].Shape...)
	return []ops.Type{t, t}, nil
}

func (op runningStatistics) Prepare(*ops.Prepare) (*ops.Kernel, error) {
	unbiased := float64(op.Count) / float64(max(op.Count-1, 1))
	return &ops.Kernel{
		Run: func(c *ops.Call) error {
			batchMean, batchVar, gamma := c.In[0].Float32s(), c.In[1].Float32s(), c.In[2].Float32s()
			mean, variance := c.In[3].Float32s(), c.In[4].Float32s()
			for i := range mean {
				factor := float64(gamma[i]) / math.Sqrt(float64(variance[i])+op.Eps)
				newMean, newVar := float64(mean[i]), float64(variance[i])
				if factor != 0 {
					m := float64(batchMean[i]) / factor
					if len(c.In) == 6 {
						m += float64(c.In[5].Float32s()[i])
					}
					newMean += float64(train.Momentum * (m - newMean))
					newVar += float64(train.Momentum * (float64(batchVar[i])*unbiased/(factor*factor) - newVar))
				}
				c.Out[0].Float32s()[i], c.Out[1].Float32s()[i] = float32(newMean), float32(newVar)
			}
			return nil
		},
		Choice:   "channels",
		Parallel: 1,
	}, nil
}
