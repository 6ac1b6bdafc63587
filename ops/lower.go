package ops

import (
	"github.com/octet-ml/octet/tensor"
)

// Lowerer is implemented by operators that are a few others in a row. A
// compiler puts those in their place, so that they are planned, fused and laid out like
// any; the operator's own kernel runs them one after the other.
type Lowerer interface {
	Op
	// Lower returns the operators for inputs that Infer accepted. The last one's
	// output is the operator's.
	Lower(in []Type) ([]Step, error)
}

// Step is one operator of several. Its inputs count the operator's own inputs
// first and then the first outputs of the steps before it.
type Step struct {
	Op Op
	In []int
}

// lowering collects steps with the types of their outputs.
type lowering struct {
	inputs int
	types  []Type
	steps  []Step
}

func newLowering(in []Type) *lowering {
	return &lowering{inputs: len(in), types: append([]Type(nil), in...)}
}

// add appends a step and returns the number of its output.
func (l *lowering) add(op Op, in ...int) (int, error) {
	types := make([]Type, len(in))
	for i, k := range in {
		types[i] = l.types[k]
	}
	out, err := op.Infer(types)
	if err != nil {
		return 0, err
	}
	if _, err := out[0].Shape.Numel(); err != nil {
		return 0, err
	}
	l.steps = append(l.steps, Step{op, in})
	l.types = append(l.types, out[0])
	return len(l.types) - 1, nil
}

// permute and sum add their step unless it would change nothing.

func (l *lowering) permute(x int, order []int) (int, error) {
	for i, o := range order {
		if i != o {
			return l.add(Permute{Order: order}, x)
		}
	}
	return x, nil
}

func (l *lowering) sum(x int, axes []int, keep bool) (int, error) {
	if len(axes) == 0 {
		return x, nil
	}
	return l.add(Reduce{Fn: Sum, Axes: axes, KeepDims: keep}, x)
}

// lowerInfer infers the type of what the steps give.
func lowerInfer(op Lowerer, in []Type) ([]Type, error) {
	steps, err := op.Lower(in)
	if err != nil {
		return nil, err
	}
	types := append([]Type(nil), in...)
	for _, s := range steps {
		out, err := s.Op.Infer(pickTypes(types, s.In))
		if err != nil {
			return nil, Errorf(op, in, "%v", err)
		}
		types = append(types, out[0])
	}
	return []Type{types[len(types)-1]}, nil
}

func pickTypes(types []Type, in []int) []Type {
	out := make([]Type, len(in))
	for i, k := range in {
		out[i] = types[k]
	}
	return out
}

// lowerPrepare prepares a kernel that runs the steps one after the other.
func lowerPrepare(op Lowerer, p *Prepare) (*Kernel, error) {
	steps, err := op.Lower(p.In)
	if err != nil {
		return nil, err
	}
	types := append([]Type(nil), p.In...)
	kernels := make([]*Kernel, len(steps))
	k := &Kernel{Choice: "steps", Parallel: 1}
	for i, s := range steps {
		in := pickTypes(types, s.In)
		out, err := s.Op.Infer(in)
		if err != nil {
			return nil, err
		}
		step := *p
		step.In, step.Out = in, out
		if kernels[i], err = s.Op.Prepare(&step); err != nil {
			return nil, err
		}
		types = append(types, out[0])
		k.Scratch = max(k.Scratch, kernels[i].Scratch)
		k.WorkerScratch = max(k.WorkerScratch, kernels[i].WorkerScratch)
		k.WorkerPointers = max(k.WorkerPointers, kernels[i].WorkerPointers)
		k.Parallel = max(k.Parallel, kernels[i].Parallel)
	}
	inputs := len(p.In)
	k.Run = func(c *Call) error {
		run, _ := c.Kept.(*loweredCall)
		if run == nil {
			var err error
			if run, err = newLoweredCall(steps, types, inputs); err != nil {
				return err
			}
			c.Kept = run
		}
		return run.run(c, kernels, steps, inputs)
	}
	return k, nil
}

// loweredCall is the memory of one run of several steps.
type loweredCall struct {
	calls  []Call
	values []*tensor.Tensor // nil: inputs and the output
}

func newLoweredCall(steps []Step, types []Type, inputs int) (*loweredCall, error) {
	r := &loweredCall{calls: make([]Call, len(steps)), values: make([]*tensor.Tensor, len(types))}
	for i, s := range steps {
		if t := types[inputs+i]; i < len(steps)-1 {
			x, err := tensor.New(t.DType, t.Shape...)
			if err != nil {
				return nil, err
			}
			r.values[inputs+i] = x.WithQParams(t.Q)
		}
		r.calls[i].In = make([]*tensor.Tensor, len(s.In))
		r.calls[i].Out = make([]*tensor.Tensor, 1)
	}
	return r, nil
}

func (r *loweredCall) run(c *Call, kernels []*Kernel, steps []Step, inputs int) error {
	for i, s := range steps {
		call := &r.calls[i]
		call.Scratch, call.Workers, call.Pool, call.Context = c.Scratch, c.Workers, c.Pool, c.Context
		for j, k := range s.In {
			if k < inputs {
				call.In[j] = c.In[k]
			} else {
				call.In[j] = r.values[k]
			}
		}
		call.Out[0] = r.values[inputs+i]
		if i == len(steps)-1 {
			call.Out[0] = c.Out[0]
		}
		call.Done = nil
		if c.Context != nil && kernels[i].Interruptible {
			call.Done = c.Context.Done()
		}
		if err := kernels[i].Run(call); err != nil {
			return err
		}
		if c.Context != nil && c.Context.Err() != nil {
			return c.Context.Err() // the next step would read what is incomplete
		}
	}
	return nil
}
