package metric

import (
	"fmt"
	"math"

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

// Scorer adds up what a metric of labels says of samples, batch by batch.
type Scorer struct {
	Right   int // of what the metric counts
	Counted int // samples, or places of them, that Right is of

	metric *Metric
	labels *tensor.Tensor // of all samples, contiguous
	at     int            // samples so far
	above0 int            // what is right of numbers that were taken for probabilities, if they are logits

	// Of each output of a sample, for R2.
	residual, sum, squares []float64
}

// NewScorer returns a scorer of outputs whose labels, of all samples, are as Choose takes them.
func NewScorer(m *Metric, labels *tensor.Tensor) *Scorer { return &Scorer{metric: m, labels: labels} }

// Add counts the outputs of the next samples. A label of no class is a *LabelError, outputs of another form an *Error.
func (s *Scorer) Add(out *tensor.Tensor) error {
	out, err := s.metric.Part(out, s.at)
	if err != nil {
		return err
	}
	if out.Rank() == 0 || s.at+out.Dim(0) > s.labels.Dim(0) {
		return &Error{s.metric.Name, fmt.Sprintf("the output %v does not have the samples first: %d are left", out, s.labels.Dim(0)-s.at)}
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

func (s *Scorer) addClasses(out, labels *tensor.Tensor) error {
	classes, err := s.metric.Classes(out)
	if err != nil {
		return err
	}
	want, count, err := s.want(out, labels)
	if err != nil {
		return err
	}
	if len(classes) != len(want) {
		return &Error{s.metric.Name, fmt.Sprintf("labels %v do not fit the output %v", labels, out)}
	}
	each := max(len(want)/max(out.Dim(0), 1), 1)
	logits := classes
	if s.metric.OfProbabilities() && !s.metric.settled {
		if logits, err = above(out, 0); err != nil {
			return err
		}
		if !probabilities(out) { // those before only looked like some
			s.metric.ofLogits()
			s.Right, classes = s.above0, logits
		}
	}
	for i, w := range want {
		if w == int64(logits[i]) {
			s.above0++
		}
		switch {
		case w == Ignored:
			continue
		case w < 0 || w >= int64(count):
			return &LabelError{s.at + i/each, w, count}
		case w == int64(classes[i]):
			s.Right++
		}
		s.Counted++
	}
	return nil
}

// want returns the class of each label, and how many there are.
func (s *Scorer) want(out, labels *tensor.Tensor) (classes []int64, count int, err error) {
	count = 2
	if s.metric.axis >= 0 {
		count = out.Dim(s.metric.axis)
	}
	if s.metric.oneHot && s.metric.Name == Top1 {
		flat, err := labels.Contiguous().Reshape(labels.Dim(0), perSample(labels))
		if err != nil {
			return nil, 0, err
		}
		hot, err := Classes(flat, 1)
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

func (s *Scorer) addResiduals(out, labels *tensor.Tensor) error {
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
		return &Error{s.metric.Name, fmt.Sprintf("labels %v do not fit the output %v", labels, out)}
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
	s.Counted += out.Dim(0)
	return nil
}

// Complete returns an *Error where labels are left that had no output.
func (s *Scorer) Complete() error {
	if n := s.labels.Dim(0); s.at != n {
		return &Error{s.metric.Name, fmt.Sprintf("outputs of %d samples for %d labels", s.at, n)}
	}
	return nil
}

// Value returns what the metric says of all samples, NaN where it cannot.
func (s *Scorer) Value() float64 {
	s.metric.settled = true
	if s.metric.Name != R2 {
		return float64(s.Right) / float64(s.Counted)
	}
	residual, total := 0.0, 0.0
	for k := range s.sum {
		residual += s.residual[k]
		total += s.squares[k] - s.sum[k]*s.sum[k]/float64(s.Counted)
	}
	if total <= 0 {
		return math.NaN()
	}
	return 1 - residual/total
}

// Part leaves out what a model computes for samples that only fill up the last batch, of the output for those from number at on.
func (m *Metric) Part(out *tensor.Tensor, at int) (*tensor.Tensor, error) {
	if m.Samples == 0 || at >= m.Samples || out.Rank() == 0 || at+out.Dim(0) <= m.Samples {
		return out, nil
	}
	part, err := out.Slice(0, 0, m.Samples-at, 1)
	if err != nil {
		return nil, err
	}
	return part.Contiguous(), nil
}

// Classes returns the class at each place of an output, for a metric that counts.
func (m *Metric) Classes(out *tensor.Tensor) ([]int, error) {
	if m.axis >= 0 {
		return Classes(out, m.axis)
	}
	return above(out, m.threshold)
}

// above returns 1 for each number above a threshold, 0 for the others.
func above(out *tensor.Tensor, threshold float32) ([]int, error) {
	wide, err := out.To(tensor.Float32)
	if err != nil {
		return nil, err
	}
	classes := make([]int, out.Numel())
	for i, v := range wide.Contiguous().Float32s() {
		if v > threshold {
			classes[i] = 1
		}
	}
	return classes, nil
}

// Classes returns the index of the greatest value along an axis, at each place of the others; the
// first of several, and that of a NaN where there is one, as torch.argmax does.
func Classes(t *tensor.Tensor, axis int) ([]int, error) {
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
