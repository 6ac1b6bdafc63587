package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/metric"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// Evaluation is what a model answered on a data set.
type Evaluation struct {
	N       int
	Right   int              // of what the metric counts; 0 where it counts nothing
	Counted int              // samples, or places of them, that Right is of
	Labels  bool             // whether the data had labels that the metric is of
	Metric  *Metric          // nil for outputs alone
	Value   float64          // of the metric; NaN where it is of no labels
	NaNs    int              // samples whose first output has a NaN
	Elapsed time.Duration    // inside the model
	Outputs []*tensor.Tensor // of all samples, where they were kept
	Logits  *tensor.Tensor   // the first of them
	Names   []string         // of the outputs
}

// Top1 returns the share of samples whose class is the label, NaN without labels.
func (e *Evaluation) Top1() float64 {
	if !e.Labels || !e.Metric.Counts() {
		return math.NaN()
	}
	return e.Value
}

// MsPerSample returns the mean time per sample in milliseconds.
func (e *Evaluation) MsPerSample() float64 {
	return milliseconds(e.Elapsed) / float64(max(e.N, 1))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// EvalOptions say how a model is evaluated.
type EvalOptions struct {
	Batch int
	// Metric is what outputs are measured by; nil lets ChooseMetric take one by its name.
	Metric *Metric
	Name   string
	// Keep keeps the outputs.
	Keep bool
	// First takes only so many samples, of which labels do not count; 0 means all.
	First int
	// Progress, when set, is told the number of samples done.
	Progress func(done int)
}

// Evaluate runs the model on all samples, batch at a time, with the metric that ChooseMetric takes, keeps the
// outputs, and calls progress, when given, with the number of samples done. Samples that the
// model does not take are a *tensor.FileError.
func Evaluate(ctx context.Context, s *graph.Session, d *data.Dataset, batch int, progress func(done int)) (*Evaluation, error) {
	return EvaluateWith(ctx, s, d, EvalOptions{Batch: batch, Keep: true, Progress: progress})
}

// EvaluateWith is Evaluate with options. A named metric that does not fit is a *MetricError; labels that no metric fits, and a label of no
// class, are a *tensor.FileError with a *MetricError or a *LabelError in it.
func EvaluateWith(ctx context.Context, s *graph.Session, d *data.Dataset, o EvalOptions) (*Evaluation, error) {
	e := &Evaluation{N: d.Len(), Metric: o.Metric}
	o.Batch = data.BatchSize(s.Graph(), o.Batch)
	labels, err := d.Targets(s.Graph())
	if err != nil {
		return nil, err
	}
	batches := d.Batches(s.Graph(), o.Batch)
	if o.First > 0 {
		e.N = min(e.N, o.First)
		batches, labels = d.First(s.Graph(), o.Batch, e.N), nil
	}
	if err := e.measure(e.outputs(ctx, s, d, batches, o.Batch, 0), labels, o); err != nil {
		return nil, d.Mislabelled(s.Graph(), err)
	}
	return e, nil
}

// EvaluateShard runs the model on a shard of the samples, and keeps the outputs for MergeEvaluation. The caller
// sets Model and Data.
func EvaluateShard(ctx context.Context, s *graph.Session, d *data.Dataset, shard quantize.Shard, o EvalOptions) (*EvaluationPart, error) {
	g := s.Graph()
	p := &EvaluationPart{Shard: shard, Samples: d.Len(), Batch: data.BatchSize(g, o.Batch), Precision: Precision(g), ClassLabels: d.Labels() != nil}
	labels, err := d.Targets(g)
	if err != nil {
		return nil, err
	}
	from, to := d.ShardSamples(g, p.Batch, shard)
	if labels != nil && to > from {
		if p.Labels, err = labels.Slice(0, from, to, 1); err != nil {
			return nil, err
		}
		p.Labels = p.Labels.Contiguous()
	}
	e := &Evaluation{N: to - from}
	err = e.measure(e.outputs(ctx, s, d, d.Shard(g, p.Batch, shard), p.Batch, from), nil, EvalOptions{Batch: p.Batch, Keep: true, Progress: o.Progress})
	if err != nil {
		return nil, err
	}
	for i, t := range e.Outputs {
		if to-from < d.Len() && (t.Rank() == 0 || t.Dim(0) != to-from) {
			return nil, &OutputError{i, t, to - from}
		}
	}
	p.Outputs = e.Outputs
	return p, nil
}

// outputs runs the model on batches of the samples from first on.
func (e *Evaluation) outputs(ctx context.Context, s *graph.Session, d *data.Dataset, batches quantize.Batches, size, first int) iter.Seq2[[]*tensor.Tensor, error] {
	return func(yield func([]*tensor.Tensor, error) bool) {
		left := e.N
		for in, err := range batches {
			if err != nil {
				yield(nil, err)
				return
			}
			start := time.Now()
			out, err := s.Run(ctx, in...)
			if err != nil {
				yield(nil, d.Misfit(fmt.Sprintf("samples %d to %d", first, min(first+size, d.Len())), err))
				return
			}
			e.Elapsed += time.Since(start)
			e.Names = s.Graph().OutputNames()[:len(out)]
			if out, err = firstOf(out, min(size, left), s.Graph().BatchSize(1)); err != nil {
				yield(nil, err)
				return
			}
			first, left = first+size, left-size
			if !yield(out, nil) {
				return
			}
		}
	}
}

// measure takes in the outputs of all batches.
func (e *Evaluation) measure(batches iter.Seq2[[]*tensor.Tensor, error], labels *tensor.Tensor, o EvalOptions) error {
	e.Value = math.NaN()
	var score *metric.Scorer
	done := 0
	for out, err := range batches {
		if err != nil {
			return err
		}
		if score == nil {
			if score, err = e.begin(o.Name, out, labels); err != nil {
				return err
			}
		}
		if e.Labels {
			if err := score.Add(out[0]); err != nil {
				return err
			}
		}
		invalid, err := nans(out[0])
		if err != nil {
			return err
		}
		e.NaNs += invalid
		size := min(o.Batch, e.N-done)
		if o.Keep {
			if err := e.keep(out, size, done); err != nil {
				return err
			}
		}
		done += size
		if o.Progress != nil {
			o.Progress(done)
		}
	}
	if e.Labels {
		e.Value, e.Right, e.Counted = score.Value(), score.Right, score.Counted
	}
	return nil
}

// nans returns how many samples of an output have a NaN.
func nans(out *tensor.Tensor) (n int, err error) {
	if !out.DType().IsFloat() || out.Rank() == 0 || out.Numel() == 0 {
		return 0, nil
	}
	wide, err := out.To(tensor.Float32)
	if err != nil {
		return 0, err
	}
	v := wide.Contiguous().Float32s()
	width := len(v) / out.Dim(0)
	for ; len(v) > 0; v = v[width:] {
		if slices.ContainsFunc(v[:width], func(x float32) bool { return x != x }) {
			n++
		}
	}
	return n, nil
}

// firstOf leaves out what a model computes for samples that fill a batch up.
func firstOf(out []*tensor.Tensor, size, batch int) ([]*tensor.Tensor, error) {
	if size >= batch {
		return out, nil
	}
	short := slices.Clone(out)
	for i, t := range short {
		if t.Rank() > 0 && t.Dim(0) == batch {
			part, err := t.Slice(0, 0, size, 1)
			if err != nil {
				return nil, err
			}
			short[i] = part.Contiguous()
		}
	}
	return short, nil
}

// begin chooses the metric, where that is not done, by the outputs of the first batch.
func (e *Evaluation) begin(name string, out []*tensor.Tensor, labels *tensor.Tensor) (*metric.Scorer, error) {
	if e.Metric == nil && (labels != nil || name != "") {
		m, err := ChooseMetric(name, out, labels)
		if err != nil {
			return nil, err
		}
		e.Metric = m
	}
	e.Labels = labels != nil && e.Metric != nil && e.Metric.Name != NoMetric && e.Metric.Name != Agreeing && e.Metric.Name != Cosine
	return metric.NewScorer(e.Metric, labels), nil
}

// keep puts the outputs of so many samples from first on in place. Those whose first dimension is not the samples can
// be kept of one batch only.
func (e *Evaluation) keep(out []*tensor.Tensor, size, first int) error {
	if size == e.N {
		e.Outputs = out
	}
	for i, t := range out {
		if size == e.N {
			break
		}
		if t.Rank() == 0 || t.Dim(0) != size {
			return &OutputError{i, t, size}
		}
		if i == len(e.Outputs) {
			shape := t.Shape().Clone()
			shape[0] = e.N
			all, err := tensor.New(t.DType(), shape...)
			if err != nil {
				return err
			}
			e.Outputs = append(e.Outputs, all)
		}
		part, err := e.Outputs[i].Slice(0, first, first+size, 1)
		if err == nil {
			err = part.CopyFrom(t)
		}
		if err != nil {
			return &OutputError{i, t, size}
		}
	}
	if len(e.Outputs) > 0 {
		e.Logits = e.Outputs[0]
	}
	return nil
}

// OutputError says that outputs of batches cannot be put together.
type OutputError struct {
	Index  int
	Output *tensor.Tensor
	Batch  int
}

func (e *OutputError) Error() string {
	return fmt.Sprintf("output %d is %v for %d samples: outputs of several batches are put together along the samples, which must come first: run all samples in one batch",
		e.Index, e.Output, e.Batch)
}

// Classes returns the index of the greatest value in each row of [N, classes];
// the first of several, and that of a NaN where there is one, as torch.argmax does.
func Classes(logits *tensor.Tensor) ([]int, error) {
	if logits.Rank() != 2 || logits.DType() != tensor.Float32 || logits.Dim(1) == 0 {
		return nil, fmt.Errorf("the output is %v where [samples, classes] is needed", logits)
	}
	return metric.Classes(logits, 1)
}

// Agreement compares the answers of two models, or of one model twice. N counts the places that have a class: of
// most models samples.
type Agreement struct {
	N          int     `json:"n"`
	SameClass  int     `json:"same_class"`
	MaxAbsDiff float64 `json:"max_abs_diff"` // NaN when either has a NaN the other lacks
}

// MarshalJSON writes null for a MaxAbsDiff that is infinite or no number.
func (a Agreement) MarshalJSON() ([]byte, error) {
	var diff *float64
	if a.MaxAbsDiff-a.MaxAbsDiff == 0 {
		diff = &a.MaxAbsDiff
	}
	return json.Marshal(struct {
		N          int      `json:"n"`
		SameClass  int      `json:"same_class"`
		MaxAbsDiff *float64 `json:"max_abs_diff"`
	}{a.N, a.SameClass, diff})
}

// Share returns the share of samples that both put in the same class.
func (a Agreement) Share() float64 { return float64(a.SameClass) / float64(max(a.N, 1)) }

// Compare compares logits [N, classes] of the same samples.
func Compare(a, b *tensor.Tensor) (Agreement, error) {
	if _, err := Classes(a); err != nil {
		return Agreement{}, err
	}
	m, err := metric.Choose(metric.Agreeing, []*tensor.Tensor{a}, nil)
	if err != nil {
		return Agreement{}, err
	}
	return CompareClasses(m, a, b)
}

// CompareClasses compares the classes that a metric finds in two outputs for the same samples.
func CompareClasses(m *Metric, a, b *tensor.Tensor) (Agreement, error) {
	diff, err := CompareOutputs([]*tensor.Tensor{a}, []*tensor.Tensor{b}, []string{"outputs"})
	if err != nil {
		return Agreement{}, err
	}
	ca, err := m.Classes(a)
	if err != nil {
		return Agreement{}, err
	}
	cb, err := m.Classes(b)
	if err != nil {
		return Agreement{}, err
	}
	out := Agreement{N: len(ca), MaxAbsDiff: diff[0].MaxAbsDiff}
	for i := range ca {
		if ca[i] == cb[i] {
			out.SameClass++
		}
	}
	return out, nil
}
