package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/atomicfile"
	"github.com/octet-ml/octet/internal/fastcores"
	"github.com/octet-ml/octet/ops"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/report"
	"github.com/octet-ml/octet/tensor"
)

// work is one quantization: what commands do with it, step by step.
type work struct {
	*app
	ctx   context.Context
	flags *quantizeFlags
	path  string
	model *graph.Graph
	q     *quantize.Quantizer
	data  *data.Dataset // to calibrate on, or nil
	cut   *graph.Graph  // what data is cut into batches for: the model, or one that takes full batches only
}

// begin reads what the command line names.
func (a *app) begin(cmd *cobra.Command, f *quantizeFlags, path string) (*work, error) {
	w := &work{app: a, ctx: cmd.Context(), flags: f, path: path}
	f.samples.model = path
	if f.texts != "" {
		if err := textAlias(&f.calib, f.texts, "calib"); err != nil {
			return nil, err
		}
	}
	var err error
	if w.q, err = f.quantizer(a, cmd); err != nil {
		return nil, err
	}
	if w.q.Preparation() != nil {
		f.samples.state = w.q
	}
	if f.calib == "" && f.state == "" && w.q.Options().NeedsData() {
		return nil, usagef(`required flag "calib" not set, nor "text" for a text model, nor "state"`)
	}
	if err := a.checkFiles(f.reads(path), f.writes()...); err != nil {
		return nil, err
	}
	w.model, err = a.openModel(w.ctx, path, f.source)
	if w.cut = w.model; err != nil || f.calib == "" {
		return w, err
	}
	if w.model, w.data, err = a.openBound(w.ctx, f.calib, &f.samples, w.model); err != nil {
		return nil, err
	}
	w.sayUnused(f.calib, w.data, w.model, false)
	return w, w.cutBatches()
}

// save writes the model that was made, with what the float model and the flags say of it.
func (w *work) save(int8 *graph.Graph) error {
	info, err := w.flags.samples.complete(w.app, infoOf(w.model))
	if err != nil {
		return err
	}
	return w.app.save(w.flags.output, int8, info, w.path)
}

// calibrate runs the float model on all samples under the quantizer's
// observers, and saves what they saw where the command line says so.
func (w *work) calibrate() error {
	if w.data != nil && w.q.Options().NeedsData() {
		if err := w.prepared(); err != nil {
			return err
		}
		c, err := w.q.Calib(w.model)
		if err != nil {
			return err
		}
		defer c.Close()
		err = w.eachOf("calibrating", w.calibrationBatches(), func(in []*tensor.Tensor) error {
			_, err := c.Run(w.ctx, in...)
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := w.concrete(); err != nil {
		return err
	}
	if w.flags.saveState == "" {
		return nil
	}
	return w.q.Save(w.flags.saveState)
}

// prepared tells the quantizer how samples become inputs, unless they are arrays, which are inputs already.
func (w *work) prepared() error {
	info, err := w.flags.samples.complete(w.app, infoOf(w.model))
	if err != nil || w.data.IsArrays() && info.Preprocessing == nil {
		return err
	}
	return w.q.SetPreparation(info)
}

// concrete gives a model whose file does not say what shapes it takes those of the
// first sample, where no calibration has run on any.
func (w *work) concrete() error {
	_, err := w.model.Concrete()
	if !errors.Is(err, graph.ErrOpen) {
		return err
	}
	d := w.data
	if d == nil && w.flags.data != "" {
		if d, err = w.openDataset(w.ctx, w.flags.data, &w.flags.samples, w.model); err != nil {
			return err
		}
	}
	if d == nil {
		return usagef("%s does not say what shapes it takes: give samples with --calib or --data", w.path)
	}
	in, err := d.Batch(w.model, 0, 1)
	if err != nil {
		return err
	}
	types := make([]ops.Type, len(in))
	for i, x := range in {
		if types[i] = ops.TypeOf(x); x.Rank() > 0 {
			types[i].Known = nil // other samples have other values
		}
	}
	_, err = w.model.Specialize(types...)
	return d.Misfit("", err)
}

// proxy is a model that watches its runs.
type proxy interface {
	Run(ctx context.Context, inputs ...*tensor.Tensor) ([]*tensor.Tensor, error)
}

// feed runs a proxy of the model on the first samples.
func (w *work) feed(label string, p proxy, samples int) error {
	return w.each(label, w.data, samples, func(in []*tensor.Tensor) error {
		_, err := p.Run(w.ctx, in...)
		return err
	})
}

// each calls f with the first samples, a batch at a time.
func (w *work) each(label string, d *data.Dataset, samples int, f func(in []*tensor.Tensor) error) error {
	return w.eachOf(label, batches{d, w.first(d, samples), 0, samples}, f)
}

// batches are those of some of the samples of a data set.
type batches struct {
	data     *data.Dataset
	seq      quantize.Batches
	from, to int // samples
}

// eachOf calls f with one batch after another.
func (w *work) eachOf(label string, b batches, f func(in []*tensor.Tensor) error) error {
	bar := w.progress(label, b.to-b.from)
	defer bar.end()
	done, size := b.from, data.BatchSize(w.cut, w.flags.batch)
	for in, err := range b.seq {
		if err != nil {
			return err
		}
		if err := f(in); err != nil {
			part := fmt.Sprintf("samples %d to %d", done, min(done+size, b.to))
			if err := b.data.Misfit(part, err); exitCode(err) == exitFile {
				return err
			}
			return fmt.Errorf("%s, %s: %w", w.flags.calib, part, err)
		}
		done = min(done+size, b.to)
		bar.set(done - b.from)
	}
	return nil
}

// try runs the model on the first batch: what does not fit is noticed where it is known which file it comes from.
func (w *work) try(d *data.Dataset) ([]*tensor.Tensor, error) {
	s, err := w.model.Compile(w.options())
	if err != nil {
		return nil, err
	}
	defer s.Close()
	in, err := d.Batch(w.model, 0, min(data.BatchSize(w.model, w.flags.batch), d.Len()))
	if err != nil {
		return nil, err
	}
	out, err := s.Run(w.ctx, in...)
	return out, d.Misfit("", err)
}

// first returns the first samples in batches.
func (w *work) first(d *data.Dataset, samples int) quantize.Batches {
	return d.First(w.cut, w.flags.batch, samples)
}

// finish converts, writes the model, and reports: also on how it was tuned, if it was.
func (w *work) finish(tuning *quantize.Tuning, by *bench.Metric) error {
	if w.flags.output == "" {
		return nil
	}
	end := w.working("converting " + w.path)
	int8, err := w.q.QuantizeContext(w.ctx, w.model)
	end()
	if err != nil {
		return err
	}
	r, err := w.describe(int8)
	if err != nil {
		return err
	}
	if r.Tuning = tuning; by != nil {
		r.TunedBy = by.Name + ": " + by.What
	}
	if err := w.save(int8); err != nil {
		return err
	}
	return w.print(r)
}

// describe measures what the report has.
func (w *work) describe(int8 *graph.Graph) (*report.Report, error) {
	o, err := w.q.Options().Observers()
	if err != nil {
		return nil, err
	}
	r := &report.Report{Model: w.path, Backend: w.q.Options().Backend.String(), Observer: string(o.Activation.Kind), Report: *w.q.Report(), Origin: w.origin()}
	if w.q.Options().Dynamic {
		r.Observer = "each row while running"
	}
	for g, f := range map[*graph.Graph]*report.Figures{w.model: &r.Float, int8: &r.Quantized} {
		s, err := bench.Summarize(g, nil)
		if err != nil {
			return nil, err
		}
		f.Bytes = s.ParameterBytes
	}
	if w.data != nil && w.flags.compare > 0 {
		if err := w.compare(r, int8); err != nil {
			return nil, err
		}
	}
	if w.flags.data != "" {
		return r, w.evaluate(int8, r)
	}
	return r, nil
}

// origin says how the report comes to be.
func (w *work) origin() *report.Origin {
	threads := w.options().Threads
	if threads == 0 {
		threads = fastcores.Threads()
	}
	return &report.Origin{
		Time: time.Now().UTC().Truncate(time.Second), Version: version(), Go: runtime.Version(), CPU: bench.DescribeCPU(w.tier), Threads: threads,
		Calibration: w.flags.calib, Evaluation: w.flags.data, Command: commandLine(w.args),
	}
}

// compare runs both models side by side, in batches that int8 takes: where it depends on how large a batch is, it takes those of
// calibration only.
func (w *work) compare(r *report.Report, int8 *graph.Graph) error {
	c, err := w.q.CompareContext(w.ctx, w.model)
	if err != nil {
		return err
	}
	defer c.Close()
	n, cut := w.flags.compare, w.cutFor(int8)
	err = w.eachOf("comparing", batches{w.data, w.data.First(cut, w.flags.batch, n), 0, n}, func(in []*tensor.Tensor) error {
		_, _, err := c.Run(w.ctx, in...)
		return err
	})
	if err != nil {
		return err
	}
	one, err := w.data.Batch(cut, 0, 1)
	if err != nil {
		return err
	}
	if r.Quantized.Ms, r.Float.Ms, err = c.Latency(w.ctx, one...); err != nil {
		return err
	}
	r.Report = *c.Report()
	return nil
}

// evaluate measures the accuracy of both models and their agreement.
func (w *work) evaluate(int8 *graph.Graph, r *report.Report) error {
	d, err := w.openDataset(w.ctx, w.flags.data, &w.flags.samples, w.model)
	if err != nil {
		return err
	}
	var outputs [][]*tensor.Tensor
	var names []string
	var metric *bench.Metric // that of the float model
	for _, m := range []struct {
		graph   *graph.Graph
		figures *report.Figures
	}{{w.model, &r.Float}, {int8, &r.Quantized}} {
		s, err := m.graph.Compile(w.options())
		if err != nil {
			return err
		}
		bar := w.progress("evaluating", d.Len())
		e, err := bench.EvaluateWith(w.ctx, s, d, bench.EvalOptions{Batch: w.flags.batch, Metric: metric, Name: w.flags.metric, Keep: true, Progress: bar.set})
		bar.end()
		s.Close()
		if err != nil {
			return err
		}
		metric = e.Metric
		m.figures.N = e.N
		if e.Labels {
			m.figures.Value = &e.Value
		}
		if e.Labels && metric.Counts() {
			m.figures.Right, m.figures.Counted = &e.Right, e.Counted
		}
		outputs, names = append(outputs, e.Outputs), e.Names
	}
	for i, float := range outputs[0] {
		int8 := outputs[1][i]
		if !int8.Shape().Equal(float.Shape()) {
			r.Uncompared = append(r.Uncompared, fmt.Sprintf("%-10s  %v, %v of the float model: not compared, for their shapes follow from values", names[i], int8, float))
			continue
		}
		diff, err := bench.CompareOutputs([]*tensor.Tensor{int8}, []*tensor.Tensor{float}, names[i:i+1])
		if err != nil {
			return err
		}
		r.Outputs = append(r.Outputs, diff...)
	}
	if metric == nil || metric.Name == bench.NoMetric {
		return nil // nothing says that there are classes
	}
	r.Metric = metric.Name + ": " + metric.What
	if !metric.Counts() {
		return nil
	}
	agreement, err := bench.CompareClasses(metric, outputs[0][0], outputs[1][0])
	r.Agreement = &agreement
	return err
}

// quantizeResult is the document of quantize --json and tune --json.
type quantizeResult struct {
	report.Report
	InputBytes  int64 `json:"input_bytes"`
	OutputBytes int64 `json:"output_bytes"`
}

// print writes the report where the command line says.
func (w *work) print(r *report.Report) error {
	if path := w.flags.report; path != "" {
		if err := atomicfile.Write(path, func(f io.Writer) error { return r.WriteHTML(f) }); err != nil {
			return err
		}
	}
	result := quantizeResult{Report: *r}
	for path, size := range map[string]*int64{w.path: &result.InputBytes, w.flags.output: &result.OutputBytes} {
		var err error
		if *size, err = fileSize(path); err != nil {
			return err
		}
	}
	if w.json {
		return w.printJSON(result)
	}
	if err := r.WriteTable(w.out); err != nil {
		return err
	}
	return w.printf("\n%s\n", sizes(w.flags.output, result.OutputBytes, result.InputBytes))
}
