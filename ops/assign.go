package ops

// Assign writes its second input over the first, which must be a variable of the same type: what is
// kept from one run to the next, such as running statistics. It has no output.
type Assign struct{}

func (Assign) Name() string { return "assign" }

func (op Assign) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	if in[0].DType != in[1].DType || !in[0].Shape.Equal(in[1].Shape) {
		return nil, Errorf(op, in, "the types differ")
	}
	return nil, nil
}

func (Assign) Prepare(*Prepare) (*Kernel, error) {
	return &Kernel{
		Run:      func(c *Call) error { copy(c.In[0].Bytes(), c.In[1].Bytes()); return nil },
		Choice:   "copy",
		Parallel: 1,
	}, nil
}

// HasEffect keeps the node though it has no output.
func (Assign) HasEffect() bool { return true }

// Writes says that the first input is written.
func (Assign) Writes() []int { return []int{0} }
