package cli

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/bench"
	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/table"
	"github.com/octet-ml/octet/tensor"
)

// compareFlags are those of compare.
type compareFlags struct {
	source
	samples          dataFlags
	data, shape      string
	n, batch         int
	seed             uint64
	atol, rtol, sqnr float64
}

func (a *app) compare() *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare A B",
		Short: "Compare two models, or a model and recorded outputs",
		Long: `compare runs two models on the same samples, of --data or else random, and shows
how far each output of B is from that of A: SQNR, cosine, the largest difference.
On one batch it compares them layer by layer, by the names of their modules, and
names the first layer that departs: below 60 dB where both have the same
precision, else 10 dB below the worst layer in front of it.

B may be an .npz of recorded outputs, named as octet run names them; --data then
has the inputs. Beyond --atol and --rtol (|b - a| <= atol + rtol |a|, of every
element), or below --sqnr, the exit code is 5.`,
		Example: `  octet compare model.safetensors int8.safetensors --data test.npz --sqnr 25
  octet compare model.safetensors recorded.npz --data test.npz --atol 1e-4 --rtol 1e-4`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.n < 1 || f.batch < 1 {
				return usagef("--samples %d and --batch %d: they must be at least 1", f.n, f.batch)
			}
			c := &comparing{app: a, flags: &f, tolerance: cmd.Flags().Changed("atol") || cmd.Flags().Changed("rtol"), ratio: cmd.Flags().Changed("sqnr")}
			return c.run(cmd.Context(), args[0], args[1])
		},
	}
	s := cmd.Flags()
	f.source.flags(a, cmd)
	shapeFlag(cmd, &f.shape)
	s.StringVar(&f.data, "data", "", "samples to run on: a folder or file (default: random ones)")
	s.IntVar(&f.n, "samples", 64, "how many samples, at most")
	s.IntVar(&f.batch, "batch", 8, "samples per run, and of the comparison of layers")
	s.Uint64Var(&f.seed, "seed", 1, "seed of random inputs")
	s.Float64Var(&f.atol, "atol", 0, "how far every element may be off")
	s.Float64Var(&f.rtol, "rtol", 0, "how far every element may be off, over its absolute value in A")
	s.Float64Var(&f.sqnr, "sqnr", 0, "least SQNR of every output in dB")
	f.samples.add(cmd)
	return cmd
}

// comparing is one comparison.
type comparing struct {
	*app
	flags            *compareFlags
	tolerance, ratio bool // are to be held
	data             *data.Dataset
	result           compareResult
}

// compareResult is the document of compare --json.
type compareResult struct {
	Samples int                      `json:"samples"`
	Outputs []bench.OutputDifference `json:"outputs"`
	Layers  []bench.LayerDifference  `json:"layers,omitempty"`
	First   *bench.LayerDifference   `json:"first_departure,omitempty"`
	// Beyond is how many elements of each output are not within --atol and --rtol.
	Beyond []int `json:"beyond_tolerance,omitempty"`
}

func (c *comparing) run(ctx context.Context, pathA, pathB string) error {
	f := c.flags
	g, err := c.openModel(ctx, pathA, f.source)
	if err != nil {
		return err
	}
	recorded := strings.EqualFold(filepath.Ext(pathB), ".npz")
	if recorded && f.data == "" {
		return usagef("%s has recorded outputs: --data must have the inputs they are of", pathB)
	}
	if err := c.openData(ctx, g); err != nil {
		return err
	}
	a, err := c.evaluate(ctx, pathA, g)
	if err != nil {
		return err
	}
	b := &bench.Evaluation{}
	names := a.Names
	if recorded {
		if b.Outputs, names, err = c.recordedOutputs(ctx, pathB, a); err != nil {
			return err
		}
		for i, t := range b.Outputs { // of more samples than are run
			if t.Rank() > 0 && t.Dim(0) > a.N {
				if b.Outputs[i], err = t.Slice(0, 0, a.N, 1); err != nil {
					return err
				}
			}
		}
	} else {
		h, err := c.openOther(ctx, pathB)
		if err != nil {
			return err
		}
		if b, err = c.evaluate(ctx, pathB, h); err != nil {
			return err
		}
		if err := c.layers(ctx, g, h); err != nil {
			return err
		}
	}
	return c.finish(pathB, a.Outputs[:min(len(a.Outputs), len(b.Outputs))], b.Outputs, names)
}

// openOther reads the second model: --arch is for the one that is weights.
func (c *comparing) openOther(ctx context.Context, path string) (*graph.Graph, error) {
	g, err := c.openModel(ctx, path, source{})
	if err != nil && c.flags.arch != "" {
		return c.openModel(ctx, path, c.flags.source)
	}
	return g, err
}

// openData opens the samples, or makes random ones for the model.
func (c *comparing) openData(ctx context.Context, g *graph.Graph) (err error) {
	f := c.flags
	if f.data != "" {
		c.data, err = c.openDataset(ctx, f.data, &f.samples, g)
		return err
	}
	given, err := parseShapes(f.shape)
	if err != nil {
		return err
	}
	types, err := bench.InputTypes(g, given, 0)
	if err != nil {
		return usagef("--shape: %w", err)
	}
	in, err := bench.RandomInputs(types, f.seed)
	if err != nil {
		return err
	}
	var arrays tensor.Arrays
	for i, t := range in {
		arrays = append(arrays, tensor.Named{Name: g.Inputs[i].Name, Tensor: t})
	}
	c.data, err = data.NewDataset(arrays)
	return err
}

// evaluate runs a model on the samples.
func (c *comparing) evaluate(ctx context.Context, path string, g *graph.Graph) (*bench.Evaluation, error) {
	s, err := c.compile(path, g)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	bar := c.progress("running "+path, c.data.Len())
	defer bar.end()
	return bench.EvaluateWith(ctx, s, c.data, bench.EvalOptions{Batch: c.flags.batch, Name: bench.NoMetric, Keep: true, First: c.flags.n, Progress: bar.set})
}

// layers compares the layers on the first batch.
func (c *comparing) layers(ctx context.Context, a, b *graph.Graph) error {
	size := min(data.BatchSize(a, c.flags.batch), c.data.Len())
	inA, a, err := c.closedInputs(a, size)
	if err != nil {
		return err
	}
	inB, b, err := c.closedInputs(b, size)
	if err != nil {
		return err
	}
	list, err := bench.CompareLayers(ctx, a, b, c.options(), inA, inB)
	if err != nil {
		return fmt.Errorf("comparing layers: %w", err)
	}
	c.result.Layers = list
	for i := range list {
		if list[i].Departs {
			c.result.First = &list[i]
			break
		}
	}
	return nil
}

// closedInputs returns the first samples and the graph for their types.
func (c *comparing) closedInputs(g *graph.Graph, n int) ([]*tensor.Tensor, *graph.Graph, error) {
	in, err := c.data.Batch(g, 0, n)
	if err != nil {
		return nil, nil, err
	}
	g, err = g.Specialize(typesOf(in)...)
	return in, g, err
}

// finish compares outputs, prints, and holds them to the limits.
func (c *comparing) finish(pathB string, a, b []*tensor.Tensor, names []string) (err error) {
	r := &c.result
	if r.Outputs, err = bench.CompareOutputs(b, a, names); err != nil {
		return &tensor.FileError{File: pathB, Reason: err.Error()}
	}
	if len(a) > 0 && a[0].Rank() > 0 {
		r.Samples = a[0].Dim(0)
	}
	for i := range a {
		if c.tolerance {
			n, err := bench.Beyond(b[i], a[i], c.flags.atol, c.flags.rtol)
			if err != nil {
				return err
			}
			r.Beyond = append(r.Beyond, n)
		}
	}
	if err := c.print(); err != nil {
		return err
	}
	for i, o := range r.Outputs {
		if c.tolerance && r.Beyond[i] > 0 {
			return &accuracyError{"the share of elements of " + o.Name + " within --atol and --rtol", 1 - float64(r.Beyond[i])/float64(o.N), 1}
		}
		if c.ratio && !(o.SQNR >= c.flags.sqnr) {
			return &accuracyError{"the SQNR of " + o.Name + " in dB", o.SQNR, c.flags.sqnr}
		}
	}
	return nil
}

func (c *comparing) print() error {
	r := &c.result
	if c.json {
		return c.printJSON(r)
	}
	for i, o := range r.Outputs {
		fmt.Fprintf(c.out, "%-11s %s: SQNR %.1f dB, cosine %.6f, equal %d of %d, differs by at most %.5g", o.Name, o.Type, o.SQNR, o.Cosine, o.Equal, o.N, o.MaxAbsDiff)
		if r.Beyond != nil {
			fmt.Fprintf(c.out, ", %d beyond the tolerance", r.Beyond[i])
		}
		fmt.Fprintln(c.out)
	}
	if len(r.Layers) == 0 {
		return nil
	}
	if d := r.First; d != nil {
		c.out.paint(red, "the first layer that departs")
		fmt.Fprintf(c.out, " is %s (%s): SQNR %.1f dB\n", d.Name, d.Op, d.SQNR)
	} else {
		c.out.paint(green, fmt.Sprintf("none of %d layers departs", len(r.Layers)))
		fmt.Fprintln(c.out)
	}
	t := table.NewWriter(c.out, 0)
	fmt.Fprintln(t, "\nlayer\toperator\tSQNR dB\tcosine\tlargest difference\t")
	for _, d := range r.Layers {
		mark := ""
		if d.Departs {
			mark = "departs"
		}
		ratio := fmt.Sprintf("%.1f", d.SQNR)
		if math.IsInf(d.SQNR, 1) {
			ratio = "equal"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%.6f\t%.5g\t%s\n", d.Name, d.Op, ratio, d.Cosine, d.MaxAbsDiff, mark)
	}
	return t.Flush()
}
