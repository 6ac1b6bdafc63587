package ops

import "github.com/octet-ml/octet/tensor"

// Grad adds up the gradients of the rows taken.
func (op Embedding) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	grads := make([]Ref, 2)
	if need[0] {
		grads[0] = b.Apply(EmbeddingGrad{Shape: b.Type(in[0]).Shape}, in[1], dout[0])
	}
	return grads
}

// Grad adds up the gradients of the elements taken.
func (op IndexSelect) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	grads := make([]Ref, 2)
	shape := b.Type(in[0]).Shape
	axis, err := shape.Axis(op.Axis)
	if err != nil || len(shape) == 0 {
		b.Fail(&UnsupportedError{Op: op.Name(), Reason: "it has a gradient only along a dimension"})
		return grads
	}
	if need[0] {
		grads[0] = selectGrad(b, shape, axis, in[1], dout[0])
	}
	return grads
}

// selectGrad adds up, along one dimension of a value of the given shape, the gradients of
// the elements that indices took from it.
func selectGrad(b GradBuilder, shape tensor.Shape, axis int, index, d Ref) Ref {
	rows, back := frontShape(shape, axis)
	d = b.Apply(Permute{Order: frontOrder(len(shape), axis)}, d)
	return b.Apply(Permute{Order: back}, b.Apply(EmbeddingGrad{Shape: rows}, index, d))
}

// Grad adds up the gradients of the elements taken.
func (op Gather) Grad(b GradBuilder, in, _, dout []Ref, need []bool) []Ref {
	grads := make([]Ref, 2)
	if need[0] {
		grads[0] = b.Apply(Scatter{Axis: op.Axis, Fn: ScatterAdd}, zeros(b, b.Type(in[0]).Shape), in[1], dout[0])
	}
	return grads
}

// EmbeddingGrad is the gradient of Embedding with respect to the table: row v is
// the sum of the gradients at the places where the index is v. Inputs: the indices and the gradient
// of the output. Output: [Shape...], the table's.
type EmbeddingGrad struct {
	Shape []int
}

func (EmbeddingGrad) Name() string { return "embedding_grad" }

func (op EmbeddingGrad) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	table := F32(op.Shape...)
	if _, err := table.Shape.Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	y, err := (Embedding{}).Infer([]Type{table, {DType: in[0].DType, Shape: in[0].Shape, Q: in[0].Q}})
	if err != nil {
		return nil, err
	}
	if in[1].DType != tensor.Float32 || in[1].Numel() != y[0].Numel() {
		return nil, Errorf(op, in, "the output has shape %v", y[0].Shape)
	}
	return []Type{table}, nil
}

// Prepare gives each task some columns of the table, which it goes through in
// the order of the indices.
func (op EmbeddingGrad) Prepare(p *Prepare) (*Kernel, error) {
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	rows, count := op.Shape[0], p.In[0].Numel()
	dim := p.Out[0].Numel() / rows
	const cols = 64
	tasks := (dim + cols - 1) / cols
	load := loader[int64](p.In[0].DType)
	task := func(c *Call, i int, w *Worker) {
		index := scratchOf[int64](w.Scratch, 0, 1)
		dy, table := c.In[1].Float32s(), c.Out[0].Float32s()
		c0 := i * cols
		n := min(cols, dim-c0)
		for r := range rows {
			clear(table[r*dim+c0 : r*dim+c0+n])
		}
		for k := range count {
			load(index, base(c.In[0]), k, 1)
			dst := table[int(index[0])*dim+c0:][:n]
			for j, d := range dy[k*dim+c0:][:n] {
				dst[j] += d
			}
		}
	}
	return &Kernel{
		Run: func(c *Call) error {
			if err := CheckIndices("embedding", c.In[0], 0, rows); err != nil {
				return err
			}
			c.Parallel(tasks, task)
			return nil
		},
		WorkerScratch: 8,
		Choice:        "columns",
		Parallel:      tasks,
	}, nil
}
