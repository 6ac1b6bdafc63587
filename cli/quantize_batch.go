package cli

import (
	"slices"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/tensor"
)

// cutBatches decides how large batches may be. The last one is smaller than others as a rule. Where the model does not take it, or
// is another graph for it, as where it loops over the samples, it is filled up with samples of it, which count once: what is
// observed is of one graph.
func (w *work) cutBatches() error {
	w.cut = w.model
	size := min(data.BatchSize(w.model, w.flags.batch), max(w.data.Len(), 1))
	rest := w.data.Len() % size
	if !w.model.IsOpen() || rest == 0 || isText(w.flags.calib) {
		return nil
	}
	last, lastErr := w.specialized(rest)
	first, err := w.specialized(size) // later, so that it is the graph that was asked for last
	if err != nil || lastErr == nil && last == first {
		return w.ctx.Err() // of other errors calibration says which samples they are of
	}
	w.say("%s: the last %d samples are filled up to %d, for the model is another one for batches as small as that", w.flags.calib, rest, size)
	w.cut = fullBatches(first, size)
	return nil
}

// specialized returns what the model is for the first n samples.
func (w *work) specialized(n int) (*graph.Graph, error) {
	in, err := w.data.Batch(w.model, 0, n)
	if err != nil {
		return nil, err
	}
	return w.model.SpecializeContext(w.ctx, typesOf(in)...)
}

func typesOf(in []*tensor.Tensor) []ops.Type {
	types := make([]ops.Type, len(in))
	for i, x := range in {
		types[i] = ops.TypeOf(x)
	}
	return types
}

// cutFor returns a graph like one that was calibrated, as data is to be cut for it: into batches of those sizes it takes.
func (w *work) cutFor(g *graph.Graph) *graph.Graph {
	size := min(data.BatchSize(w.cut, w.flags.batch), w.data.Len())
	for _, n := range []int{1, w.flags.compare % size} {
		in, err := w.data.Batch(g, 0, max(n, 1))
		if err == nil {
			_, err = g.OutputTypes(typesOf(in)...)
		}
		if err != nil {
			return fullBatches(g, size)
		}
	}
	return g
}

// fullBatches returns a graph with the inputs of g which takes batches of n samples only.
func fullBatches(g *graph.Graph, n int) *graph.Graph {
	full := graph.New()
	for _, v := range g.Inputs {
		shape := slices.Clone(v.Type.Shape)
		in := full.Input(v.Name, v.Type.DType, shape...)
		if len(shape) == 0 {
			continue
		}
		in.Guard = &graph.Guard{Shape: slices.Repeat([]int{-1}, len(shape))}
		in.Guard.Shape[0] = n
	}
	return full
}
