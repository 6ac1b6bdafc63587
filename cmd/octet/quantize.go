package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

func (a *app) quantize() *cobra.Command {
	var arch, calib, output, backend, observer string
	var exclude []string
	var batch, fallback int
	cmd := &cobra.Command{
		Use:   "quantize MODEL --calib D.npz -o OUT",
		Short: "Turn a float model into an int8 one",
		Long: `quantize runs the model on the samples of a data set (see octet help eval),
observes the range of every activation, and writes the int8 model to one file.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if batch < 1 {
				return usagef("--batch %d: it must be at least 1", batch)
			}
			if fallback < 0 {
				return usagef("--fallback %d: it must be at least 0", fallback)
			}
			opts, err := quantizeOptions(backend, observer)
			if err != nil {
				return &usageError{err}
			}
			opts.Session = a.options()
			opts.Filter.ExcludeNames = exclude
			d, err := bench.OpenDataset(calib)
			if err != nil {
				return err
			}
			g, err := openModel(args[0], arch)
			if err != nil {
				return err
			}
			q := quantize.New(opts)
			if err := a.calibrate(cmd.Context(), q, g, d, batch); err != nil {
				return err
			}
			if fallback > 0 {
				if err := a.fallBack(cmd.Context(), q, g, d, batch, fallback); err != nil {
					return err
				}
			}
			int8, err := q.Quantize(g)
			if err != nil {
				return err
			}
			if err := loader.Save(output, int8); err != nil {
				return err
			}
			return a.printQuantize(q.Report(), args[0], output)
		},
	}
	f := cmd.Flags()
	archFlag(cmd, &arch)
	f.StringVar(&calib, "calib", "", "samples to calibrate with (.npz)")
	f.StringVarP(&output, "output", "o", "", "file to write")
	f.StringVar(&backend, "backend", quantize.Native.String(), "native, reference, disc or fbgemm")
	f.StringVar(&observer, "observer", "", fmt.Sprintf("how the range of activations is chosen, one of %v (default: the backend's)", quantize.Kinds()))
	f.StringArrayVar(&exclude, "exclude", nil, "module to leave in float32, by its path; wildcards and repetition allowed")
	f.IntVar(&fallback, "fallback", 0, "leave so many modules in float32: those that lose most by int8, measured on the same samples")
	f.IntVar(&batch, "batch", 64, "samples per calibration run")
	require(cmd, "calib", "output")
	return cmd
}

// quantizeOptions returns the options of a backend with another kind of
// activation observer, if one is named.
func quantizeOptions(backend, observer string) (quantize.Options, error) {
	b, err := quantize.ParseBackend(backend)
	if err != nil || observer == "" {
		return quantize.Options{Backend: b}, err
	}
	o, err := b.Observers(quantize.HostDevice)
	if err != nil {
		return quantize.Options{}, err
	}
	o.Activation.Kind = quantize.Kind(observer)
	return quantize.Options{Backend: b, Activation: &o.Activation}, o.Activation.Validate()
}

// calibrate runs the float model on all samples under the quantizer's observers.
func (a *app) calibrate(ctx context.Context, q *quantize.Quantizer, g *graph.Graph, d *bench.Dataset, batch int) error {
	c, err := q.Calib(g)
	if err != nil {
		return err
	}
	defer c.Close()
	return a.feed(ctx, "calibrating", c, g, d, batch)
}

// fallBack excludes the n modules that lose most by quantization.
func (a *app) fallBack(ctx context.Context, q *quantize.Quantizer, g *graph.Graph, d *bench.Dataset, batch, n int) error {
	s, err := q.AMP(g)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := a.feed(ctx, "measuring sensitivity", s, g, d, batch); err != nil {
		return err
	}
	return q.Fallback(s, n)
}

// proxy is a model that watches its runs.
type proxy interface {
	Run(ctx context.Context, inputs ...*tensor.Tensor) ([]*tensor.Tensor, error)
}

// feed runs a proxy of g on all samples.
func (a *app) feed(ctx context.Context, label string, p proxy, g *graph.Graph, d *bench.Dataset, batch int) error {
	bar := a.progress(label, d.Len())
	defer bar.end()
	done := 0
	for in, err := range d.Batches(g, batch) {
		if err != nil {
			return err
		}
		if _, err := p.Run(ctx, in...); err != nil {
			return err
		}
		done = min(done+batch, d.Len())
		bar.set(done)
	}
	return nil
}

// quantizeResult is the document of quantize --json.
type quantizeResult struct {
	Layers      []layerResult `json:"layers"`
	InputBytes  int64         `json:"input_bytes"`
	OutputBytes int64         `json:"output_bytes"`
}

type layerResult struct {
	Name           string   `json:"name"`
	Op             string   `json:"op"`
	Precision      string   `json:"precision"`
	Reason         string   `json:"reason,omitempty"` // why it is not int8
	WeightScaleMax float32  `json:"weight_scale_max"`
	SQNRdB         *float64 `json:"sqnr_db"` // null without weights, or where they are exact
}

func (a *app) printQuantize(report *quantize.Report, input, output string) error {
	var r quantizeResult
	for _, l := range report.Layers {
		lr := layerResult{Name: l.Name, Op: l.Op, Precision: l.Precision, Reason: l.Reason, WeightScaleMax: l.WeightScaleMax}
		if sqnr := float64(l.SQNR); l.WeightScaleMax > 0 && !math.IsInf(sqnr, 0) && !math.IsNaN(sqnr) {
			lr.SQNRdB = &sqnr
		}
		r.Layers = append(r.Layers, lr)
	}
	for path, size := range map[string]*int64{input: &r.InputBytes, output: &r.OutputBytes} {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		*size = info.Size()
	}
	if a.json {
		return a.printJSON(r)
	}
	t := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "layer\toperator\tprecision\tweight SQNR\t")
	for _, l := range r.Layers {
		sqnr := ""
		if l.SQNRdB != nil {
			sqnr = fmt.Sprintf("%.1f dB", *l.SQNRdB)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", l.Name, l.Op, l.Precision, sqnr, l.Reason)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "\n%s: %d bytes, %.2f of %d\n", output, r.OutputBytes, float64(r.OutputBytes)/float64(max(r.InputBytes, 1)), r.InputBytes)
	return nil
}
