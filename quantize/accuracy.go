package quantize

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/metric"
	"github.com/octet-ml/octet/tensor"
)

// Batches are the inputs of a model, a batch at a time; an error ends them. They
// can be gone through any number of times.
type Batches = iter.Seq2[[]*tensor.Tensor, error]

// Accuracy says how good a model is: the larger the better.
type Accuracy func(ctx context.Context, m *graph.Graph) (float64, error)

// Labelled returns what the metric that outputs and labels suggest says of the first output, as metric.Choose takes it: the share of right classes,
// along the axis that has them, the share of logits with the right sign, or the coefficient of determination. Labels are of all samples, int64
// or float32, samples first. It fails with a *metric.Error where none fits.
func Labelled(data Batches, labels *tensor.Tensor, opts graph.Options) Accuracy {
	return func(ctx context.Context, m *graph.Graph) (float64, error) {
		var chosen *metric.Metric
		err := firstOutputs(ctx, m, data, opts, func(out []*tensor.Tensor) (err error) {
			if labels == nil {
				return &metric.Error{Reason: "there are no labels"}
			}
			chosen, err = metric.Choose("", out, labels)
			return err
		})
		if err != nil {
			return 0, err
		}
		return ByMetric(chosen, nil, data, labels, opts)(ctx, m)
	}
}

// Agreement returns the share of classes of the first output that are those of the float model, which runs on the data
// once: of samples, pixels or tokens, or of signs where there is one logit for each sample. It fails with a *metric.Error where the output
// has no classes; Cosine is for those.
func Agreement(float *graph.Graph, data Batches, opts graph.Options) Accuracy {
	var judge Accuracy
	return func(ctx context.Context, m *graph.Graph) (float64, error) {
		if judge == nil {
			err := firstOutputs(ctx, float, data, opts, func(out []*tensor.Tensor) error {
				chosen, err := metric.Choose(metric.Agreeing, out, nil)
				if err == nil {
					judge = ByMetric(chosen, float, data, nil, opts)
				}
				return err
			})
			if err != nil {
				return 0, err
			}
		}
		return judge(ctx, m)
	}
}

// ByMetric returns what a metric says of the first output: of labels, as metric.Choose takes them, or for metric.Agreeing and
// metric.Cosine of the float model's outputs, which runs on the data once.
func ByMetric(m *metric.Metric, float *graph.Graph, data Batches, labels *tensor.Tensor, opts graph.Options) Accuracy {
	switch m.Name {
	case metric.Cosine:
		return Cosine(float, data, opts)
	case metric.Agreeing:
		return agreement(m, float, data, opts)
	}
	return func(ctx context.Context, g *graph.Graph) (float64, error) {
		s := metric.NewScorer(m, labels)
		err := eachOutput(ctx, g, data, opts, func(_ int, out []*tensor.Tensor) error { return s.Add(out[0]) })
		if err == nil {
			err = s.Complete()
		}
		return s.Value(), err
	}
}

func agreement(m *metric.Metric, float *graph.Graph, data Batches, opts graph.Options) Accuracy {
	all := func(ctx context.Context, g *graph.Graph) (classes []int, err error) {
		at := 0
		err = eachOutput(ctx, g, data, opts, func(_ int, out []*tensor.Tensor) error {
			part, err := m.Part(out[0], at)
			if err != nil {
				return err
			}
			c, err := m.Classes(part)
			if classes = append(classes, c...); part.Rank() > 0 {
				at += part.Dim(0)
			}
			return err
		})
		return classes, err
	}
	var want []int
	return func(ctx context.Context, g *graph.Graph) (float64, error) {
		if want == nil {
			var err error
			if want, err = all(ctx, float); err != nil {
				want = nil
				return 0, err
			}
		}
		have, err := all(ctx, g)
		if err == nil && len(have) != len(want) {
			err = fmt.Errorf("quantize: %d classes where the float model gives %d", len(have), len(want))
		}
		if err != nil {
			return 0, err
		}
		same := 0
		for i, c := range have {
			if c == want[i] {
				same++
			}
		}
		return float64(same) / float64(max(len(want), 1)), nil
	}
}

// Cosine returns the least cosine of the angle between an output of a model and
// the float model's, over all data: for models that do not classify. The float
// model runs on the data once, and its outputs are kept.
func Cosine(float *graph.Graph, data Batches, opts graph.Options) Accuracy {
	var reference *outputs
	return func(ctx context.Context, m *graph.Graph) (float64, error) {
		if reference == nil {
			r, err := collect(ctx, float, data, opts)
			if err != nil {
				return 0, err
			}
			reference = r
		}
		diff, err := reference.compare(ctx, m, data, opts)
		if err != nil {
			return 0, err
		}
		least := 1.0
		for _, s := range diff {
			least = min(least, s.cosine())
		}
		return least, nil
	}
}

// firstOutputs calls f with what a model gives for the first batch.
func firstOutputs(ctx context.Context, m *graph.Graph, data Batches, opts graph.Options, f func(out []*tensor.Tensor) error) error {
	first := func(yield func([]*tensor.Tensor, error) bool) {
		for in, err := range data {
			yield(in, err)
			return
		}
	}
	return eachOutput(ctx, m, first, opts, func(_ int, out []*tensor.Tensor) error { return f(out) })
}

// eachOutput runs the model on all batches and calls f with the outputs of each.
func eachOutput(ctx context.Context, m *graph.Graph, data Batches, opts graph.Options, f func(batch int, out []*tensor.Tensor) error) error {
	s, err := m.Compile(opts)
	if err != nil {
		return err
	}
	defer s.Close()
	i := 0
	for in, err := range data {
		if err != nil {
			return err
		}
		out, err := s.Run(ctx, in...)
		if err == nil {
			err = f(i, out)
		}
		if err != nil {
			return err
		}
		i++
	}
	if i == 0 {
		return fmt.Errorf("quantize: %w", ErrNoData)
	}
	return nil
}

// outputs are what a model gives for all batches of some data.
type outputs struct {
	batches [][]*tensor.Tensor
}

func collect(ctx context.Context, m *graph.Graph, data Batches, opts graph.Options) (*outputs, error) {
	o := &outputs{}
	err := eachOutput(ctx, m, data, opts, func(_ int, out []*tensor.Tensor) error {
		o.batches = append(o.batches, out)
		return nil
	})
	return o, err
}

// compare returns, for each float32 output, how far another model's is from it.
func (o *outputs) compare(ctx context.Context, m *graph.Graph, data Batches, opts graph.Options) ([]sums, error) {
	var diff []sums
	err := eachOutput(ctx, m, data, opts, func(batch int, out []*tensor.Tensor) error {
		if batch >= len(o.batches) || len(out) != len(o.batches[batch]) {
			return errors.New("quantize: the data has changed between two runs")
		}
		k := 0
		for i, y := range o.batches[batch] {
			if y.DType() != tensor.Float32 {
				continue
			}
			if !y.Shape().Equal(out[i].Shape()) {
				return &metric.Error{Metric: metric.Cosine, Reason: fmt.Sprintf("output %d has shape %v where the float model's has %v: shapes that follow from values cannot be compared", i, out[i].Shape(), y.Shape())}
			}
			if k == len(diff) {
				diff = append(diff, sums{})
			}
			diff[k].add(sumsOf(y.Contiguous().Float32s(), out[i].Contiguous().Float32s()))
			k++
		}
		return nil
	})
	return diff, err
}
