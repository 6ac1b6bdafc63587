package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
)

// measureFlags say how outputs are measured.
type measureFlags struct {
	output, against, metric string
	target, agreement       float64
}

func (f *measureFlags) add(cmd *cobra.Command) {
	s := cmd.Flags()
	s.StringVar(&f.output, "output", "", "write the output as array y of this .npz file, of several outputs all, by their names")
	s.StringVar(&f.against, "against", "", "compare with recorded outputs: arrays by the names of the outputs, or output0, output1 and so on, or logits or y, or the only one, of this .npz file")
	s.StringVar(&f.metric, "metric", "", metricHelp)
	s.Float64Var(&f.target, "target", 0, "least value of the metric (0 to 1): below it, exit with code 5")
	s.Float64Var(&f.agreement, "target-agreement", 0, "least share of samples in the same class as --against: below it, exit with code 5")
}

func (f *measureFlags) check() error {
	if err := checkMetric(f.metric); err != nil {
		return err
	}
	for flag, v := range map[string]float64{"target": f.target, "target-agreement": f.agreement} {
		if !(v >= 0 && v <= 1) {
			return usagef("--%s %v: it must be 0 to 1", flag, v)
		}
	}
	if (f.metric == bench.Cosine || f.metric == bench.Agreeing) && f.against == "" {
		return usagef("--metric %s needs --against", f.metric)
	}
	if f.agreement > 0 && f.against == "" {
		return usagef("--target-agreement needs --against")
	}
	return nil
}

// options are those of an evaluation of data with labels or without.
func (f *measureFlags) options(labels bool) bench.EvalOptions {
	name := f.metric
	if name == "" && f.agreement > 0 && !labels {
		name = bench.Agreeing
	}
	return bench.EvalOptions{Name: name, Keep: f.output != "" || f.against != ""}
}

// finish compares, writes and prints what was measured, and holds it to the targets.
func (f *measureFlags) finish(ctx context.Context, a *app, e *bench.Evaluation, r *evalResult) error {
	if f.against != "" {
		if err := r.compare(ctx, a, f.against, e, f.agreement > 0); err != nil {
			return err
		}
	}
	if f.output != "" {
		if err := writeOutputs(f.output, e); err != nil {
			return err
		}
	}
	if err := a.printEval(r); err != nil {
		return err
	}
	if e.NaNs > 0 {
		a.say("%d of %d samples have a NaN in their output, which counts as a class of its own: look for NaN and infinity in the data", e.NaNs, e.N)
	}
	if f.target > 0 && !(e.Value >= f.target) {
		return &accuracyError{r.name(), e.Value, f.target}
	}
	if f.agreement > 0 && r.Agreement.Share() < f.agreement {
		return &accuracyError{"agreement", r.Agreement.Share(), f.agreement}
	}
	return nil
}

func (a *app) eval() *cobra.Command {
	var from source
	var measure measureFlags
	var data, texts, shard, part string
	var batch int
	var samples dataFlags
	cmd := &cobra.Command{
		Use:   "eval MODEL --data D",
		Short: "Measure accuracy against the labels of a data set",
		Long: `eval runs a model on the samples of a data set and measures its first output
against the labels, by the metric that fits both, or --metric. --against compares
all outputs with recorded ones, of any form. In --json null stands for numbers
that are not finite, such as the SQNR of equal outputs.

--shard i/n runs one of n parts of the samples and writes what the model answers
with --save-part, for octet eval merge to measure.

` + dataHelp,
		Example: `  octet eval int8.safetensors --data val/
  octet eval resnet20.th --arch resnet20-cifar --data test.npz --against logits.npz
  octet eval int8.safetensors --data test.npz --target 0.75`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if batch < 1 {
				return usagef("--batch %d: it must be at least 1", batch)
			}
			if err := measure.check(); err != nil {
				return err
			}
			if err := checkEvalShard(shard, part, measure); err != nil {
				return err
			}
			if err := textAlias(&data, texts, "data"); err != nil {
				return err
			}
			samples.model = args[0]
			reads := []fileArg{{"MODEL", args[0]}, {"--data", data}, {"--against", measure.against}}
			if err := a.checkFiles(reads, fileArg{"--output", measure.output}, fileArg{"--save-part", part}); err != nil {
				return err
			}
			g, err := a.openModel(cmd.Context(), args[0], from)
			if err != nil {
				return err
			}
			of := evalShard{shard, part, batch, []string{args[0], from.arch, from.model}, data}
			if info := infoOf(g); isWords(data) && labelsWords(&info) {
				if measure.metric != "" {
					return usagef("labels of words are measured by themselves: leave out --metric")
				}
				return a.evalWords(cmd.Context(), data, g, &samples, &measure, of)
			}
			g, d, err := a.openBound(cmd.Context(), data, &samples, g)
			if err != nil {
				return err
			}
			s, err := a.compile(args[0], g)
			if err != nil {
				return err
			}
			defer s.Close()
			a.sayUnused(data, d, g, false)
			if shard != "" {
				return a.evalShard(cmd.Context(), s, d, of)
			}
			options := measure.options(d.Labels() != nil)
			bar := a.progress("evaluating", d.Len())
			options.Batch, options.Progress = batch, bar.set
			e, err := bench.EvaluateWith(cmd.Context(), s, d, options)
			bar.end()
			if err != nil {
				return err
			}
			r := resultOf(e)
			r.Precision = bench.Precision(g)
			return measure.finish(cmd.Context(), a, e, r)
		},
	}
	f := cmd.Flags()
	from.flags(a, cmd)
	measure.add(cmd)
	f.StringVar(&data, "data", "", "data set: a folder or file")
	f.StringVar(&texts, "text", "", "in place of --data: labelled texts: .jsonl with text and label, or .tsv with a header; of labelled words, for a model that labels tokens: .conll, .txt or .tsv with a word and its label on each line, and empty lines between sentences")
	f.IntVar(&batch, "batch", 64, "samples per run")
	f.StringVar(&shard, "shard", "", "run part i of n of the samples only, 0/4 the first of four")
	f.StringVar(&part, "save-part", "", "with --shard: the file to write, for octet eval merge")
	samples.add(cmd)
	cmd.AddCommand(a.mergeEval())
	return cmd
}
