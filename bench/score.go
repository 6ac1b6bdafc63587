package bench

import (
	"context"
	"fmt"
	"math"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// LabelError says that a label is none of a model's classes.
type LabelError struct {
	Sample  int
	Label   int64
	Classes int
}

func (e *LabelError) Error() string {
	return fmt.Sprintf("the label of sample %d is %d, which is none of the model's %d classes, 0 to %d (%d would mean that it does not count)",
		e.Sample, e.Label, e.Classes, e.Classes-1, Ignored)
}

// scorer adds up what a metric says of samples, batch by batch.
type scorer struct {
	metric *Metric
	labels *tensor.Tensor // of all samples, contiguous
	at     int            // samples so far

	right, n int
	// Of each output of a sample, for R2.
	residual, sum, squares []float64
}

// add counts the outputs of the next samples.
func (s *scorer) add(out *tensor.Tensor) error {
	if out.Rank() == 0 || s.at+out.Dim(0) > s.labels.Dim(0) {
		return &MetricError{s.metric.Name, fmt.Sprintf("the output %v does not have the samples first: %d are left", out, s.labels.Dim(0)-s.at)}
	}
	labels, err := s.labels.Slice(0, s.at, s.at+out.Dim(0), 1)
	if err != nil {
		return err
	}
	if s.metric.Name == R2 {
		err = s.addResiduals(out, labels)
	} else {
		err = s.addClasses(out, labels)
	}
	s.at += out.Dim(0)
	return err
}

func (s *scorer) addClasses(out, labels *tensor.Tensor) error {
	classes, err := s.metric.classes(out)
	if err != nil {
		return err
	}
	want, count, err := s.want(out, labels)
	if err != nil {
		return err
	}
	if len(classes) != len(want) {
		return &MetricError{s.metric.Name, fmt.Sprintf("labels %v do not fit the output %v", labels, out)}
	}
	each := max(len(want)/max(out.Dim(0), 1), 1)
	for i, w := range want {
		switch {
		case w == Ignored:
			continue
		case w < 0 || w >= int64(count):
			return &LabelError{s.at + i/each, w, count}
		case w == int64(classes[i]):
			s.right++
		}
		s.n++
	}
	return nil
}

// want returns the class of each label, and how many there are.
func (s *scorer) want(out, labels *tensor.Tensor) (classes []int64, count int, err error) {
	count = 2
	if s.metric.axis >= 0 {
		count = out.Dim(s.metric.axis)
	}
	if s.metric.oneHot && s.metric.Name == Top1 {
		flat, err := labels.Contiguous().Reshape(labels.Dim(0), perSample(labels))
		if err != nil {
			return nil, 0, err
		}
		hot, err := classesAlong(flat, 1)
		for _, c := range hot {
			classes = append(classes, int64(c))
		}
		return classes, count, err
	}
	wide, err := labels.To(tensor.Int64)
	if err != nil {
		return nil, 0, err
	}
	return wide.Contiguous().Int64s(), count, nil
}

func (s *scorer) addResiduals(out, labels *tensor.Tensor) error {
	o, err := out.To(tensor.Float32)
	if err != nil {
		return err
	}
	l, err := labels.To(tensor.Float32)
	if err != nil {
		return err
	}
	f, y := o.Contiguous().Float32s(), l.Contiguous().Float32s()
	width := perSample(out)
	if len(f) != len(y) {
		return &MetricError{s.metric.Name, fmt.Sprintf("labels %v do not fit the output %v", labels, out)}
	}
	if s.sum == nil {
		s.residual, s.sum, s.squares = make([]float64, width), make([]float64, width), make([]float64, width)
	}
	for i := range y {
		k, d := i%width, float64(y[i])-float64(f[i])
		s.residual[k] += d * d
		s.sum[k] += float64(y[i])
		s.squares[k] += float64(y[i]) * float64(y[i])
	}
	s.n += out.Dim(0)
	return nil
}

// value returns what the metric says of all samples, NaN where it cannot.
func (s *scorer) value() float64 {
	if s.metric.Name != R2 {
		return float64(s.right) / float64(s.n)
	}
	residual, total := 0.0, 0.0
	for k := range s.sum {
		residual += s.residual[k]
		total += s.squares[k] - s.sum[k]*s.sum[k]/float64(s.n)
	}
	if total <= 0 {
		return math.NaN()
	}
	return 1 - residual/total
}

// classes returns the class at each place of an output.
func (m *Metric) classes(out *tensor.Tensor) ([]int, error) {
	if m.axis >= 0 {
		return classesAlong(out, m.axis)
	}
	wide, err := out.To(tensor.Float32)
	if err != nil {
		return nil, err
	}
	classes := make([]int, out.Numel())
	for i, v := range wide.Contiguous().Float32s() {
		if v > m.threshold {
			classes[i] = 1
		}
	}
	return classes, nil
}

// classesAlong returns the index of the greatest value along an axis, at each place of the others; the
// first of several, and that of a NaN where there is one, as torch.argmax does.
func classesAlong(t *tensor.Tensor, axis int) ([]int, error) {
	wide, err := t.To(tensor.Float32)
	if err != nil {
		return nil, err
	}
	n, inner := t.Dim(axis), 1
	for _, e := range t.Shape()[axis+1:] {
		inner *= e
	}
	if n == 0 {
		return nil, fmt.Errorf("the output is %v, without classes", t)
	}
	v := wide.Contiguous().Float32s()
	out := make([]int, len(v)/n)
	for place := range out {
		first := place/inner*n*inner + place%inner
		best := v[first]
		for k := 1; k < n && best == best; k++ {
			if x := v[first+k*inner]; x > best || x != x {
				out[place], best = k, x
			}
		}
	}
	return out, nil
}

// Accuracy returns the metric as what quantize.Quantizer.Tune asks for: of labels, as Dataset.Targets has them for the
// data, or for Agreeing and Cosine of the float model's outputs, which runs on the data once.
func (m *Metric) Accuracy(float *graph.Graph, data quantize.Batches, labels *tensor.Tensor, opts graph.Options) quantize.Accuracy {
	if m.Name == Cosine {
		return quantize.Cosine(float, data, opts)
	}
	if m.Name != Agreeing {
		return func(ctx context.Context, g *graph.Graph) (float64, error) {
			s := &scorer{metric: m, labels: labels}
			err := eachOutput(ctx, g, data, opts, func(out *tensor.Tensor) error {
				part, err := m.counted(out, s.at)
				if err != nil {
					return err
				}
				return s.add(part)
			})
			return s.value(), err
		}
	}
	var want []int
	return func(ctx context.Context, g *graph.Graph) (float64, error) {
		var err error
		if want == nil {
			if want, err = m.allClasses(ctx, float, data, opts); err != nil {
				return 0, err
			}
		}
		have, err := m.allClasses(ctx, g, data, opts)
		if err != nil {
			return 0, err
		}
		return share(have, want)
	}
}

func share(have, want []int) (float64, error) {
	if len(have) != len(want) {
		return 0, fmt.Errorf("%d classes where the float model gives %d", len(have), len(want))
	}
	same := 0
	for i, c := range have {
		if c == want[i] {
			same++
		}
	}
	return float64(same) / float64(max(len(want), 1)), nil
}

// allClasses returns the classes of all samples.
func (m *Metric) allClasses(ctx context.Context, g *graph.Graph, data quantize.Batches, opts graph.Options) ([]int, error) {
	var all []int
	at := 0
	err := eachOutput(ctx, g, data, opts, func(out *tensor.Tensor) error {
		part, err := m.counted(out, at)
		if err != nil {
			return err
		}
		classes, err := m.classes(part)
		if all = append(all, classes...); part.Rank() > 0 {
			at += part.Dim(0)
		}
		return err
	})
	return all, err
}

// counted leaves out what a model computes for samples that fill up the last batch, of the output for
// those from number at on.
func (m *Metric) counted(out *tensor.Tensor, at int) (*tensor.Tensor, error) {
	if m.Samples == 0 || at >= m.Samples || out.Rank() == 0 || at+out.Dim(0) <= m.Samples {
		return out, nil
	}
	part, err := out.Slice(0, 0, m.Samples-at, 1)
	if err != nil {
		return nil, err
	}
	return part.Contiguous(), nil
}

// eachOutput calls f with the first output of each batch.
func eachOutput(ctx context.Context, g *graph.Graph, data quantize.Batches, opts graph.Options, f func(*tensor.Tensor) error) error {
	s, err := g.Compile(opts)
	if err != nil {
		return err
	}
	defer s.Close()
	for in, err := range data {
		if err != nil {
			return err
		}
		out, err := s.Run(ctx, in...)
		if err == nil {
			err = f(out[0])
		}
		if err != nil {
			return err
		}
	}
	return nil
}
