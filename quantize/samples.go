package quantize

import (
	"context"
	"slices"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// filledBatch is a batch whose first samples rows are samples, and whose others fill it up.
type filledBatch struct{ samples, rows int }

type filledBatchKey struct{}

// withSamples tells observers of a run which rows of its inputs are samples, where others fill them up.
func withSamples(ctx context.Context, inputs []*tensor.Tensor) context.Context {
	var b filledBatch
	for _, t := range inputs {
		if t == nil || t.Rank() == 0 {
			continue
		}
		if b.rows > 0 && t.Dim(0) != b.rows {
			return ctx
		}
		if b.rows == 0 {
			b = filledBatch{t.Dim(0), t.Dim(0)}
		}
		b.samples = min(b.samples, t.Samples())
	}
	if b.samples == b.rows {
		return ctx
	}
	return context.WithValue(ctx, filledBatchKey{}, b)
}

// sampled returns how many of n parts in a row, which lie along the first dimension of a value as its samples do, are of samples.
func sampled(c *ops.Call, shape tensor.Shape, n int) int {
	if c.Context == nil {
		return n
	}
	b, ok := c.Context.Value(filledBatchKey{}).(filledBatch)
	if !ok || len(shape) == 0 || shape[0]%b.rows != 0 {
		return n
	}
	return n / b.rows * b.samples
}

// samplesFirst returns the values of a graph whose elements are those of one sample after another, as those of its inputs
// are, so that the samples that fill up a batch come last and nothing else depends on them. Values of which that is not known are not among them.
func samplesFirst(g *graph.Graph) map[*graph.Value]bool {
	s := samplesOrder{first: make(map[*graph.Value]bool)}
	for _, v := range g.Inputs {
		shape := v.Type.Shape
		switch {
		case len(shape) == 0:
		case s.batch > 0 && shape[0] != s.batch || shape[0] == 0:
			return nil
		default:
			s.batch = shape[0]
			s.first[v] = true
		}
	}
	if s.batch == 0 {
		return nil
	}
	for _, n := range g.Nodes {
		if s.keeps(n) {
			for _, v := range n.Outputs {
				s.first[v] = true
			}
		}
	}
	return s.first
}

type samplesOrder struct {
	batch int
	first map[*graph.Value]bool
}

// along reports whether the first dimension of a value is that of its samples, each of one or more rows.
func (s *samplesOrder) along(v *graph.Value) bool {
	return s.first[v] && len(v.Type.Shape) > 0 && v.Type.Shape[0] > 0 && v.Type.Shape[0]%s.batch == 0
}

// keeps reports whether the outputs of a node have samples first because its inputs have.
func (s *samplesOrder) keeps(n *graph.Node) bool {
	constant := make([]bool, len(n.Inputs))
	for i, v := range n.Inputs {
		constant[i] = v.Const != nil
	}
	switch ops.SamplesOf(n.Op, typesOf(n.Inputs), constant) {
	case ops.SamplesMixed:
		return false
	case ops.SamplesInOrder:
		return s.first[n.Inputs[0]]
	case ops.SamplesByIndex:
		return s.along(n.Inputs[1])
	}
	if len(n.Outputs) == 0 {
		return false
	}
	out := n.Outputs[0].Type.Shape
	if len(out) == 0 {
		return false
	}
	found := false
	for _, v := range n.Inputs {
		shape := v.Type.Shape
		switch {
		case v.Const != nil:
		case len(shape) > 0 && shape[0] == out[0] && s.along(v):
			found = true
		case len(shape) < len(out) || shape[0] == 1: // the same for all samples
		default:
			return false
		}
	}
	return found && !slices.ContainsFunc(n.Outputs, func(v *graph.Value) bool { return len(v.Type.Shape) == 0 || v.Type.Shape[0] != out[0] })
}
