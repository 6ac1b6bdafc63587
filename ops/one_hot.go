package ops

import (
	"github.com/octet-ml/octet/tensor"
)

// OneHot adds a last dimension of Classes elements that are 0, but for a 1
// where the index says, as torch.nn.functional.one_hot does.
//
// Inputs: int64 indices from 0 to Classes-1; others end the run with a
// *ValueError. With Classes -1 the indices must be known, and the greatest counts.
type OneHot struct {
	Classes int
}

func (OneHot) Name() string { return "one_hot" }

func (op OneHot) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if in[0].DType != tensor.Int64 || in[0].Q != nil {
		return nil, Errorf(op, in, "the indices must be int64")
	}
	classes := op.Classes
	if classes == -1 {
		indices, ok := knownInts(in[0])
		if !ok || len(indices) == 0 {
			return nil, Errorf(op, in, "the number of classes must be given unless the indices are known")
		}
		for _, v := range indices {
			classes = max(classes, v+1)
		}
	}
	if n, err := in[0].Shape.Numel(); classes < 0 || classes == 0 && (err != nil || n > 0) {
		return nil, Errorf(op, in, "there cannot be %d classes", classes)
	}
	shape := append(in[0].Shape.Clone(), classes)
	if _, err := shape.Numel(); err != nil {
		return nil, Errorf(op, in, "%v", err)
	}
	return fold(op, in, Type{DType: tensor.Int64, Shape: shape})
}

func (op OneHot) Prepare(p *Prepare) (*Kernel, error) {
	classes := p.Out[0].Shape[len(p.Out[0].Shape)-1]
	name := op.Name()
	return &Kernel{
		Run: func(c *Call) error {
			if err := CheckIndices(name, c.In[0], 0, classes); err != nil {
				return err
			}
			clear(c.Out[0].Bytes())
			out := base(c.Out[0])
			for i, v := range c.In[0].Int64s() {
				*element[int64](out, i*classes+int(v)) = 1
			}
			return nil
		},
		Choice:   "elements",
		Parallel: 1,
	}, nil
}
