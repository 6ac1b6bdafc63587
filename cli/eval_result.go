package cli

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/tensor"
)

const metricHelp = "what outputs are measured by: top1, pixel (classes along axis 1 at each place), token (classes along the last axis), binary (one logit or probability per label), " +
	"r2 (of numbers), agreement (same classes as float), cosine (of all outputs with float's) or none; default: what outputs and labels suggest"

// evalResult is the document of eval --json. Numbers that are not finite are null.
type evalResult struct {
	N           int                      `json:"n"`
	Metric      string                   `json:"metric,omitempty"`
	MetricWhat  string                   `json:"metric_what,omitempty"`
	Value       *float64                 `json:"value,omitempty"`
	Right       *int                     `json:"right,omitempty"`
	Counted     int                      `json:"counted,omitempty"` // of which Right are right
	Top1        *float64                 `json:"top1"`              // null without labels of classes
	Precision   string                   `json:"precision"`
	MsPerSample float64                  `json:"ms_per_sample"` // null of shards
	Agreement   *agreementResult         `json:"agreement,omitempty"`
	Outputs     []bench.OutputDifference `json:"outputs,omitempty"` // beside those of --against

	metric *bench.Metric
}

type agreementResult struct {
	bench.Agreement
	MaxAbsDiff *float64 `json:"max_abs_diff"` // null where one has a NaN and the other has not
}

func resultOf(e *bench.Evaluation) *evalResult {
	r := &evalResult{N: e.N, MsPerSample: e.MsPerSample(), metric: e.Metric}
	if e.Metric != nil {
		r.Metric, r.MetricWhat = e.Metric.Name, e.Metric.What
	}
	if !e.Labels {
		return r
	}
	r.Value = &e.Value
	if e.Metric.Counts() {
		r.Right, r.Counted = &e.Right, e.Counted
	}
	if e.Metric.Name == bench.Top1 {
		r.Top1 = &e.Value
	}
	return r
}

// checkMetric returns an error for a name of no metric.
func checkMetric(name string) error {
	if all := append(bench.Metrics(), bench.NoMetric, ""); !slices.Contains(all, name) {
		return unknownName("metric", name, all[:len(all)-1])
	}
	return nil
}

// name returns the name of the metric in messages.
func (r *evalResult) name() string {
	if r.Metric == "" {
		return "the metric, which needs labels,"
	}
	return r.Metric
}

// compare compares outputs with recorded ones.
func (r *evalResult) compare(ctx context.Context, a *app, path string, e *bench.Evaluation, classes bool) error {
	recorded, names, err := a.recordedOutputs(ctx, path, e)
	if err != nil {
		return err
	}
	own := e.Outputs[:len(recorded)]
	if r.Outputs, err = bench.CompareOutputs(own, recorded, names); err != nil {
		return &tensor.FileError{File: path, Reason: err.Error()}
	}
	m := r.metric
	if classes && (m == nil || !m.Counts()) {
		if m, err = bench.ChooseMetric(bench.Agreeing, e.Outputs, nil); err != nil {
			return err
		}
	}
	if m == nil || !m.Counts() {
		return nil
	}
	c, err := bench.CompareClasses(m, own[0], recorded[0])
	if err != nil {
		return err
	}
	r.Agreement = &agreementResult{Agreement: c}
	if !math.IsNaN(c.MaxAbsDiff) && !math.IsInf(c.MaxAbsDiff, 0) {
		r.Agreement.MaxAbsDiff = &r.Agreement.Agreement.MaxAbsDiff
	}
	return nil
}

// recordedOutputs reads outputs: all n, or only the first.
func (a *app) recordedOutputs(ctx context.Context, path string, e *bench.Evaluation) (outputs []*tensor.Tensor, names []string, err error) {
	arrays, err := tensor.ReadNPZContext(ctx, path, a.limits.maxMemory)
	if err != nil {
		return nil, nil, err
	}
	n := len(e.Outputs)
	for i := range n {
		for _, name := range []string{outputName(e, i), fmt.Sprintf("output%d", i)} {
			if t := arrays.Get(name); t != nil {
				outputs, names = append(outputs, t), append(names, name)
				break
			}
		}
	}
	if len(outputs) == n {
		return outputs, names, nil
	}
	for _, name := range []string{"logits", "y"} {
		if t := arrays.Get(name); t != nil {
			return []*tensor.Tensor{t}, []string{name}, nil
		}
	}
	if len(arrays) != n || len(outputs) > 0 {
		return nil, nil, &tensor.FileError{File: path, Reason: fmt.Sprintf("it has %v, where output0 to output%d are needed, or logits or y for the first output", arrays.Names(), n-1)}
	}
	for _, a := range arrays {
		outputs, names = append(outputs, a.Tensor), append(names, a.Name)
	}
	return outputs, names, nil
}

// outputName returns the name of an output, of what was read from a file its number.
func outputName(e *bench.Evaluation, i int) string {
	if i < len(e.Names) {
		return e.Names[i]
	}
	return fmt.Sprintf("output%d", i)
}

// writeOutputs writes outputs as recordedOutputs reads them.
func writeOutputs(path string, e *bench.Evaluation) error {
	var arrays []tensor.Named
	for i, t := range e.Outputs {
		arrays = append(arrays, tensor.Named{Name: outputName(e, i), Tensor: t})
	}
	if len(arrays) == 1 {
		arrays[0].Name = "y"
	}
	return tensor.WriteNPZ(path, arrays)
}

func (a *app) printEval(r *evalResult) error {
	if a.json {
		return a.printJSON(r)
	}
	fmt.Fprintf(a.out, "samples     %d\n", r.N)
	if r.Metric != "" && r.Metric != bench.NoMetric {
		fmt.Fprintf(a.out, "metric      %s: %s\n", r.Metric, r.MetricWhat)
	}
	switch {
	case r.Right != nil && r.Counted == r.N:
		fmt.Fprintf(a.out, "right       %d (%.2f %%)\n", *r.Right, 100**r.Value)
	case r.Right != nil:
		fmt.Fprintf(a.out, "right       %d of %d (%.2f %%)\n", *r.Right, r.Counted, 100**r.Value)
	case r.Value != nil:
		fmt.Fprintf(a.out, "%-11s %.4f\n", r.Metric, *r.Value)
	}
	fmt.Fprintf(a.out, "precision   %s\n", r.Precision)
	if !math.IsNaN(r.MsPerSample) {
		fmt.Fprintf(a.out, "per sample  %.3f ms\n", r.MsPerSample)
	}
	if r.Agreement != nil {
		fmt.Fprintf(a.out, "same class  %d of %d (%.2f %%), logits differ by at most %g\n",
			r.Agreement.SameClass, r.Agreement.N, 100*r.Agreement.Share(), r.Agreement.Agreement.MaxAbsDiff)
	}
	for _, o := range r.Outputs {
		fmt.Fprintf(a.out, "%-11s %s: SQNR %.1f dB, cosine %.6f, equal %d of %d, differs by at most %g\n", o.Name, o.Type, o.SQNR, o.Cosine, o.Equal, o.N, o.MaxAbsDiff)
	}
	return nil
}
