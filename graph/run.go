package graph

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// RunOptions change one run.
type RunOptions struct {
	// Threads is the most workers that the run uses; 0 means all that the session has. A short
	// run is hardly faster with several, which then take time from other runs.
	Threads int
	// State is what the model keeps for one client; nil stands for the session's own.
	State *SessionState
}

// RunWith is Run with options.
func (s *Session) RunWith(ctx context.Context, opts RunOptions, inputs ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	k := opts.State
	if k == nil {
		k = s.state
	}
	if k.session != s {
		return nil, &OptionError{"State", "it is of another session"}
	}
	return k.runWith(ctx, opts.Threads, inputs)
}

// limit lets a run use some of its workers only; 0 means all.
func (st *state) limit(threads int) {
	if threads <= 0 || threads > len(st.workers) {
		threads = len(st.workers)
	}
	for i := range st.calls {
		if len(st.calls[i].Workers) == threads {
			return
		}
		st.calls[i].Workers = st.workers[:threads]
	}
}

// outputType returns the type of an output of a run.
func (s *Session) outputType(st *state, i int) ops.Type {
	return st.plan.slots[st.plan.slot(s.graph.Outputs[i])].typ
}

// OutputError says that an output that the caller provides does not fit.
type OutputError struct {
	Index  int // of the output, -1 when their number is wrong
	Reason string
}

// Error names the output.
func (e *OutputError) Error() string {
	if e.Index < 0 {
		return "outputs: " + e.Reason
	}
	return fmt.Sprintf("output %d: %s", e.Index, e.Reason)
}

// checkOutputs checks outputs that the caller provides.
func (r *sessionRun) checkOutputs(outputs []*tensor.Tensor) error {
	if n := r.outputs(); len(outputs) != n {
		return &OutputError{-1, fmt.Sprintf("%d given where the graph has %d", len(outputs), n)}
	}
	for i, o := range outputs {
		want := r.session.outputType(r.st, i)
		if o == nil || o.DType() != want.DType || !o.Shape().Equal(want.Shape) || !o.IsContiguous() {
			return &OutputError{i, fmt.Sprintf("it is %v where a contiguous %v is computed", o, want)}
		}
		if err := checkOutputParams(i, o, want.Q); err != nil {
			return err
		}
	}
	return checkOverlap(outputs, r.inputs)
}

// checkOutputParams refuses an output i whose integers would mean other numbers than those that are computed. One without parameters takes them as they are.
func checkOutputParams(i int, o *tensor.Tensor, want *tensor.QParams) error {
	if q := o.QParams(); q != nil && !q.Equal(want) {
		return &OutputError{i, fmt.Sprintf("its quantization parameters are %v where %v are computed", q, want)}
	}
	return nil
}

// steps computes outputs from inputs in the memory of st. When ctx ends it stops within the
// step at hand and returns the error of ctx, unless a variable has been written: then it goes to its end.
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
	if err := ctx.Err(); err != nil {
		return err
	}
	for i := range st.calls {
		if st.plan.steps[i].writes && ctx.Done() != nil {
			ctx = context.WithoutCancel(ctx) // all variables are written, or none
		}
		if err := s.step(ctx, st, i); err != nil {
			return err
		}
	}
	for i, v := range s.graph.Outputs {
		slot := st.plan.slot(v)
		if st.plan.slots[st.plan.slots[slot].root].output != i {
			err = errors.Join(err, outputs[i].CopyFrom(st.tensors[slot]))
		}
	}
	return err
}

// step runs one kernel.
func (s *Session) step(ctx context.Context, st *state, i int) error {
	c := &st.calls[i]
	step := &st.plan.steps[i]
	c.Context, c.Done = ctx, nil
	if step.kernel.Interruptible {
		c.Done = ctx.Done()
	}
	var start time.Time
	if s.opts.Trace != nil {
		start = time.Now()
	}
	err := step.kernel.Run(c)
	if done := ctx.Err(); done != nil {
		return done // the outputs of the node may be incomplete
	}
	if err != nil {
		return &NodeError{Node: step.node, Err: err}
	}
	if s.opts.Trace != nil {
		s.opts.Trace(st.trace(i, time.Since(start)))
	}
	return nil
}

func (st *state) trace(i int, d time.Duration) StepTrace {
	step := &st.plan.steps[i]
	tr := StepTrace{Index: i, Node: step.node, Choice: step.kernel.Choice, Packed: len(step.kernel.Weights), Duration: d}
	for _, j := range step.in {
		tr.In = append(tr.In, st.plan.slots[j].typ)
	}
	for _, j := range step.out {
		tr.Out = append(tr.Out, st.plan.slots[j].typ)
	}
	return tr
}
