package ops

import "github.com/octet-ml/octet/tensor"

// Assert fails with its message unless its input, one truth value, is true. It
// has no outputs.
type Assert struct{ Message string }

func (Assert) Name() string { return "assert" }

func (op Assert) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	if in[0].DType != tensor.Bool || in[0].Numel() != 1 {
		return nil, Errorf(op, in, "it takes one truth value")
	}
	return nil, nil
}

func (op Assert) Prepare(p *Prepare) (*Kernel, error) {
	return &Kernel{Choice: "test", Parallel: 1, Run: func(c *Call) error {
		if c.In[0].Bytes()[0] == 0 {
			return &ValueError{op.Name(), op.Message}
		}
		return nil
	}}, nil
}

// HasEffect is true: it stays though it gives nothing.
func (Assert) HasEffect() bool { return true }
