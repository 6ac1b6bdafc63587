package quantize

import (
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/ops/int8"
)

// projectPairsOp makes a float weight pair-safe in training, as conversion does: weights that their scale takes to a pair that is
// not safe become the nearest values of which it does not. Inputs: the weight float32 [outs, ...], and its scale and zero point, one or
// one per output channel. Its gradient is that of the weight, straight through.
type projectPairsOp struct {
	spec  Spec
	pairs *weightPairs
}

// Name returns "project_pairs".
func (projectPairsOp) Name() string { return "project_pairs" }

// Infer checks that the parameters fit the weight.
func (op projectPairsOp) Infer(in []ops.Type) ([]ops.Type, error) {
	return int8.LSQ{Params: op.spec.params()}.Infer(in)
}

// Prepare projects some output channels in each task.
func (op projectPairsOp) Prepare(p *ops.Prepare) (*ops.Kernel, error) {
	outs := p.In[0].Shape[0]
	size := p.In[0].Numel() / max(outs, 1)
	perTask := max(chunk/max(size, 1), 1)
	tasks := (outs + perTask - 1) / perTask
	params := op.spec.params()
	lo, hi := params.Min, params.Max
	task := func(c *ops.Call, i int, _ *ops.Worker) {
		scales, zeros := c.In[1].Float32s(), c.In[2].Float32s()
		for o := i * perTask; o < min((i+1)*perTask, outs); o++ {
			k := o % len(scales)
			scale, zero := scales[k], params.RoundZero(zeros[k])
			if scale < 0 { // as learned.qparams has it
				scale, zero = -scale, lo+hi-zero
			}
			op.pairs.project(c.Out[0].Float32s()[o*size:(o+1)*size], c.In[0].Float32s()[o*size:(o+1)*size], scale, zero, lo, hi)
		}
	}
	return &ops.Kernel{
		Run: func(c *ops.Call) error {
			if err := int8.CheckLearned(op.Name(), c.In[1], c.In[2]); err != nil {
				return err
			}
			c.Parallel(tasks, task)
			return nil
		},
		Choice:   "project_pairs",
		Parallel: tasks,
	}, nil
}

// Grad passes the gradient of the weight on.
func (projectPairsOp) Grad(_ ops.GradBuilder, _, _, dout []ops.Ref, _ []bool) []ops.Ref {
	return []ops.Ref{dout[0], nil, nil}
}

// safeWeight returns the weight of a layer, made pair-safe where the quantizer's spec asks for it.
func (b *qatBuilder) safeWeight(n *graph.Node, w *graph.Value) (*graph.Value, error) {
	name := b.a.prepared.layers[n]
	pairs := b.a.pairs[name]
	if pairs == nil {
		return w, nil
	}
	l := b.a.weights[name]
	return b.Graph.Add1(n.Scope, projectPairsOp{l.spec, pairs}, w, b.Variable(l.scale), b.Variable(l.zero))
}

// learnWeight adds a learnable fake-quantize of the weight of a layer.
func (b *qatBuilder) learnWeight(n *graph.Node, w *graph.Value) (*graph.Value, error) {
	w, err := b.safeWeight(n, w)
	if err != nil {
		return nil, err
	}
	return b.learn(n.Scope, b.a.weights[b.a.prepared.layers[n]], w)
}
