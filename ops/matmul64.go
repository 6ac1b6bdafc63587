package ops

import (
	"github.com/octet-ml/octet/tensor"
)

// MatMul64 is MatMul of float64 values, with the same inputs and output. It is plain Go: models that
// compute in float64 need its precision more than speed.
type MatMul64 struct {
	TransposeB bool
}

func (MatMul64) Name() string { return "matmul64" }

func (op MatMul64) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	if err := doubleInputs(op, in); err != nil {
		return nil, err
	}
	g, err := MatMul(op).geometry(in)
	if err != nil {
		return nil, err
	}
	return fold(op, in, Type{DType: tensor.Float64, Shape: g.out})
}

// MACs counts the products of the definition.
func (op MatMul64) MACs(in, out []Type) int64 { return MatMul(op).MACs(in, out) }

func (op MatMul64) Prepare(p *Prepare) (*Kernel, error) {
	g, err := MatMul(op).geometry(p.In)
	if err != nil {
		return nil, err
	}
	count := p.Out[0].Numel() / max(g.n, 1) // rows of all batches
	if p.Out[0].Numel() == 0 {
		return emptyKernel(), nil
	}
	perTask, tasks := split(count, g.n*g.k)
	task := func(c *Call, i int, _ *Worker) {
		for r := i * perTask; r < min((i+1)*perTask, count); r++ {
			a, b := g.offsets(r / g.m)
			x := row[float64](base(c.In[0]), (a*g.m+r%g.m)*g.k, g.k)
			y := row[float64](base(c.Out[0]), r*g.n, g.n)
			weights := row[float64](base(c.In[1]), b*g.k*g.n, g.k*g.n)
			if op.TransposeB {
				timesTransposed(y, x, weights)
			} else {
				timesMatrix(y, x, weights)
			}
		}
	}
	return &Kernel{
		Interruptible: true,
		Run:           func(c *Call) error { c.Parallel(tasks, task); return nil },
		Choice:        "rows in float64",
		Parallel:      tasks,
	}, nil
}

// timesMatrix is y = x b for b [K, N], summed in order of k.
func timesMatrix(y, x, b []float64) {
	clear(y)
	for k, v := range x {
		for j, w := range b[k*len(y) : (k+1)*len(y)] {
			y[j] += float64(v * w)
		}
	}
}

// timesTransposed is y = x b^T for b [N, K], summed in order of k.
func timesTransposed(y, x, b []float64) {
	for j := range y {
		var sum float64
		for k, w := range b[j*len(x) : (j+1)*len(x)] {
			sum += float64(x[k] * w)
		}
		y[j] = sum
	}
}
