// Command bert_ptq quantizes a BERT classifier that Hugging Face trained, and
// compares accuracy, F1, size and latency of the float model with its quantized forms:
//
//	bert_ptq MODEL CALIB DEV OUT
//
// MODEL is a folder of Hugging Face, with weights, config.json and vocab.txt or tokenizer.json; CALIB and
// DEV are labelled texts, tab-separated or tokenized; the quantized models go to
// the folder OUT. It takes the small model of SST-2 as well as bert-base for MRPC.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
	"github.com/octet-ml/octet/text"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: bert_ptq MODEL CALIB DEV OUT")
		os.Exit(2)
	}
	rows, err := compare(context.Background(), os.Stderr, os.Args[1], os.Args[2], os.Args[3], os.Args[4])
	if err == nil {
		err = printRows(os.Stdout, rows)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bert_ptq:", err)
		os.Exit(1)
	}
}

const (
	batch        = 32
	calibBatches = 8 // of which the ranges of activations are observed
	latencyRuns  = 20
)

// row is one form of the model, measured.
type row struct {
	name     string
	n, right int
	f1       float64
	same     int // samples in the class that float gives
	bytes    int64
	ms       float64 // of one text
}

// compare measures the float model and each of its quantized forms.
func compare(ctx context.Context, progress io.Writer, dir, calib, dev, out string) ([]row, error) {
	model, err := loader.Load(dir)
	if err != nil {
		return nil, err
	}
	tokenizer, err := text.Open(dir)
	if err != nil {
		return nil, err
	}
	test, err := openTexts(ctx, dev, tokenizer)
	if err != nil {
		return nil, err
	}
	defer test.Close()
	samples, err := openTexts(ctx, calib, tokenizer)
	if err != nil {
		return nil, err
	}
	defer samples.Close()
	float, logits, err := measure(ctx, progress, "float32", model, test, nil)
	if err != nil {
		return nil, err
	}
	for _, file := range loader.WeightsFiles(dir) {
		info, err := os.Stat(file)
		if err != nil {
			return nil, err
		}
		float.bytes += info.Size()
	}
	rows := []row{float}
	for _, form := range []struct {
		name string
		opts quantize.Options
	}{
		{"disc", quantize.Options{Backend: quantize.DISC}},
		{"native", quantize.Options{}},
		{"native-dynamic", quantize.Options{Dynamic: true}},
	} {
		path := filepath.Join(out, form.name+".safetensors")
		if err := convert(ctx, model, samples, form.opts, path); err != nil {
			return nil, fmt.Errorf("%s: %w", form.name, err)
		}
		// What is measured is what a program that serves the model would load.
		g, err := loader.Load(path)
		if err != nil {
			return nil, err
		}
		r, _, err := measure(ctx, progress, form.name, g, test, logits)
		if err != nil {
			return nil, err
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		r.bytes = info.Size()
		rows = append(rows, r)
	}
	return rows, nil
}

// convert quantizes the model, calibrated on a few batches where it has to be, and
// saves it.
func convert(ctx context.Context, m *graph.Graph, samples *data.Dataset, opts quantize.Options, path string) error {
	q := quantize.New(opts)
	if !opts.Dynamic {
		calib, err := q.Calib(m)
		if err != nil {
			return err
		}
		defer calib.Close()
		batches := 0
		for in, err := range samples.Batches(m, batch) {
			if err != nil {
				return err
			}
			if _, err := calib.Run(ctx, in...); err != nil {
				return err
			}
			if batches++; batches == calibBatches {
				break
			}
		}
	}
	g, err := q.QuantizeContext(ctx, m)
	if err != nil {
		return err
	}
	return loader.Save(path, g)
}

// measure evaluates a model on labelled texts and times it on one of them.
func measure(ctx context.Context, progress io.Writer, name string, g *graph.Graph, d *data.Dataset, float *tensor.Tensor) (row, *tensor.Tensor, error) {
	s, err := g.Compile(graph.Options{})
	if err != nil {
		return row{}, nil, err
	}
	defer s.Close()
	e, err := bench.Evaluate(ctx, s, d, batch, func(done int) { fmt.Fprintf(progress, "\r%-14s %5d of %d texts", name, done, d.Len()) })
	fmt.Fprintln(progress)
	if err != nil {
		return row{}, nil, err
	}
	classes, err := bench.Classes(e.Logits)
	if err != nil {
		return row{}, nil, err
	}
	r := row{name: name, n: e.N, right: e.Right, f1: f1(classes, d.Labels()), same: e.N}
	if float != nil {
		agreement, err := bench.Compare(e.Logits, float)
		if err != nil {
			return row{}, nil, err
		}
		r.same = agreement.SameClass
	}
	one, err := d.Batch(g, 0, 1)
	if err != nil {
		return row{}, nil, err
	}
	t, err := bench.Time(ctx, s, one, bench.TimeOptions{Runs: latencyRuns})
	r.ms = t.Median.Seconds() * 1e3
	return r, e.Logits, err
}

// f1 is the harmonic mean of precision and recall of class 1.
func f1(classes []int, labels []int64) float64 {
	both, either := 0, 0
	for i, c := range classes {
		if c == 1 && labels[i] == 1 {
			both++
		}
		if c == 1 {
			either++
		}
		if labels[i] == 1 {
			either++
		}
	}
	return 2 * float64(both) / float64(max(either, 1))
}

func printRows(w io.Writer, rows []row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "model\tright\taccuracy\tF1\tas float\tMB\tms per text\tspeed-up\t")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%d\t%.2f %%\t%.4f\t%.2f %%\t%.2f\t%.3f\t%.2f\t\n", r.name, r.right, 100*float64(r.right)/float64(max(r.n, 1)), r.f1,
			100*float64(r.same)/float64(max(r.n, 1)), float64(r.bytes)/1e6, r.ms, rows[0].ms/max(r.ms, 1e-9))
	}
	return t.Flush()
}
