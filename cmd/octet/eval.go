package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
)

func (a *app) eval() *cobra.Command {
	var from source
	var data, output, against, metric string
	var batch int
	var scaleBytes bool
	var target, agreement float64
	cmd := &cobra.Command{
		Use:   "eval MODEL --data D.npz",
		Short: "Measure accuracy against the labels of a data set",
		Long: `eval runs a model on the samples of a data set and measures its first output
against the labels, by the metric that fits both, or --metric. --against compares
all outputs with recorded ones, of any form. In --json null stands for numbers
that are not finite, such as the SQNR of equal outputs.

` + dataHelp,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if batch < 1 {
				return usagef("--batch %d: it must be at least 1", batch)
			}
			if metric != "" && metric != bench.NoMetric && !slices.Contains(bench.Metrics(), metric) {
				return unknownName("metric", metric, append(bench.Metrics(), bench.NoMetric))
			}
			if (metric == bench.Cosine || metric == bench.Agreeing) && against == "" {
				return usagef("--metric %s needs --against", metric)
			}
			if err := a.checkFiles([]fileArg{{"MODEL", args[0]}, {"--data", data}, {"--against", against}}, fileArg{"--output", output}); err != nil {
				return err
			}
			d, err := a.openDataset(cmd.Context(), data, scaleBytes)
			if err != nil {
				return err
			}
			g, s, err := a.openSession(cmd.Context(), args[0], from)
			if err != nil {
				return err
			}
			defer s.Close()
			a.sayUnused(data, d, g, false)
			if metric == "" && agreement > 0 && d.Labels() == nil {
				metric = bench.Agreeing
			}
			bar := a.progress("evaluating", d.Len())
			e, err := bench.EvaluateWith(cmd.Context(), s, d, bench.EvalOptions{Batch: batch, Name: metric, Keep: output != "" || against != "", Progress: bar.set})
			bar.end()
			if err != nil {
				return err
			}
			r := resultOf(e)
			r.Precision = bench.Precision(g)
			if against != "" {
				if err := r.compare(cmd.Context(), a, against, e, agreement > 0); err != nil {
					return err
				}
			}
			if output != "" {
				if err := writeOutputs(output, e.Outputs); err != nil {
					return err
				}
			}
			if err := a.printEval(r); err != nil {
				return err
			}
			if target > 0 && !(e.Value >= target) {
				return &accuracyError{r.name(), e.Value, target}
			}
			if agreement > 0 && r.Agreement.Share() < agreement {
				return &accuracyError{"agreement", r.Agreement.Share(), agreement}
			}
			return nil
		},
	}
	f := cmd.Flags()
	from.flags(cmd)
	f.StringVar(&data, "data", "", "data set (.npz)")
	f.StringVar(&output, "output", "", "write the output as array y of this .npz file, of several outputs all, as output0, output1 and so on")
	f.StringVar(&against, "against", "", "compare with recorded outputs: arrays output0, output1 and so on, or logits or y, or the only one, of this .npz file")
	f.IntVar(&batch, "batch", 64, "samples per run")
	f.StringVar(&metric, "metric", "", metricHelp)
	f.Float64Var(&target, "target", 0, "least value of the metric (0 to 1): below it, exit with code 5")
	f.Float64Var(&agreement, "target-agreement", 0, "least share of samples in the same class as --against: below it, exit with code 5")
	scaleBytesFlag(cmd, &scaleBytes)
	require(cmd, "data")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if agreement > 0 && against == "" {
			return usagef("--target-agreement needs --against")
		}
		return nil
	}
	return cmd
}
