package serve

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// batchTable says which numbers of samples a model runs together, and why.
type batchTable struct {
	sizes  []int // above 1, ascending; none: it runs each request alone
	reason string
	rows   []batchRow
	timed  bool // time decided, not bits or memory
}

// batchRow is a measurement.
type batchRow struct {
	Samples   int
	PerSample float64 // seconds
}

// most returns the most samples of a run of several requests.
func (b *batchTable) most() int {
	if len(b.sizes) == 0 {
		return 1
	}
	return b.sizes[len(b.sizes)-1]
}

func (b *batchTable) has(samples int) bool { return slices.Contains(b.sizes, samples) }

// joinable reports whether a job may share a run: its samples are of the type that sizes were measured with.
func (j *job) joinable() bool {
	if j.state != nil || !j.instance.signature.Batch {
		return false
	}
	for i, port := range j.instance.signature.Inputs {
		have, want := j.inputs[i].Shape(), port.Type.Shape
		if len(have) == 0 || have[0] != j.samples || !slices.Equal(have[1:], want[1:]) || j.inputs[i].DType() != port.Type.DType || !j.inputs[i].IsContiguous() {
			return false
		}
	}
	return true
}

// sameParams reports whether the integers of both jobs mean the same numbers.
func (j *job) sameParams(other *job) bool {
	return slices.EqualFunc(j.inputs, other.inputs, func(a, b *tensor.Tensor) bool { return a.QParams().Equal(b.QParams()) })
}

// group is several jobs in one run, which the first of them runs.
type group struct {
	jobs   []*job
	copied chan struct{} // closed once the inputs were copied, and are their owners' again
	ctx    context.Context
	cancel context.CancelFunc
	live   atomic.Int32 // jobs whose context has not ended
	stops  []func() bool
}

func newGroup(members []*job) *group {
	g := &group{jobs: members, copied: make(chan struct{})}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.live.Store(int32(len(members)))
	for _, m := range members {
		g.stops = append(g.stops, context.AfterFunc(m.ctx, func() {
			if g.live.Add(-1) == 0 {
				g.cancel() // nobody waits for it any more
			}
		}))
	}
	return g
}

// leave lets a job go whose context has ended. The others of the group go on.
func (g *group) leave(j *job) error {
	<-g.copied
	return j.ctx.Err()
}

// run computes the outputs of all jobs of the group and wakes them, but for the first. Where the joined run fails, each runs alone: one
// of them may have given values that the model does not take.
func (g *group) run(run runFunc) {
	done := false
	defer func() {
		for _, stop := range g.stops {
			stop()
		}
		g.cancel()
		for _, m := range g.jobs {
			if !done && m.err == nil {
				m.err = errPanicked
			}
			if m != g.jobs[0] {
				m.wake <- struct{}{}
			}
		}
	}()
	inputs, err := g.inputs()
	close(g.copied)
	if err == nil {
		err = g.runJoined(run, inputs)
	}
	for _, m := range g.jobs {
		if err != nil {
			m.err = err
		}
	}
	done = true
}

type runFunc func(ctx context.Context, j *job, inputs []*tensor.Tensor) ([]*tensor.Tensor, error)

func (g *group) runJoined(run runFunc, inputs []*tensor.Tensor) error {
	outputs, err := run(g.ctx, g.jobs[0], inputs)
	if err == nil {
		err = g.divide(outputs)
	}
	if err == nil || g.ctx.Err() != nil {
		return err
	}
	for i, m := range g.jobs {
		own, err := g.rows(inputs, i)
		if err != nil {
			return err
		}
		m.outputs, m.err = run(m.ctx, m, own)
	}
	return nil
}

// inputs joins the inputs of all jobs.
func (g *group) inputs() ([]*tensor.Tensor, error) {
	joined := make([]*tensor.Tensor, len(g.jobs[0].inputs))
	for i, first := range g.jobs[0].inputs {
		shape := first.Shape().Clone()
		shape[0] = 0
		for _, m := range g.jobs {
			shape[0] += m.samples
		}
		all, err := tensor.New(first.DType(), shape...)
		if err != nil {
			return nil, err
		}
		at := 0
		for _, m := range g.jobs {
			at += copy(all.Bytes()[at:], m.inputs[i].Bytes())
		}
		joined[i] = all.WithQParams(first.QParams())
	}
	return joined, nil
}

// rows returns the part of tensors that belongs to job k.
func (g *group) rows(tensors []*tensor.Tensor, k int) (parts []*tensor.Tensor, err error) {
	first := 0
	for _, m := range g.jobs[:k] {
		first += m.samples
	}
	parts = make([]*tensor.Tensor, len(tensors))
	for i, t := range tensors {
		if parts[i], err = t.Slice(0, first, first+g.jobs[k].samples, 1); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// divide gives each job its part of the outputs.
func (g *group) divide(outputs []*tensor.Tensor) error {
	total := 0
	for _, m := range g.jobs {
		total += m.samples
	}
	for i, t := range outputs {
		if t.Rank() == 0 || t.Dim(0) != total {
			return &graph.OutputError{Index: i, Reason: "it has not the samples of the inputs"}
		}
	}
	for k, m := range g.jobs {
		var err error
		if m.outputs, err = g.rows(outputs, k); err != nil {
			return err
		}
	}
	return nil
}
