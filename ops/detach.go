package ops

// Detach gives its input and stops gradients, as torch.Tensor.detach does.
type Detach struct{}

func (Detach) Name() string { return "detach" }

func (op Detach) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 1, 1); err != nil {
		return nil, err
	}
	return []Type{in[0]}, nil
}

func (Detach) Prepare(*Prepare) (*Kernel, error) { return copyKernel(), nil }

// IsView is always true.
func (Detach) IsView(in, out []Type) bool { return true }

// Grad is none.
func (Detach) Grad(_ GradBuilder, in, _, _ []Ref, _ []bool) []Ref { return make([]Ref, len(in)) }

// ChannelsLast works in any layout.
func (op Detach) ChannelsLast(in []Type) (Op, []int, bool) {
	return op, []int{0}, len(in[0].Shape) >= 3
}
