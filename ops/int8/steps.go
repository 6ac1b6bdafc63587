package int8

import (
	"slices"
	"unsafe"

	"github.com/octet-ml/octet/internal/sticky"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
	"github.com/octet-ml/octet/tensor"
)

// stepBuilder is a Builder that prepares each operator as it is added, to be run again and again. Images have their channels
// second or last, as the operators want them.
type stepBuilder struct {
	tier         asm.Tier
	threads      int
	steps        []*step
	sticky.Error // whose Fail implements Builder
}

// step computes something that depends on parameters or, with a kernel, a value.
type step struct {
	update func() error
	kernel *ops.Kernel
	call   ops.Call
	inputs []int // of the values, the place among the inputs of the whole, or -1
}

// stepValue is a value while the steps run.
type stepValue struct {
	typ   ops.Type // as it lies in memory
	last  bool     // it is an image with its channels last
	input int      // its place among the inputs of the whole, or -1
	t     *tensor.Tensor
}

// Type implements Builder: the type with the channels second.
func (s *stepBuilder) Type(v ops.Ref) ops.Type {
	x := v.(*stepValue)
	t := x.typ
	if x.last {
		t.Shape = channelsSecond(t.Shape)
	}
	return t
}

// constant returns a value that stays what it is.
func (s *stepBuilder) constant(t *tensor.Tensor) *stepValue {
	if err := t.Load(); err != nil {
		s.Fail(err)
	}
	t = t.Contiguous()
	return &stepValue{typ: ops.TypeOf(t), input: -1, t: t}
}

// Update implements Builder: each run computes it again.
func (s *stepBuilder) Update(f func() error) { s.steps = append(s.steps, &step{update: f}) }

// Apply implements Builder.
func (s *stepBuilder) Apply(op ops.Op, in ...ops.Ref) ops.Ref {
	types, values := make([]ops.Type, len(in)), make([]*stepValue, len(in))
	for i, v := range in {
		values[i], types[i] = v.(*stepValue), s.Type(v)
	}
	op, images := inLayout(op, types, values)
	for i, v := range values {
		values[i] = s.laidOut(v, slices.Contains(images, i))
	}
	return s.add(op, values, images != nil)
}

// prepare makes the kernel of an operator and the tensor that it writes.
func (n *step) prepare(op ops.Op, p *ops.Prepare, out *stepValue) (err error) {
	if p.Out, err = op.Infer(p.In); err != nil {
		return err
	}
	out.typ = p.Out[0]
	if out.t, err = tensor.New(out.typ.DType, out.typ.Shape...); err != nil {
		return err
	}
	n.kernel, err = op.Prepare(p)
	return err
}

// add adds an operator on values as they lie in memory.
func (s *stepBuilder) add(op ops.Op, in []*stepValue, last bool) *stepValue {
	p := &ops.Prepare{Tier: s.tier, Threads: s.threads}
	next := &step{call: ops.Call{Workers: make([]ops.Worker, s.threads)}}
	for _, v := range in {
		p.In = append(p.In, v.typ)
		next.call.In = append(next.call.In, v.t)
		next.inputs = append(next.inputs, v.input)
	}
	out := &stepValue{input: -1, last: last}
	if s.Err() == nil {
		s.Fail(next.prepare(op, p, out))
	}
	if s.Err() != nil {
		return out
	}
	k := next.kernel
	next.call.Out = []*tensor.Tensor{out.t}
	next.call.Scratch = tensor.AlignedBytes(k.Scratch)
	for i := range next.call.Workers {
		next.call.Workers[i] = ops.Worker{Scratch: tensor.AlignedBytes(k.WorkerScratch), Pointers: make([]unsafe.Pointer, k.WorkerPointers)}
	}
	s.steps = append(s.steps, next)
	return out
}

// inLayout returns the operator as it computes where its inputs lie, and which of them have to have their channels last.
func inLayout(op ops.Op, types []ops.Type, values []*stepValue) (ops.Op, []int) {
	c, ok := op.(ops.ChannelsLaster)
	if !ok {
		return op, nil
	}
	last, images, ok := c.ChannelsLast(types)
	if !ok || !ops.WantsChannelsLast(c) && !slices.ContainsFunc(images, func(i int) bool { return values[i].last }) {
		return op, nil
	}
	return last, images
}

// laidOut returns a value with its channels last or second.
func (s *stepBuilder) laidOut(v *stepValue, last bool) *stepValue {
	if v.last == last {
		return v
	}
	order := make([]int, len(v.typ.Shape))
	for i := range order {
		if at := ops.ChannelsLastAxis(i, len(order)); last {
			order[at] = i
		} else {
			order[i] = at
		}
	}
	return s.add(ops.Permute{Order: order}, []*stepValue{v}, last)
}

// run runs all steps on the inputs of a call, the last one into its output.
func (s *stepBuilder) run(c *ops.Call) error {
	for i, st := range s.steps {
		if st.update != nil {
			if err := st.update(); err != nil {
				return err
			}
			continue
		}
		for j, k := range st.inputs {
			if k >= 0 {
				st.call.In[j] = c.In[k]
			}
		}
		if i == len(s.steps)-1 {
			st.call.Out[0] = c.Out[0]
		}
		st.call.Pool, st.call.Context, st.call.Done = c.Pool, c.Context, c.Done
		if err := st.kernel.Run(&st.call); err != nil {
			return err
		}
	}
	return nil
}
