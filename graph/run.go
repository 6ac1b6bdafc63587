package graph

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// outputType returns the type of an output of a run.
func (s *Session) outputType(st *state, i int) ops.Type {
	return st.plan.slots[st.plan.slotOf[s.graph.Outputs[i]]].typ
}

// OutputError says that an output that the caller provides does not fit.
type OutputError struct {
	Index     int // of the output, -1 when their number is wrong
	Reason    string
	Want, Got string // what is computed and what was given; "" when the memory is at fault
}

func (e *OutputError) Error() string {
	if e.Index < 0 {
		return "outputs: " + e.Reason
	}
	return fmt.Sprintf("output %d: %s", e.Index, e.Reason)
}

// checkOutputs checks outputs that the caller provides.
func (r *sessionRun) checkOutputs(outputs []*tensor.Tensor) error {
	if n := r.outputs(); len(outputs) != n {
		return &OutputError{
			Index: -1, Reason: fmt.Sprintf("%d given where the graph has %d", len(outputs), n),
			Want: fmt.Sprint(n), Got: fmt.Sprint(len(outputs)),
		}
	}
	for i, o := range outputs {
		want := r.session.outputType(r.st, i)
		if o == nil || o.DType() != want.DType || !o.Shape().Equal(want.Shape) || !o.IsContiguous() {
			return &OutputError{i, fmt.Sprintf("it is %v where a contiguous %v is computed", o, want), want.String(), fmt.Sprint(o)}
		}
	}
	return checkApart(outputs, r.inputs)
}

// manyTensors is from where on memory is sorted to find what overlaps.
const manyTensors = 64

// checkApart checks that the memory of no output belongs to another output or to an input.
// Inputs that are not contiguous are copied before anything is written.
func checkApart(outputs, inputs []*tensor.Tensor) error {
	if len(outputs)+len(inputs) > manyTensors {
		return checkManyApart(outputs, inputs)
	}
	for i, o := range outputs {
		for _, q := range outputs[:i] {
			if overlap(o, q) {
				return sharedMemory(i)
			}
		}
		for _, q := range inputs {
			if q.IsContiguous() && overlap(o, q) {
				return sharedMemory(i)
			}
		}
	}
	return nil
}

func sharedMemory(i int) error {
	return &OutputError{Index: i, Reason: "its memory is also that of an input or of another output"}
}

// overlap reports whether two contiguous tensors have memory in common.
func overlap(a, b *tensor.Tensor) bool {
	x, y := a.Bytes(), b.Bytes()
	if len(x) == 0 || len(y) == 0 {
		return false
	}
	at, bt := uintptr(unsafe.Pointer(&x[0])), uintptr(unsafe.Pointer(&y[0]))
	return at < bt+uintptr(len(y)) && bt < at+uintptr(len(x))
}

// checkManyApart is checkApart in the order of the addresses. Inputs may share memory.
func checkManyApart(outputs, inputs []*tensor.Tensor) error {
	type piece struct {
		at, end uintptr
		output  int // -1 for an input
	}
	var pieces []piece
	add := func(t *tensor.Tensor, output int) {
		if b := t.Bytes(); len(b) > 0 {
			at := uintptr(unsafe.Pointer(&b[0]))
			pieces = append(pieces, piece{at, at + uintptr(len(b)), output})
		}
	}
	for i, o := range outputs {
		add(o, i)
	}
	for _, t := range inputs {
		if t.IsContiguous() {
			add(t, -1)
		}
	}
	slices.SortFunc(pieces, func(a, b piece) int {
		if a.at < b.at {
			return -1
		}
		return 1
	})
	var end, outputEnd uintptr // of all pieces so far, and of those that are outputs
	for _, p := range pieces {
		switch {
		case p.output >= 0 && p.at < end:
			return sharedMemory(p.output)
		case p.output < 0 && p.at < outputEnd:
			i := slices.IndexFunc(pieces, func(q piece) bool { return q.output >= 0 && q.at <= p.at && p.at < q.end })
			return sharedMemory(pieces[i].output)
		}
		end = max(end, p.end)
		if p.output >= 0 {
			outputEnd = max(outputEnd, p.end)
		}
	}
	return nil
}

// steps computes outputs from inputs in the memory of st. When ctx ends it stops within the
// step at hand and returns the error of ctx.
func (s *Session) steps(ctx context.Context, st *state, outputs, inputs []*tensor.Tensor) (err error) {
	for i, t := range inputs {
		t = t.Contiguous()
		for _, v := range st.inputs[i] {
			v.Rebind(t)
		}
	}
	for i, t := range outputs {
		for _, v := range st.outputs[i] {
			v.Rebind(t)
		}
	}
	defer func() {
		switch v := recover().(type) {
		case nil:
		case ops.Cancelled:
			err = v.Err
		default:
			panic(v)
		}
	}()
	for i := range st.calls {
		if err := s.step(ctx, st, i); err != nil {
			return err
		}
	}
	for i, v := range s.graph.Outputs {
		slot := st.plan.slotOf[v]
		if st.plan.slots[st.plan.slots[slot].root].output != i {
			err = errors.Join(err, outputs[i].CopyFrom(st.tensors[slot]))
		}
	}
	return errors.Join(err, ctx.Err())
}

// step runs one kernel.
func (s *Session) step(ctx context.Context, st *state, i int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := &st.calls[i]
	c.Context = ctx
	step := &st.plan.steps[i]
	var start time.Time
	if s.opts.Trace != nil {
		start = time.Now()
	}
	if err := step.kernel.Run(c); err != nil {
		if ended := ctx.Err(); ended != nil && errors.Is(err, ended) {
			return ended
		}
		return &NodeError{Node: step.node, Err: err}
	}
	if s.opts.Trace != nil {
		s.opts.Trace(st.trace(i, time.Since(start)))
	}
	return nil
}

func (st *state) trace(i int, d time.Duration) StepTrace {
	step := &st.plan.steps[i]
	tr := StepTrace{Index: i, Node: step.node, Choice: step.kernel.Choice, Duration: d}
	for _, j := range step.in {
		tr.In = append(tr.In, st.plan.slots[j].typ)
	}
	for _, j := range step.out {
		tr.Out = append(tr.Out, st.plan.slots[j].typ)
	}
	return tr
}
