package ops

import (
	"fmt"

	"github.com/octet-ml/octet/tensor"
)

// NonZero gives the indices of the elements that are true, one vector for each dimension, as torch.where with a condition
// alone does: what Index and IndexPut take where PyTorch takes a mask.
//
// Inputs: a bool or uint8 mask with dimensions, and how many elements are true, an int64 known before it runs. A mask
// that has another number of them ends the run with a *ValueError.
type NonZero struct{}

func (NonZero) Name() string { return "non_zero" }

func (op NonZero) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	if d := in[0].DType; d != tensor.Bool && d != tensor.Uint8 || in[0].Q != nil || len(in[0].Shape) == 0 {
		return nil, Errorf(op, in, "it takes a mask of at least one dimension")
	}
	n, ok := knownInts(in[1])
	if !ok || len(n) != 1 || n[0] < 0 {
		return nil, Errorf(op, in, "the number of true elements must be known before it runs")
	}
	out := make([]Type, len(in[0].Shape))
	for i := range out {
		out[i] = Type{DType: tensor.Int64, Shape: tensor.Shape{n[0]}}
	}
	return fold(op, in, out...)
}

func (op NonZero) Prepare(p *Prepare) (*Kernel, error) {
	shape, total := p.In[0].Shape, p.In[0].Numel()
	n := p.Out[0].Shape[0]
	perTask, tasks := split(total, 1)
	count := func(c *Call, i int, _ *Worker) {
		sum := int64(0)
		for _, v := range c.In[0].Bytes()[i*perTask : min((i+1)*perTask, total)] {
			if v != 0 {
				sum++
			}
		}
		scratchOf[int64](c.Scratch, 0, tasks)[i] = sum
	}
	fill := func(c *Call, i int, _ *Worker) {
		at := int(scratchOf[int64](c.Scratch, 0, tasks)[i])
		mask := c.In[0].Bytes()
		for j := i * perTask; j < min((i+1)*perTask, total); j++ {
			if mask[j] == 0 {
				continue
			}
			rest := j
			for d := len(shape) - 1; d >= 0; d-- {
				*element[int64](base(c.Out[d]), at) = int64(rest % shape[d])
				rest /= shape[d]
			}
			at++
		}
	}
	return &Kernel{
		Run: func(c *Call) error {
			c.Parallel(tasks, count)
			starts, sum := scratchOf[int64](c.Scratch, 0, tasks), int64(0)
			for i, m := range starts {
				starts[i], sum = sum, sum+m
			}
			if sum != int64(n) {
				return &ValueError{op.Name(), fmt.Sprintf("%d elements are true where %d were to be", sum, n)}
			}
			c.Parallel(tasks, fill)
			return nil
		},
		Scratch:  8 * tasks,
		Choice:   "chunks",
		Parallel: tasks,
	}, nil
}
