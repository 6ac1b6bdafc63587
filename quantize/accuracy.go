package quantize

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/tensor"
)

// Batches are the inputs of a model, a batch at a time; an error ends them. They
// can be gone through any number of times.
type Batches = iter.Seq2[[]*tensor.Tensor, error]

// Accuracy says how good a model is: the larger the better.
type Accuracy func(ctx context.Context, m *graph.Graph) (float64, error)

// Labelled returns the share of samples whose label is the class the model gives
// them: the index of the greatest value in the sample's row of the first output.
func Labelled(data Batches, labels []int64, opts graph.Options) Accuracy {
	return func(ctx context.Context, m *graph.Graph) (float64, error) {
		right, n := 0, 0
		err := eachOutput(ctx, m, data, opts, func(_ int, out []*tensor.Tensor) error {
			classes, err := classesOf(out)
			if err != nil {
				return err
			}
			for _, class := range classes {
				if n == len(labels) {
					return fmt.Errorf("quantize: the model gives more rows than the %d labels", n)
				}
				if class == labels[n] {
					right++
				}
				n++
			}
			return nil
		})
		if err == nil && n != len(labels) {
			err = fmt.Errorf("quantize: the model gives %d rows for %d labels", n, len(labels))
		}
		return float64(right) / float64(max(n, 1)), err
	}
}

// Agreement returns the share of rows of the first output that a model puts in
// the same class as the float model does, which runs on the data once.
func Agreement(float *graph.Graph, data Batches, opts graph.Options) Accuracy {
	var want []int64
	return func(ctx context.Context, m *graph.Graph) (float64, error) {
		if want == nil {
			err := eachOutput(ctx, float, data, opts, func(_ int, out []*tensor.Tensor) error {
				classes, err := classesOf(out)
				want = append(want, classes...)
				return err
			})
			if err != nil {
				want = nil
				return 0, err
			}
		}
		return Labelled(data, want, opts)(ctx, m)
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
				return fmt.Errorf("quantize: output %d has shape %v where the float model's has %v", i, out[i].Shape(), y.Shape())
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

// classesOf returns the class of each row of the first output.
func classesOf(out []*tensor.Tensor) ([]int64, error) {
	if len(out) == 0 || out[0].DType() != tensor.Float32 || out[0].Rank() == 0 {
		return nil, errors.New("quantize: the model's first output is not float32 rows, whose greatest value would be a class")
	}
	return argmax(out[0]), nil
}

// argmax returns the index of the greatest element of each row of the last
// dimension; x is float32.
func argmax(x *tensor.Tensor) []int64 {
	v := x.Contiguous().Float32s()
	n := 1
	if x.Rank() > 0 {
		n = x.Dim(x.Rank() - 1)
	}
	if n == 0 {
		return nil
	}
	out := make([]int64, len(v)/n)
	for r := range out {
		row := v[r*n : (r+1)*n]
		for i, e := range row {
			if e > row[out[r]] {
				out[r] = int64(i)
			}
		}
	}
	return out
}
