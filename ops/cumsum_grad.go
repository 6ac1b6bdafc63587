package ops

// Grad of a running sum is the running sum from the end.
func (op PrefixScan) Grad(b GradBuilder, in, _, dout []Ref, _ []bool) []Ref {
	if op.Product {
		return []Ref{b.Apply(CumprodGrad{Axis: op.Axis}, in[0], dout[0])}
	}
	if len(b.Type(in[0]).Shape) == 0 {
		return []Ref{dout[0]}
	}
	flip := Flip{Axes: []int{op.Axis}}
	return []Ref{b.Apply(flip, b.Apply(op, b.Apply(flip, dout[0])))}
}

// CumprodGrad is the gradient of a running product. Inputs: x and the gradient dy of
// the output. Without a division, so that factors may be 0, with P the products of
// what comes before and S going back from the end,
//
//	S[k] = dy[k] + x[k+1]*S[k+1]   P[k] = x[0]*...*x[k-1]   dx[k] = P[k]*S[k]
type CumprodGrad struct {
	Axis int
}

func (CumprodGrad) Name() string { return "cumprod_grad" }

func (op CumprodGrad) Infer(in []Type) ([]Type, error) {
	out, err := sameFloats(op, in, 2)
	if err != nil {
		return nil, err
	}
	_, err = lineAxis(op, in, op.Axis)
	return out, err
}

func (op CumprodGrad) Prepare(p *Prepare) (*Kernel, error) {
	axis, err := lineAxis(op, p.In, op.Axis)
	if err != nil {
		return nil, err
	}
	outer, n, inner := axisSplit(p.In[0].Shape, axis)
	if outer*n*inner == 0 {
		return emptyKernel(), nil
	}
	perTask, tasks := split(outer*inner, n)
	task := func(c *Call, i int, w *Worker) {
		x, dy, dx := c.In[0].Float32s(), c.In[1].Float32s(), c.Out[0].Float32s()
		sums := scratchOf[float64](w.Scratch, 0, n)
		for line := i * perTask; line < min((i+1)*perTask, outer*inner); line++ {
			at := line/inner*n*inner + line%inner
			var sum float64
			for k := n - 1; k >= 0; k-- {
				if k < n-1 {
					sum *= float64(x[at+(k+1)*inner])
				}
				sum += float64(dy[at+k*inner])
				sums[k] = sum
			}
			before := 1.0
			for k, s := range sums {
				dx[at+k*inner] = float32(before * s)
				before *= float64(x[at+k*inner])
			}
		}
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		WorkerScratch: 8 * n,
		Choice:        "lines",
		Parallel:      tasks,
	}, nil
}
