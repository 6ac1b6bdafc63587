package ops

// Grad leaves out the statistics, which have no gradient.
func (op FoldBatchNorm) Grad(b GradBuilder, in, out, dout []Ref, need []bool) []Ref {
	grads := make([]Ref, len(in))
	for i := range dout {
		if dout[i] == nil {
			dout[i] = b.Const(filled(b.Type(out[i]).Shape, 0))
		}
	}
	args := append(append([]Ref(nil), in...), dout...)
	d := b.ApplyAll(FoldBatchNormGrad{foldBatchNormAttributes(op)}, args...)
	if len(d) != 3 {
		return grads
	}
	gamma := 1
	grads[0] = d[0]
	if op.HasBias {
		grads[1] = d[1]
		gamma = 2
	}
	grads[gamma], grads[gamma+1] = d[2], dout[1]
	return grads
}

// FoldBatchNormGrad is the gradient of FoldBatchNorm. Inputs: those of FoldBatchNorm and the
// gradients of its outputs. Outputs: the gradients of weight, bias and gamma; that of beta is the bias's:
//
//	dweight = dweight' * (gamma*r)   dbias = dbias' * (gamma*r)
//	dgamma  = (sum(dweight'*weight) + dbias'*(bias - mean)) * r
type FoldBatchNormGrad struct {
	foldBatchNormAttributes
}

func (FoldBatchNormGrad) Name() string { return "fold_batch_norm_grad" }

func (op FoldBatchNormGrad) Infer(in []Type) ([]Type, error) {
	if len(in) < 2 {
		return nil, Errorf(op, in, "it takes the inputs of fold_batch_norm and two gradients")
	}
	n := len(in) - 2
	out, err := FoldBatchNorm(op.foldBatchNormAttributes).Infer(in[:n])
	if err != nil {
		return nil, err
	}
	if err := floatInputs(op, in[n:]); err != nil {
		return nil, err
	}
	for i := range out {
		if !in[n+i].Shape.Equal(out[i].Shape) {
			return nil, Errorf(op, in, "output %d has shape %v", i, out[i].Shape)
		}
	}
	return []Type{out[0], out[1], out[1]}, nil
}

func (op FoldBatchNormGrad) Prepare(p *Prepare) (*Kernel, error) {
	fold, n := FoldBatchNorm(op.foldBatchNormAttributes), len(p.In)-2
	return &Kernel{
		Run: func(c *Call) error {
			f := fold.inputs(c.In[:n])
			dFolded, dShift := c.In[n].Float32s(), c.In[n+1].Float32s()
			dWeight, dBias, dGamma := c.Out[0].Float32s(), c.Out[1].Float32s(), c.Out[2].Float32s()
			per := len(dWeight) / max(len(dBias), 1)
			for ch, gamma := range f.gamma {
				root := fold.root(f.variance[ch])
				factor := gamma * root
				bias := float32(0)
				if f.bias != nil {
					bias = f.bias[ch]
				}
				sum := float64(dShift[ch]) * float64(bias-f.mean[ch])
				for i := ch * per; i < (ch+1)*per; i++ {
					sum += float64(dFolded[i]) * float64(f.weight[i])
					dWeight[i] = dFolded[i] * factor
				}
				dBias[ch] = dShift[ch] * factor
				dGamma[ch] = float32(sum * float64(root))
			}
			return nil
		},
		Choice:   "channels",
		Parallel: 1,
	}, nil
}
