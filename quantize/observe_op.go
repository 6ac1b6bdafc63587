package quantize

import (
	"fmt"
	"unsafe"

	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/asm"
)

// rangeTaker is an observer per tensor that can be told the extremes of a
// batch, which are finite.
type rangeTaker interface {
	Observer
	observeRange(lo, hi float32, count counter) error
}

// observeOp is the operator that shows its input to an observer. It has no output.
type observeOp struct {
	to      Observer
	samples bool // its elements are those of one sample after another; see samplesFirst
}

func (observeOp) Name() string { return "observe" }

func (op observeOp) Infer(in []ops.Type) ([]ops.Type, error) {
	if len(in) != 1 {
		return nil, ops.Errorf(op, in, "it takes one value")
	}
	return nil, nil
}

// Prepare finds the extremes, and counts, on all workers.
func (op observeOp) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	n := p.In[0].Numel()
	taker, ok := op.to.(rangeTaker)
	if !ok || op.to.Config().Spec.Scheme.PerChannel() || n == 0 {
		return &ops.Kernel{Run: op.observe, Choice: "observe", Parallel: 1}, nil
	}
	type extremes struct {
		lo, hi float32
		nan    bool
	}
	k, counts := asm.MinMaxF32For(p.Tier), newParallelCounter(p)
	tasks := (n + chunk - 1) / chunk
	found := func(c *ops.Call) []extremes {
		return unsafe.Slice((*extremes)(unsafe.Pointer(unsafe.SliceData(c.Scratch))), tasks)
	}
	task := func(c *ops.Call, i int, _ *ops.Worker) {
		e := &found(c)[i]
		e.lo, e.hi, e.nan = k.Run(c.In[0].Float32s()[i*chunk : min((i+1)*chunk, op.observed(c, n))])
	}
	return &ops.Kernel{
		Run: func(c *ops.Call) error {
			n := op.observed(c, n)
			if n == 0 {
				return nil
			}
			tasks := (n + chunk - 1) / chunk
			c.Parallel(tasks, task)
			all := found(c)[0]
			for _, e := range found(c)[1:tasks] {
				all.lo, all.hi, all.nan = min(all.lo, e.lo), max(all.hi, e.hi), all.nan || e.nan
			}
			if all.nan || !isFinite(all.lo) || !isFinite(all.hi) {
				return &ObserverError{op.to.Name(), op.to.Config().Kind, ErrNotFinite}
			}
			return taker.observeRange(all.lo, all.hi, counts.counter(c, n, c.Scratch))
		},
		Scratch:  max(tasks*int(unsafe.Sizeof(extremes{})), counts.scratch()),
		Choice:   fmt.Sprintf("%s %s", k.Op, k.Tier),
		Parallel: tasks,
	}, nil
}

// observed returns how many of the n elements of its input are observed: the first ones.
func (op observeOp) observed(c *ops.Call, n int) int {
	if !op.samples {
		return n
	}
	return sampled(c, c.In[0].Shape(), n)
}

// observe shows the observer what is observed of the input.
func (op observeOp) observe(c *ops.Call) error {
	x := c.In[0]
	if x.Rank() > 0 && x.Numel() > 0 {
		var err error
		if x, err = x.Slice(0, 0, op.observed(c, x.Dim(0)), 1); err != nil {
			return err
		}
	}
	return op.to.Observe(x)
}

// HasEffect keeps the node though nothing uses its output.
func (observeOp) HasEffect() bool { return true }

// ChannelsLast observes in whatever layout the value has.
func (op observeOp) ChannelsLast(in []ops.Type) (ops.Op, []int, bool) {
	spec := op.to.Config().Spec
	return op, []int{0}, len(in[0].Shape) >= 3 && !spec.Scheme.PerChannel()
}
