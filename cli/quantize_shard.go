package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/quantize"
)

// checkShard returns an error for flags that need more of a calibration than a shard.
func (f *quantizeFlags) checkShard(fallback int) error {
	switch {
	case f.calib == "" || f.saveState == "":
		return usagef("--shard needs --calib, all of the data, and --save-state, for octet quantize merge")
	case f.output != "" || f.report != "" || f.data != "" || fallback > 0:
		return usagef("--shard: a part of a calibration converts nothing: merge all shards, then quantize with --state")
	}
	return nil
}

// setShard cuts the calibration.
func (w *work) setShard(text string) error {
	s, err := quantize.ParseShard(text)
	if err != nil {
		return err
	}
	return w.q.Shard(s, w.data.Len(), data.BatchSize(w.cut, w.flags.batch))
}

// calibrationBatches are those that this process calibrates on.
func (w *work) calibrationBatches() batches {
	p := w.q.Part()
	if p == nil {
		return batches{w.data, w.first(w.data, w.data.Len()), 0, w.data.Len()}
	}
	from, to := w.data.ShardSamples(w.cut, w.flags.batch, p.Shard)
	w.say("shard %v: %d of %d samples, from sample %d", p.Shard, to-from, w.data.Len(), from)
	return batches{w.data, w.data.Shard(w.cut, w.flags.batch, p.Shard), from, to}
}

func (a *app) merge() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "merge STATE... -o STATE",
		Short: "Join calibrations that ran in parts",
		Long: `merge joins what octet quantize --save-state wrote for parts of the data, with the
same model and options, into the state that one calibration on all of it has.

Of parts that --shard cut, all must be there, in any order: the result has the
bytes of one run. --observer histogram takes two passes over the data: merge
then says so, and the shards run again with --state OUT of the first merge.

Of data that was cut by hand it is exact for minmax, percentile, entropy and
mse, for histogram within its resolution.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			var files []fileArg
			for _, path := range args {
				files = append(files, fileArg{"STATE", path})
			}
			if err := a.checkFiles(files, fileArg{"-o", output}); err != nil {
				return err
			}
			var states []*quantize.Quantizer
			for _, path := range args {
				q, err := quantize.LoadQuantizer(path)
				if err != nil {
					return err
				}
				a.sayWarnings(path, q)
				states = append(states, q)
			}
			q, err := joinStates(states, args)
			if err != nil {
				return err
			}
			if p := q.Part(); p != nil {
				a.say("this was the first of two passes: run each of the %d shards again with --state %s, and merge what they save", p.Count, output)
			}
			return q.Save(output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to write")
	require(cmd, "output")
	return cmd
}

// joinStates merges shards, or calibrations of data that was cut by hand.
func joinStates(states []*quantize.Quantizer, paths []string) (*quantize.Quantizer, error) {
	q := states[0]
	if q.Part() != nil {
		return quantize.MergeShards(states...)
	}
	for i, part := range states[1:] {
		if err := q.Merge(part); err != nil {
			return nil, fmt.Errorf("%s: %w", paths[i+1], err)
		}
	}
	return q, nil
}
