package main

import (
	"context"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/tensor"
)

func (a *app) eval() *cobra.Command {
	var arch, data, output, against string
	var batch int
	var target, agreement float64
	cmd := &cobra.Command{
		Use:   "eval MODEL --data D.npz",
		Short: "Measure accuracy: top-1 against the labels of a data set",
		Long: `eval runs a model on the samples of an .npz file: x (uint8 or float32,
samples first), y (labels), and mean and std per channel, with which a uint8 x
becomes (x/255 - mean)/std. --against compares the answers with recorded ones.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if batch < 1 {
				return usagef("--batch %d: it must be at least 1", batch)
			}
			if err := a.checkFiles([]fileArg{{"MODEL", args[0]}, {"--data", data}, {"--against", against}}, fileArg{"--output", output}); err != nil {
				return err
			}
			d, err := a.openDataset(cmd.Context(), data)
			if err != nil {
				return err
			}
			g, s, err := a.openSession(cmd.Context(), args[0], arch)
			if err != nil {
				return err
			}
			defer s.Close()
			bar := a.progress("evaluating", d.Len())
			e, err := bench.Evaluate(cmd.Context(), s, d, batch, bar.set)
			bar.end()
			if err != nil {
				return err
			}
			r := evalResult{N: e.N, Precision: bench.Precision(g), MsPerSample: e.MsPerSample()}
			if e.Labels {
				top1 := e.Top1()
				r.Right, r.Top1 = &e.Right, &top1
			}
			if against != "" {
				if r.Agreement, err = a.agreementWith(cmd.Context(), against, e.Logits); err != nil {
					return err
				}
			}
			if output != "" {
				if err := tensor.WriteNPZ(output, []tensor.Named{{Name: "y", Tensor: e.Logits}}); err != nil {
					return err
				}
			}
			if err := a.printEval(r); err != nil {
				return err
			}
			if target > 0 && !(e.Top1() >= target) {
				return &accuracyError{"top-1", e.Top1(), target}
			}
			if agreement > 0 && r.Agreement.Share() < agreement {
				return &accuracyError{"agreement", r.Agreement.Share(), agreement}
			}
			return nil
		},
	}
	f := cmd.Flags()
	archFlag(cmd, &arch)
	f.StringVar(&data, "data", "", "data set (.npz)")
	f.StringVar(&output, "output", "", "write the logits as array y of this .npz file")
	f.StringVar(&against, "against", "", "compare with recorded logits: array y or logits, or the only one, of this .npz file")
	f.IntVar(&batch, "batch", 64, "samples per run")
	f.Float64Var(&target, "target", 0, "least top-1 (0 to 1): below it, exit with code 5")
	f.Float64Var(&agreement, "target-agreement", 0, "least share of samples in the same class as --against: below it, exit with code 5")
	require(cmd, "data")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if agreement > 0 && against == "" {
			return usagef("--target-agreement needs --against")
		}
		return nil
	}
	return cmd
}

// evalResult is the document of eval --json.
type evalResult struct {
	N           int              `json:"n"`
	Right       *int             `json:"right,omitempty"`
	Top1        *float64         `json:"top1"` // null without labels
	Precision   string           `json:"precision"`
	MsPerSample float64          `json:"ms_per_sample"`
	Agreement   *agreementResult `json:"agreement,omitempty"`
}

type agreementResult struct {
	bench.Agreement
	MaxAbsDiff *float64 `json:"max_abs_diff"` // null where one has a NaN and the other has not
}

func (a *app) agreementWith(ctx context.Context, path string, logits *tensor.Tensor) (*agreementResult, error) {
	arrays, err := tensor.ReadNPZContext(ctx, path, a.limits.maxMemory)
	if err != nil {
		return nil, err
	}
	recorded := arrays.Get("logits")
	if recorded == nil {
		recorded = arrays.Get("y")
	}
	if recorded == nil && len(arrays) == 1 {
		recorded = arrays[0].Tensor
	}
	if recorded == nil || recorded.DType() != tensor.Float32 {
		return nil, &tensor.FileError{File: path, Reason: fmt.Sprintf("no float32 array named logits or y: it has %v", arrays.Names())}
	}
	c, err := bench.Compare(logits, recorded)
	if err != nil {
		return nil, &tensor.FileError{File: path, Reason: err.Error()}
	}
	r := &agreementResult{Agreement: c}
	if !math.IsNaN(c.MaxAbsDiff) && !math.IsInf(c.MaxAbsDiff, 0) {
		r.MaxAbsDiff = &r.Agreement.MaxAbsDiff
	}
	return r, nil
}

func (a *app) printEval(r evalResult) error {
	if a.json {
		return a.printJSON(r)
	}
	fmt.Fprintf(a.out, "samples     %d\n", r.N)
	if r.Top1 != nil {
		fmt.Fprintf(a.out, "right       %d (%.2f %%)\n", *r.Right, 100**r.Top1)
	}
	fmt.Fprintf(a.out, "precision   %s\nper sample  %.3f ms\n", r.Precision, r.MsPerSample)
	if r.Agreement != nil {
		fmt.Fprintf(a.out, "same class  %d of %d (%.2f %%), logits differ by at most %g\n",
			r.Agreement.SameClass, r.Agreement.N, 100*r.Agreement.Share(), r.Agreement.Agreement.MaxAbsDiff)
	}
	return nil
}
