package ops

import "math"

// Grad needs the input: mean and variance are computed again.
func (op LayerNorm) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	args := []Ref{in[0], dout[0]}
	if op.HasWeight {
		args = append(args, in[1])
	}
	out := b.ApplyAll(LayerNormGrad{Dims: op.Dims, Eps: op.Eps, HasWeight: op.HasWeight}, args...)
	grads := make([]Ref, len(in))
	if len(out) != 3 {
		return grads
	}
	grads[0] = out[0]
	if op.HasWeight {
		grads[1] = out[1]
	}
	if op.HasBias {
		grads[len(in)-1] = out[2]
	}
	return grads
}

// LayerNormGrad is the gradient of LayerNorm. Inputs: x, the gradient dy of the
// output, and the weight when HasWeight. Outputs: the gradients of x, weight and
// bias; with h = (x - mean) / sqrt(variance + Eps) and g = dy * weight,
//
//	dx = (g - mean(g) - h*mean(g*h)) / sqrt(variance + Eps)   dweight = sum(dy*h)   dbias = sum(dy)
type LayerNormGrad struct {
	Dims      int
	Eps       float64
	HasWeight bool
}

func (LayerNormGrad) Name() string { return "layer_norm_grad" }

func (op LayerNormGrad) Infer(in []Type) ([]Type, error) {
	n := 2
	if op.HasWeight {
		n = 3
	}
	if err := arity(op, in, n, n); err != nil {
		return nil, err
	}
	x, err := sameFloats(op, in[:2], 2)
	if err != nil {
		return nil, err
	}
	s := x[0].Shape
	if op.Dims < 1 || op.Dims > len(s) {
		return nil, Errorf(op, in, "it normalizes %d dimensions", op.Dims)
	}
	weight := F32(s[len(s)-op.Dims:]...)
	if op.HasWeight && (!in[2].Shape.Equal(weight.Shape) || floatInputs(op, in) != nil) {
		return nil, Errorf(op, in, "the weight must have the shape of the last %d dimensions", op.Dims)
	}
	return []Type{x[0], weight, weight}, nil
}

// Prepare divides the rows into tasks that do not depend on the number of
// threads, each with sums of its own for weight and bias.
func (op LayerNormGrad) Prepare(p *Prepare) (*Kernel, error) {
	n := p.Out[1].Numel()
	if p.Out[0].Numel() == 0 {
		return clearKernel(), nil
	}
	count := p.Out[0].Numel() / n
	perTask, tasks := splitSums(count, n)
	task := func(c *Call, i int, _ *Worker) {
		sums := floatsOf(c.Scratch, i*2*n, 2*n)
		clear(sums)
		var weight []float32
		if op.HasWeight {
			weight = c.In[2].Float32s()
		}
		for r := i * perTask; r < min((i+1)*perTask, count); r++ {
			x, dy, dx := c.In[0].Float32s()[r*n:(r+1)*n], c.In[1].Float32s()[r*n:(r+1)*n], c.Out[0].Float32s()[r*n:(r+1)*n]
			layerNormGradRow(dx, x, dy, weight, sums[:n], sums[n:], op.Eps)
		}
	}
	return &Kernel{
		Run: func(c *Call) error {
			c.Parallel(tasks, task)
			for k := range 2 {
				addParts(c.Out[1+k].Float32s(), floatsOf(c.Scratch, 0, tasks*2*n), k*n, 2*n)
			}
			return nil
		},
		Scratch:  scratchBytes(4*2, n, tasks),
		Choice:   "rows",
		Parallel: tasks,
	}, nil
}

// splitSums is split for tasks that each have sums to add up afterwards: there
// are at most 64.
func splitSums(count, cost int) (perTask, tasks int) {
	perTask, _ = split(count, cost)
	perTask = max(perTask, (count+63)/64)
	return perTask, (count + perTask - 1) / perTask
}

// addParts sets dst to the sum of the parts from first on, step apart.
func addParts(dst, parts []float32, first, step int) {
	clear(dst)
	for at := first; at+len(dst) <= len(parts); at += step {
		for i, v := range parts[at : at+len(dst)] {
			dst[i] += v
		}
	}
}

// clearKernel sets all outputs to zero: sums over nothing.
func clearKernel() *Kernel {
	return &Kernel{Run: func(c *Call) error {
		for _, t := range c.Out {
			clear(t.Bytes())
		}
		return nil
	}, Choice: "empty", Parallel: 1}
}

func layerNormGradRow(dx, x, dy, weight, dWeight, dBias []float32, eps float64) {
	n := float64(len(x))
	mean := sumFloats(x) / n
	var squares float64
	for _, v := range x {
		d := float64(v) - mean
		squares += float64(d * d)
	}
	scale := 1 / math.Sqrt(squares/n+eps)
	var sumG, sumGH float64
	for i, v := range x {
		h := float32((float64(v) - mean) * scale)
		g := dy[i]
		dWeight[i] += float32(g * h)
		dBias[i] += g
		if weight != nil {
			g *= weight[i]
		}
		dx[i] = g
		sumG += float64(g)
		sumGH += float64(g * h)
	}
	a, c := float32(sumG/n), float32(sumGH/n)
	for i, v := range x {
		h := float32((float64(v) - mean) * scale)
		dx[i] = (dx[i] - a - float32(h*c)) * float32(scale)
	}
}
