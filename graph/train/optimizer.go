package train

import (
	"math"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// Optimizer says how parameters follow from their gradients: SGD or Adam.
type Optimizer interface {
	// rates returns the learning rate and the weight decay.
	rates() (lr, decay float64)
	// moments is the number of tensors kept for each parameter.
	moments() int
	// factors fills what update is given at a step, which counts from 0.
	factors(dst *[numFactors]float32, step int, lr, decay float64)
	// update changes p by the gradient g times clip; relative is as Group says.
	update(f *[numFactors]float32, clip float32, relative bool, p, g, m, v []float32)
}

const numFactors = 3

// maxMoments is the most that any optimizer keeps for a parameter.
const maxMoments = 2

// SGD is stochastic gradient descent as torch.optim.SGD computes it. With d the gradient plus
// WeightDecay*p and, with momentum, v = Momentum*v + d, a step takes LR*v from p,
// LR*(d + Momentum*v) with Nesterov, and LR*d without momentum.
type SGD struct {
	LR, Momentum, WeightDecay float64
	Nesterov                  bool
}

func (o SGD) rates() (lr, decay float64) { return o.LR, o.WeightDecay }

func (o SGD) moments() int {
	if o.Momentum == 0 {
		return 0
	}
	return 1
}

func (o SGD) factors(dst *[numFactors]float32, _ int, lr, decay float64) {
	*dst = [numFactors]float32{float32(lr), float32(decay)}
}

func (o SGD) update(f *[numFactors]float32, clip float32, relative bool, p, g, velocity, _ []float32) {
	lr, decay, momentum := f[0], f[1], float32(o.Momentum)
	for i, d := range g {
		d *= clip
		if decay != 0 {
			d += float32(decay * p[i])
		}
		if velocity != nil {
			v := float32(momentum*velocity[i]) + d
			velocity[i] = v
			if o.Nesterov {
				d += float32(momentum * v)
			} else {
				d = v
			}
		}
		change := float32(lr * d)
		if relative {
			change *= max(p[i], -p[i])
		}
		p[i] -= change
	}
}

// Adam is the method of Kingma and Ba (2015) as torch.optim.Adam computes it and, with
// Decoupled, that of Loshchilov and Hutter (2019) as torch.optim.AdamW does: weight decay then shrinks
// the parameter by LR*WeightDecay instead of being part of the gradient. Zero fields
// other than LR and WeightDecay mean PyTorch's defaults: 0.9, 0.999, 1e-8.
type Adam struct {
	LR, Beta1, Beta2, Eps, WeightDecay float64
	Decoupled                          bool
}

func (o Adam) withDefaults() Adam {
	if o.Beta1 == 0 {
		o.Beta1 = 0.9
	}
	if o.Beta2 == 0 {
		o.Beta2 = 0.999
	}
	if o.Eps == 0 {
		o.Eps = 1e-8
	}
	return o
}

func (o Adam) rates() (lr, decay float64) { return o.LR, o.WeightDecay }

func (Adam) moments() int { return 2 }

func (o Adam) factors(dst *[numFactors]float32, step int, lr, decay float64) {
	o = o.withDefaults()
	first, second := 1-math.Pow(o.Beta1, float64(step+1)), 1-math.Pow(o.Beta2, float64(step+1))
	if o.Decoupled {
		decay *= lr
	}
	*dst = [numFactors]float32{float32(lr / first), float32(math.Sqrt(second)), float32(decay)}
}

func (o Adam) update(f *[numFactors]float32, clip float32, relative bool, p, g, m, v []float32) {
	o = o.withDefaults()
	lr, root, decay := f[0], f[1], f[2]
	b1, b2, eps := float32(o.Beta1), float32(o.Beta2), float32(o.Eps)
	c1, c2 := float32(1-o.Beta1), float32(1-o.Beta2)
	for i, d := range g {
		d *= clip
		x := p[i]
		if o.Decoupled {
			x -= float32(decay * x)
		} else if decay != 0 {
			d += float32(decay * x)
		}
		m[i] = float32(b1*m[i]) + float32(c1*d)
		v[i] = float32(b2*v[i]) + float32(c2*float32(d*d))
		change := float32(lr * (m[i] / (float32(math.Sqrt(float64(v[i])))/root + eps)))
		if relative {
			change *= max(x, -x)
		}
		p[i] = x - change
	}
}

// updateOp is the operator that makes a step of one parameter, in place.
//
// Inputs: the parameter, its gradient, what gradients are multiplied with [1], the factors
// [numFactors], and the moments. It has no output.
type updateOp struct {
	opt      Optimizer
	relative bool
	lo, hi   float32
}

func (updateOp) Name() string { return "update" }

func (op updateOp) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 4+op.opt.moments() {
		return nil, ops.Errorf(op, in, "it takes %d inputs", 4+op.opt.moments())
	}
	for i, t := range in {
		switch {
		case t.DType != tensor.Float32:
			return nil, ops.Errorf(op, in, "input %d must be float32", i)
		case i == 2 && t.Numel() != 1, i == 3 && t.Numel() != numFactors, i != 2 && i != 3 && !t.Shape.Equal(in[0].Shape):
			return nil, ops.Errorf(op, in, "input %d has another shape", i)
		}
	}
	return nil, nil
}

// chunk is the number of elements that one task works on.
const chunk = 1 << 14

func (op updateOp) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	n := p.In[0].Numel()
	tasks := (n + chunk - 1) / chunk
	task := func(c *ops.Call, i int, _ *ops.Worker) {
		from, to := i*chunk, min((i+1)*chunk, n)
		part := func(k int) []float32 {
			if k >= len(c.In) {
				return nil
			}
			return c.In[k].Float32s()[from:to]
		}
		param, clip, factors := part(0), c.In[2].Float32s()[0], (*[numFactors]float32)(c.In[3].Float32s())
		op.opt.update(factors, clip, op.relative, param, part(1), part(4), part(5))
		for j, v := range param {
			param[j] = min(max(v, op.lo), op.hi)
		}
	}
	return &ops.Kernel{
		Run:      func(c *ops.Call) error { c.Parallel(tasks, task); return nil },
		Choice:   "update",
		Parallel: tasks,
	}, nil
}

// HasEffect keeps the node though it has no output.
func (updateOp) HasEffect() bool { return true }

// Writes says that parameter and moments are written.
func (op updateOp) Writes() []int { return []int{0, 4, 5}[:1+op.opt.moments()] }
