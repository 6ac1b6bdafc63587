package ops

import (
	"math"

	"github.com/octet-ml/octet/tensor"
)

// Differentiable is implemented by operators that have gradients. A gradient
// is not computed by the operator itself: it is written down as further
// operators, which a session plans and runs like any other.
type Differentiable interface {
	Op
	// Grad adds the operators that compute the gradients of the inputs, given the
	// node's inputs, outputs, and the gradients of the outputs, which are nil for outputs nothing
	// depends on. need says which gradients are wanted; the others may be nil, as
	// may those of inputs the outputs do not depend on.
	Grad(b GradBuilder, in, out, dout []Ref, need []bool) []Ref
}

// Ref is a value of the graph that a GradBuilder works on; nil is none.
type Ref any

// GradBuilder adds operators to a graph. Errors stay in it: after the first,
// what it returns has no meaning.
type GradBuilder interface {
	// Apply adds an operator with one output.
	Apply(op Op, in ...Ref) Ref
	// ApplyAll adds an operator and returns all outputs.
	ApplyAll(op Op, in ...Ref) []Ref
	// Const adds a constant.
	Const(t *tensor.Tensor) Ref
	// Type returns the type of a value. Known values in it hold for the example's shape, not
	// for others: what decides the form of a gradient asks Constant.
	Type(v Ref) Type
	// Constant returns the elements of a constant, nil of any other value.
	Constant(v Ref) *tensor.Tensor
	// Fail reports that there is no gradient.
	Fail(err error)
}

// NoGradient says that an operator has no gradient, why, and what to do about it.
//
//go:noinline
func NoGradient(op Op, reason string) error {
	return &UnsupportedError{Op: op.Name(), Reason: reason + "; freeze the parameters in front of it, detach its input, or leave it out of what is trained"}
}

// number adds a constant of no dimensions.
//
//go:noinline
func number(b GradBuilder, v float32) Ref { return b.Const(tensor.Scalar(v)) }

// applyBinary adds a function of two operands.
//
//go:noinline
func applyBinary(b GradBuilder, fn BinaryFn, x, y Ref) Ref { return b.Apply(Binary{Fn: fn}, x, y) }

// applyUnary adds a function of one operand.
//
//go:noinline
func applyUnary(b GradBuilder, fn UnaryFn, x Ref) Ref { return b.Apply(Unary{Fn: fn}, x) }

// sumTo adds up a gradient over the dimensions that broadcasting an operand of
// the given shape has added or stretched.
func sumTo(b GradBuilder, d Ref, shape tensor.Shape) Ref {
	have := b.Type(d).Shape
	if have.Equal(shape) {
		return d
	}
	var axes []int
	for i := range have {
		j := i - len(have) + len(shape)
		if j < 0 || (shape[j] == 1 && have[i] != 1) {
			axes = append(axes, i)
		}
	}
	if len(axes) > 0 {
		d = b.Apply(Reduce{Fn: Sum, Axes: axes, KeepDims: true}, d)
	}
	return reshaped(b, d, shape)
}

// activationGrad passes a gradient back through a fused activation, given the
// operator's output. Functions other than clamps need what was in front of them, which
// plain, the operator without the activation, computes again from in.
func activationGrad(b GradBuilder, act Activation, plain Op, in []Ref, y, dy Ref) Ref {
	if act == NoActivation {
		return dy
	}
	if !act.IsClamp() {
		fn := Unary{Fn: activations[act].fn}
		return fn.Grad(b, []Ref{b.Apply(plain, in...)}, []Ref{y}, []Ref{dy}, []bool{true})[0]
	}
	lo, hi := act.Bounds()
	return b.Apply(ClampGrad{Lo: lo, Hi: hi}, y, dy)
}

// ClampGrad is the gradient of a clamp, given its output y and the gradient dy:
// dy where Lo < y < Hi, else 0. An infinite bound bounds nothing, not even an infinity. Inputs: y, dy.
type ClampGrad struct {
	Lo, Hi float32
}

func (ClampGrad) Name() string { return "clamp_grad" }

func (op ClampGrad) Infer(in []Type) ([]Type, error) {
	if err := arity(op, in, 2, 2); err != nil {
		return nil, err
	}
	if err := floatInputs(op, in); err != nil {
		return nil, err
	}
	if !in[0].Shape.Equal(in[1].Shape) {
		return nil, Errorf(op, in, "the shapes differ")
	}
	return []Type{F32(in[0].Shape...)}, nil
}

func (op ClampGrad) Prepare(p *Prepare) (*Kernel, error) {
	lo, hi := op.Lo, op.Hi
	none := float32(math.NaN()) // which nothing is below or above
	if lo == -inf {
		lo = none
	}
	if hi == inf {
		hi = none
	}
	return elementwiseKernel(p, p.Out[0].Numel(), "clamp gradient", func(c *Call, from, to int) {
		y, dy, dx := c.In[0].Float32s()[from:to], c.In[1].Float32s()[from:to], c.Out[0].Float32s()[from:to]
		for i, v := range y {
			g := dy[i]
			if v <= lo || v >= hi {
				g = 0
			}
			dx[i] = g
		}
	}), nil
}

func (op ClampGrad) ChannelsLast(in []Type) (Op, []int, bool) {
	return op, []int{0, 1}, len(in[0].Shape) >= 3
}

// InPlace lets the gradient lie where y or dy did.
func (ClampGrad) InPlace([]Type) []int { return []int{1, 0} }

// elementwiseKernel works on disjoint ranges of n elements.
func elementwiseKernel(p *Prepare, n int, choice string, run func(c *Call, from, to int)) *Kernel {
	const chunk = 1 << 14
	tasks := max((n+chunk-1)/chunk, 1)
	if p.Threads == 1 {
		tasks = 1
	}
	task := func(c *Call, i int, _ *Worker) { run(c, i*n/tasks, (i+1)*n/tasks) }
	return &Kernel{Interruptible: true, Run: func(c *Call) error { c.Parallel(tasks, task); return nil }, Choice: choice, Parallel: tasks}
}

// filled returns a float32 tensor of one value.
func filled(shape tensor.Shape, v float32) *tensor.Tensor {
	t, err := tensor.New(tensor.Float32, shape...)
	if err != nil {
		return tensor.Scalar(v)
	}
	fill(t.Float32s(), v)
	return t
}
