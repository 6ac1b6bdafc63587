package int8

import (
	"slices"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// StraightThrough is the int8 form of an operator in training, with parameters that are values: it builds the form with what
// they are in a run, and runs it. Its gradient is that of fake-quantizing the float result, which is its first input.
//
// Inputs: the float32 result of Op, then the activations of the form, float32 values that integers stand for, each followed by
// its scale and zero point, then scale and zero point of the result, then the Others. Output: the float32 values of the result's integers.
type StraightThrough struct {
	Op       ops.Op           // the float32 operator
	Operands []*tensor.Tensor // its inputs that are no activations, nil in the place of these
	In       []Params         // of the activations
	Out      Params
	Others   []int // of the inputs, those that the form takes as they are and that are no constants
	last     bool  // images have their channels last
}

// Train adds the form of n in training, given the float result. in has the activations of the form at their places.
func (f *Form) Train(b Builder, n Node, real ops.Ref, in []Learned, out Learned) ops.Ref {
	op := StraightThrough{Op: n.Op, Operands: slices.Clone(n.Const), Out: out.Params}
	args := []ops.Ref{real}
	for _, i := range f.Activations {
		op.Operands[i] = nil
		op.In = append(op.In, in[i].Params)
		args = append(args, in[i].Value, in[i].Scale, in[i].Zero)
	}
	args = append(args, out.Scale, out.Zero)
	for _, i := range f.Others {
		if n.Const[i] == nil {
			op.Others, args = append(op.Others, i), append(args, in[i].Value)
		}
	}
	return b.Apply(op, args...)
}

// Name returns "straight_through." and the name of the operator.
//
//go:noinline
func (op StraightThrough) Name() string { return "straight_through." + op.Op.Name() }

// Infer checks that the parameters fit, and that there is a form.
func (op StraightThrough) Infer(in []ops.Type) ([]ops.Type, error) {
	last := 1 + 3*len(op.In)
	if len(in) != last+2+len(op.Others) {
		return nil, ops.Errorf(op, in, "it takes a result, %d values with scales and zero points, and those of the result", len(op.In))
	}
	if err := checkParams(op, in, last, 1, op.Out); err != nil {
		return nil, err
	}
	for i, p := range op.In {
		if err := checkParams(op, in, 3*i+2, 1, p); err != nil {
			return nil, err
		}
	}
	n, err := op.node(in)
	if err != nil {
		return nil, err
	}
	if f := FormOf(n); f.Build == nil || len(f.Activations) != len(op.In) {
		return nil, ops.Errorf(op, in, "the operator has no int8 form of %d values", len(op.In))
	}
	if y := op.logical(in[0]); y.DType != n.Out[0].DType || !y.Shape.Equal(n.Out[0].Shape) {
		return nil, ops.Errorf(op, in, "the operator gives %v", n.Out[0])
	}
	return []ops.Type{ops.F32(in[0].Shape...)}, nil
}

// logical returns the type of a value with its channels second.
func (op StraightThrough) logical(t ops.Type) ops.Type {
	if op.last && len(t.Shape) >= 3 {
		t = ops.Type{DType: t.DType, Shape: channelsSecond(t.Shape)}
	}
	return ops.Type{DType: t.DType, Shape: t.Shape}
}

func channelsSecond(s tensor.Shape) tensor.Shape {
	order := slices.Clone(s)
	for i := range order {
		order[i] = s[ops.ChannelsLastAxis(i, len(s))]
	}
	return order
}

// node returns the float operator with the types of its inputs and output.
func (op StraightThrough) node(in []ops.Type) (Node, error) {
	n := Node{Op: op.Op, Const: op.Operands}
	values := 0
	for _, c := range op.Operands {
		switch k := slices.Index(op.Others, len(n.In)); {
		case c != nil:
			n.In = append(n.In, ops.TypeOf(c))
		case k >= 0:
			n.In = append(n.In, in[len(in)-len(op.Others)+k])
		case values < len(op.In):
			n.In = append(n.In, op.logical(in[1+3*values]))
			values++
		default:
			return n, ops.Errorf(op, in, "the operator has more inputs than there are values")
		}
	}
	var err error
	if n.Out, err = op.Op.Infer(n.In); err == nil && len(n.Out) != 1 {
		err = ops.Errorf(op, in, "the operator has %d results", len(n.Out))
	}
	return n, err
}

// ChannelsLast lays out the result and the values as NHWC where they are images of one rank.
func (op StraightThrough) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	images := []int{0}
	for i := range op.In {
		images = append(images, 1+3*i)
	}
	for _, i := range images {
		if rank := len(in[i].Shape); op.last || rank < 3 || rank != len(in[0].Shape) {
			return nil, nil, false
		}
	}
	op.last = true
	return op, images, true
}

// Grad goes back through the fake-quantize to the float result, and from there through the float operator.
func (op StraightThrough) Grad(b ops.GradBuilder, in, _, dout []ops.Ref, _ []bool) []ops.Ref {
	grads := make([]ops.Ref, len(in))
	n := len(in) - len(op.Others)
	if d := b.ApplyAll(LSQGrad{Params: op.Out}, in[0], in[n-2], in[n-1], dout[0]); len(d) == 3 {
		grads[0], grads[n-2], grads[n-1] = d[0], d[1], d[2]
	}
	return grads
}

// Prepare leaves the form to the first run with some memory, which keeps it with parameters that each run sets.
func (op StraightThrough) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	n, err := op.node(p.In)
	if err != nil {
		return nil, err
	}
	form, tier, threads, name, types := FormOf(n), p.Tier, p.Threads, op.Name(), p.In
	run := func(c *ops.Call) error {
		r, _ := c.Kept.(*formRun)
		if r == nil {
			var err error
			if r, err = op.newRun(form, types, &stepBuilder{tier: tier, threads: threads}); err != nil {
				return err
			}
			c.Kept = r
		}
		for i, q := range r.params {
			if err := op.set(q, c, i, name); err != nil {
				return err
			}
		}
		return r.steps.run(c)
	}
	return &ops.Kernel{Run: run, Choice: "the int8 operator, quantizing", Parallel: p.Threads}, nil
}

// formRun is the form, built with parameters that change from run to run.
type formRun struct {
	steps  *stepBuilder
	params []*tensor.QParams // of the activations and the result
}

func (op StraightThrough) newRun(form *Form, types []ops.Type, b *stepBuilder) (*formRun, error) {
	r := &formRun{steps: b}
	for i := range len(op.In) + 1 {
		// All are different, so that building the form finds none equal.
		r.params = append(r.params, tensor.PerTensor(tensor.Uint8, float32(i+1), 0))
	}
	refs := make([]ops.Ref, len(op.Operands))
	for i, at := range form.Activations {
		x := &stepValue{typ: ops.F32(types[1+3*i].Shape...), last: op.last, input: 1 + 3*i}
		refs[at] = b.Apply(Quantize{Q: r.params[i]}, x)
	}
	for _, i := range form.Others {
		k := slices.Index(op.Others, i)
		if k < 0 {
			refs[i] = b.constant(op.Operands[i])
			continue
		}
		at := len(types) - len(op.Others) + k
		refs[i] = &stepValue{typ: types[at], input: at}
	}
	y := b.Apply(Dequantize{}, form.Build(b, refs, r.params[len(op.In)]))
	b.laidOut(y.(*stepValue), op.last)
	return r, b.Err()
}

// set sets parameter i of a run from the inputs.
func (op StraightThrough) set(q *tensor.QParams, c *ops.Call, i int, name string) error {
	at, p := 3*i+2, op.Out
	if i < len(op.In) {
		p = op.In[i]
	} else {
		at = len(c.In) - len(op.Others) - 2
	}
	if err := CheckLearned(name, c.In[at], c.In[at+1]); err != nil {
		return err
	}
	s := p.at(c.In[at].Float32s()[0], c.In[at+1].Float32s()[0], tensor.Uint8)
	q.Scale[0], q.ZeroPoint[0], q.Min, q.Max = s.scale, s.zero, s.lo, s.hi
	return nil
}
