package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// evalShard is a part of an evaluation, as the command line names it.
type evalShard struct {
	shard, part string
	batch       int
	model       []string // its file, and what of it
	data        string
}

// checkEvalShard returns an error for flags that need more of an evaluation than a shard.
func checkEvalShard(shard, part string, f measureFlags) error {
	switch {
	case shard == "" && part == "":
		return nil
	case shard == "" || part == "":
		return usagef("--shard and --save-part need each other")
	case f != measureFlags{}:
		return usagef("--shard: a part of an evaluation measures nothing: give --output, --against, --metric and the targets to octet eval merge")
	}
	return nil
}

// evalShard runs a model on a shard and writes what it answers.
func (a *app) evalShard(ctx context.Context, s *graph.Session, d *data.Dataset, of evalShard) error {
	shard, err := quantize.ParseShard(of.shard)
	if err != nil {
		return err
	}
	from, to := d.ShardSamples(s.Graph(), of.batch, shard)
	bar := a.progress("evaluating", to-from)
	p, err := bench.EvaluateShard(ctx, s, d, shard, bench.EvalOptions{Batch: of.batch, Progress: bar.set})
	bar.end()
	if err != nil {
		return err
	}
	if p.Model, p.Data, err = of.digests(); err != nil {
		return err
	}
	a.say("shard %v: %d of %d samples, from sample %d", shard, to-from, d.Len(), from)
	return p.Save(of.part)
}

// digests say which model and data a part is of.
func (of *evalShard) digests() (model, data string, err error) {
	if model, err = fileDigest(of.model[0]); err != nil {
		return "", "", err
	}
	data, err = fileDigest(of.data)
	return strings.Join(append([]string{model}, of.model[1:]...), " "), data, err
}

// fileDigest returns the SHA-256 of a file, of a folder of Hugging Face that of its files of weights, "" of what is read once only.
func fileDigest(path string) (string, error) {
	h := sha256.New()
	for _, file := range loader.WeightsFiles(path) {
		if size, err := fileSize(file); err != nil || size == 0 {
			return "", err
		}
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		_, err = io.Copy(h, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (a *app) mergeEval() *cobra.Command {
	var measure measureFlags
	cmd := &cobra.Command{
		Use:   "merge PART...",
		Short: "Measure an evaluation that ran in parts",
		Long: `merge measures what octet eval --shard --save-part wrote, of all shards in any
order. It prints and writes what one evaluation does, but for the time per
sample, which is none of one machine.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := measure.check(); err != nil {
				return err
			}
			reads := []fileArg{{"--against", measure.against}}
			for _, path := range args {
				reads = append(reads, fileArg{"PART", path})
			}
			if err := a.checkFiles(reads, fileArg{"--output", measure.output}); err != nil {
				return err
			}
			if words, err := a.mergeWords(args, &measure); words || err != nil {
				return err
			}
			var parts []*bench.EvaluationPart
			labels := false
			for _, path := range args {
				arrays, err := tensor.ReadNPZContext(cmd.Context(), path, a.limits.maxMemory)
				if err != nil {
					return err
				}
				p, err := bench.NewEvaluationPart(path, arrays)
				if err != nil {
					return fmt.Errorf("%w (octet eval --shard i/n --save-part P writes parts)", err)
				}
				parts = append(parts, p)
				labels = labels || p.ClassLabels
			}
			e, err := bench.MergeEvaluation(parts, measure.options(labels))
			if err != nil {
				return fmt.Errorf("merge: %w", err)
			}
			r := resultOf(e)
			r.Precision, r.MsPerSample = parts[0].Precision, math.NaN()
			return measure.finish(cmd.Context(), a, e, r)
		},
	}
	measure.add(cmd)
	return cmd
}
