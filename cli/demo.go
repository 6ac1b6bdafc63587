package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/digits"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/table"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

func (a *app) demo() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Load, calibrate, quantize and compare a built-in model",
		Long: `demo needs no file: it holds a small network for handwritten digits, as trained
in PyTorch, with images that the network has not seen. It loads the network,
calibrates it on some of the images, quantizes it, and compares int8 with float32
on the others.`,
		Example: `  octet demo --threads 1`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.runDemo(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(r)
			}
			return a.printDemo(r)
		},
	}
}

// demoResult is the document of demo --json.
type demoResult struct {
	CPU        bench.CPU       `json:"cpu"`
	Calibrated int             `json:"calibrated"` // images
	Results    []demoPrecision `json:"results"`
	Agreement  bench.Agreement `json:"agreement"` // of int8 with float32
	SpeedUp    float64         `json:"speed_up"`  // of int8 over float32
}

// demoPrecision is the model in one precision.
type demoPrecision struct {
	Precision   string  `json:"precision"`
	N           int     `json:"n"`
	Right       int     `json:"right"`
	Top1        float64 `json:"top1"`
	WeightBytes int64   `json:"weight_bytes"`
	Threads     int     `json:"threads"`
	Batch       int     `json:"batch"`
	MedianMs    float64 `json:"median_ms"` // of a batch

	logits *tensor.Tensor
}

// demoBatch is large enough for the small images to be worth dividing among threads.
const demoBatch = 64

func (a *app) runDemo(ctx context.Context) (*demoResult, error) {
	a.say("loading the PyTorch file digits.pth")
	float, err := digits.Load()
	if err != nil {
		return nil, err
	}
	calib, err := dataset(digits.Calib())
	if err != nil {
		return nil, err
	}
	test, err := dataset(digits.Test())
	if err != nil {
		return nil, err
	}
	a.say("calibrating on %d images", calib.Len())
	w := &work{
		app: a, ctx: ctx, flags: &quantizeFlags{batch: demoBatch}, model: float, data: calib, cut: float,
		q: quantize.New(quantize.Options{Session: a.options()}),
	}
	if err := w.calibrate(); err != nil {
		return nil, err
	}
	int8, err := w.q.QuantizeContext(ctx, float)
	if err != nil {
		return nil, err
	}
	r := &demoResult{CPU: bench.DescribeCPU(a.tier), Calibrated: calib.Len()}
	a.say("comparing on %d other images", test.Len())
	for _, g := range []*graph.Graph{float, int8} {
		p, err := a.demoPrecision(ctx, g, test)
		if err != nil {
			return nil, err
		}
		r.Results = append(r.Results, *p)
	}
	f, i := r.Results[0], r.Results[1]
	if r.Agreement, err = bench.Compare(f.logits, i.logits); err != nil {
		return nil, err
	}
	if i.MedianMs > 0 {
		r.SpeedUp = f.MedianMs / i.MedianMs
	}
	return r, nil
}

func dataset(arrays tensor.Arrays, err error) (*data.Dataset, error) {
	if err != nil {
		return nil, err
	}
	return data.NewDataset(arrays)
}

func (a *app) demoPrecision(ctx context.Context, g *graph.Graph, test *data.Dataset) (*demoPrecision, error) {
	summary, err := bench.Summarize(g, nil)
	if err != nil {
		return nil, err
	}
	s, err := g.Compile(a.options())
	if err != nil {
		return nil, err
	}
	defer s.Close()
	e, err := bench.Evaluate(ctx, s, test, demoBatch, nil)
	if err != nil {
		return nil, err
	}
	in, err := test.Batch(g, 0, demoBatch)
	if err != nil {
		return nil, err
	}
	t, err := bench.Time(ctx, s, in, bench.TimeOptions{})
	if err != nil {
		return nil, err
	}
	return &demoPrecision{
		Precision: summary.Precision, N: e.N, Right: e.Right, Top1: e.Top1(), WeightBytes: summary.ParameterBytes,
		Threads: s.Threads(), Batch: demoBatch, MedianMs: float64(t.Median.Nanoseconds()) / 1e6, logits: e.Logits,
	}, nil
}

func (a *app) printDemo(r *demoResult) error {
	t := table.NewWriter(a.out, table.AlignRight)
	fmt.Fprintln(t, "\taccuracy\tright\tweights\tms per batch\timages/s\t")
	for _, p := range r.Results {
		fmt.Fprintf(t, "%s\t%.2f %%\t%d of %d\t%.1f kB\t%.3f\t%.0f\t\n",
			p.Precision, 100*p.Top1, p.Right, p.N, float64(p.WeightBytes)/1000, p.MedianMs, float64(p.Batch)/p.MedianMs*1000)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	f, i := r.Results[0], r.Results[1]
	fmt.Fprintf(a.out, "\nint8 beside float32: same class on %d of %d, %.2f of the size, %.2f times as fast\n(batches of %d, %d threads, CPU tier %s)\n",
		r.Agreement.SameClass, r.Agreement.N, float64(i.WeightBytes)/float64(max(f.WeightBytes, 1)), r.SpeedUp, i.Batch, i.Threads, r.CPU.Tier)
	return nil
}
