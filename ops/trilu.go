package ops

import "unsafe"

// Trilu keeps the elements on and below the diagonal of the last two
// dimensions, or with Upper on and above it, and puts 0 elsewhere, as torch.tril
// and torch.triu do. Diagonal counts from the main one, upward.
type Trilu struct {
	Upper    bool
	Diagonal int
}

// Name returns tril or triu.
func (op Trilu) Name() string {
	if op.Upper {
		return "triu"
	}
	return "tril"
}

func (op Trilu) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if len(in[0].Shape) < 2 {
		return nil, Errorf(op, in, "it needs at least two dimensions")
	}
	if in[0].Q != nil {
		return nil, Errorf(op, in, "quantized values have no plain zero: dequantize first")
	}
	return fold(op, in, Type{DType: in[0].DType, Shape: in[0].Shape})
}

func (op Trilu) Prepare(p *Prepare) (*Kernel, error) {
	in := p.In[0]
	if in.Numel() == 0 {
		return emptyKernel(), nil
	}
	rows, cols, size := in.Shape[len(in.Shape)-2], in.Shape[len(in.Shape)-1], in.DType.Size()
	count := in.Numel() / cols
	perTask, tasks := split(count, cols)
	task := func(c *Call, i int, _ *Worker) {
		src, dst := base(c.In[0]), base(c.Out[0])
		for r := i * perTask; r < min((i+1)*perTask, count); r++ {
			x := unsafe.Slice((*byte)(unsafe.Add(src, r*cols*size)), cols*size)
			y := unsafe.Slice((*byte)(unsafe.Add(dst, r*cols*size)), cols*size)
			// Columns from cut on are above the diagonal.
			diagonal := r%rows + op.Diagonal
			if op.Upper {
				cut := min(max(diagonal, 0), cols) * size
				clear(y[:cut])
				copy(y[cut:], x[cut:])
			} else {
				cut := min(max(diagonal+1, 0), cols) * size
				copy(y[:cut], x)
				clear(y[cut:])
			}
		}
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		Choice:        "rows",
		Parallel:      tasks,
	}, nil
}
