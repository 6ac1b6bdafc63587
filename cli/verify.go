package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/ops/asm"
)

// verifySeed is the seed of the integers that operators are given when a file is written.
const verifySeed = 1

func (a *app) verify() *cobra.Command {
	var from source
	cmd := &cobra.Command{
		Use:   "verify MODEL",
		Short: "Check that a model computes the promised bits on this CPU",
		Long: `verify reads all of a file, whose checksums are compared, and runs each int8
operator of the model on every tier of this CPU, on integers drawn from a seed.
The integers that they give are promised to be the same on every CPU, to the bit:
their digest is compared with the one in the file, which was computed where the
file was written. Floats that they give (the last of each chain) are compared
between tiers, within a millionth of the greatest. Layers in float32, and so the outputs of
a model that has any, are not promised to the bit: octet compare measures those.`,
		Example: `  octet verify int8.safetensors`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.verifyFile(cmd.Context(), args[0], from)
		},
	}
	from.flags(a, cmd)
	return cmd
}

// verifyResult is the document of verify --json.
type verifyResult struct {
	File     string       `json:"file"`
	Seed     uint64       `json:"seed"`
	Recorded string       `json:"recorded,omitempty"` // the digest in the file
	Integers int          `json:"operators_to_the_bit"`
	Floats   int          `json:"operators_within_tolerance"`
	Others   int          `json:"operators_not_promised"`
	Tiers    []verifyTier `json:"tiers"`
}

// verifyTier is what a tier computes.
type verifyTier struct {
	Tier   string  `json:"tier"`
	Digest string  `json:"digest"`
	Equal  bool    `json:"equal"`                    // to the recorded digest, or without one to that of the first tier
	Floats float64 `json:"largest_float_difference"` // from those of the first tier, over the greatest
	Beyond string  `json:"beyond_tolerance,omitempty"`
}

// errNotVerified ends verify where bits differ.
var errNotVerified = errors.New("what this CPU computes is not what was promised: octet cpu --check tells which kernel is wrong; please send what both print")

func (a *app) verifyFile(ctx context.Context, path string, from source) error {
	g, err := a.openModel(ctx, path, from)
	if err != nil {
		return err
	}
	if g, err = g.Concrete(); err != nil {
		return usagef("%s: %w: octet convert writes a file that says them", path, err)
	}
	info := infoOf(g)
	r := verifyResult{File: path, Seed: info.Seed, Recorded: info.Int8Digest}
	if r.Recorded == "" {
		r.Seed = verifySeed
	}
	var first *bench.OperatorRun
	wrong := false
	tiers := asm.Supported()
	bar := a.progress("verifying", len(tiers))
	defer bar.end()
	for i, tier := range tiers {
		bar.status(tier.String())
		bar.set(i)
		run, err := bench.RunOperators(ctx, g, tier, r.Seed)
		if err != nil {
			return err
		}
		if first == nil {
			first = run
		}
		t := verifyTier{Tier: tier.String(), Digest: run.Digest, Equal: run.Digest == first.Digest}
		if r.Recorded != "" {
			t.Equal = run.Digest == r.Recorded
		}
		if t.Floats, t.Beyond, err = run.Differs(first); err != nil {
			return err
		}
		wrong = wrong || !t.Equal || t.Beyond != ""
		r.Tiers = append(r.Tiers, t)
	}
	bar.end()
	r.Integers, r.Floats = first.Integers, first.Floats
	r.Others = len(g.Nodes) - r.Integers - r.Floats
	if err := a.printVerify(&r); err != nil {
		return err
	}
	if wrong {
		return errNotVerified
	}
	return nil
}

func (a *app) printVerify(r *verifyResult) error {
	if a.json {
		return a.printJSON(r)
	}
	fmt.Fprintf(a.out, "promised to the bit: the integers of %d int8 operators; within a tolerance: the floats of %d int8 operators; not promised: %d operators in float32 and views\n", r.Integers, r.Floats, r.Others)
	switch {
	case r.Integers+r.Floats == 0:
		fmt.Fprintln(a.out, "the model has no int8 operators")
	case r.Recorded == "":
		fmt.Fprintln(a.out, "the file has no digest: the tiers of this CPU are compared with each other (octet convert writes one)")
	default:
		fmt.Fprintf(a.out, "recorded    %s\n", r.Recorded)
	}
	for _, t := range r.Tiers {
		fmt.Fprintf(a.out, "%-11s %s ", t.Tier, t.Digest)
		if t.Equal {
			a.out.paint(green, "equal")
		} else {
			a.out.paint(red, "DIFFERS")
		}
		fmt.Fprintf(a.out, ", floats differ by at most %.2g", t.Floats)
		if t.Beyond != "" {
			fmt.Fprint(a.out, ", ")
			a.out.paint(red, "BEYOND THE TOLERANCE")
			fmt.Fprintf(a.out, " in %s", t.Beyond)
		}
		fmt.Fprintln(a.out)
	}
	return nil
}

// promise adds the digest of what the int8 operators compute to what a model says of itself.
func (a *app) promise(g *graph.Graph, info *graph.Info) error {
	info.Seed, info.Int8Digest = 0, ""
	g, err := g.Concrete()
	if err != nil {
		return nil // saving says what is wrong
	}
	run, err := bench.RunOperators(context.Background(), g, a.tier, verifySeed)
	if err != nil || run.Integers == 0 {
		return err
	}
	info.Seed, info.Int8Digest = verifySeed, run.Digest
	return nil
}
